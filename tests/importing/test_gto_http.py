"""A remote of DVC's behind a web server: what it gives comes, checked; what it does wrong is named in time."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from artreg.errors import ArtregError
from artreg.importing.bring import Brought
from artreg.importing.gto import GtoSource
from artreg.importing.naming import Naming
from artreg.integrations import http_reading
from artreg.pace import Pace
from importing.contract import bring_all, new_registry
from importing.repositories import commit, git, keep, md5, new_repository, tag, tracked

SECRET = "n0t-to-be-seen"


class Web:
    """A server that gives what lies in a folder; `fault` may do something else, and returns whether it did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.fault: Callable[[BaseHTTPRequestHandler], bool] = lambda handler: False
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.path, dict(self.headers)))
                if not web.fault(self):
                    path = web.folder / self.path.lstrip("/")
                    give(self, path.read_bytes() if path.is_file() else None)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def give(handler: BaseHTTPRequestHandler, data: bytes | None, status: int = 404, **headers: str) -> None:
    handler.send_response(status if data is None else 200)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data or b"")))
    handler.end_headers()
    handler.wfile.write(data or b"")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "web").mkdir()
    with closing(Web(tmp_path / "web")) as web:
        yield web


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(http_reading._AGAIN, "backoff_factor", 0)  # type: ignore[arg-type]
    monkeypatch.setenv("NO_PROXY", "*")


def repository(place: Path, url: str, *more: str, size: int | None = 7, local: str = "") -> Path:
    """Return a repository of which DVC has a file, and a folder of a size, at a remote."""
    new_repository(place)
    config = "".join(f"    {line}\n" for line in (f"url = {url}", *more))
    folder = f"{md5(listed())}.dir"
    files = {
        "dvc.yaml": json.dumps({"artifacts": {"churn": {"path": "m.pkl"}, "big": {"path": "big"}}}),
        "m.pkl.dvc": tracked("m.pkl", md5(b"model"), size=5),
        "big.dvc": tracked("big", folder, size=size),
        ".dvc/config": f"[core]\n    remote = there\n['remote \"there\"']\n{config}",
    }
    commit(place, files)
    (place / ".dvc/config.local").write_text(f"['remote \"there\"']\n{local}" if local else "")
    tag(place, "churn@v1.0.0", 1)
    tag(place, "big@v1.0.0", 1)
    return place


def listed() -> bytes:
    return json.dumps([{"md5": md5(b"aaa"), "relpath": "a"}, {"md5": md5(b"bbbb"), "relpath": "b/c"}]).encode()


def fill(folder: Path, *, old: bool = False) -> None:
    for data in (b"model", b"aaa", b"bbbb"):
        keep(folder, data, old=old)
    keep(folder, listed(), suffix=".dir", old=old)


def brought(place: Path) -> tuple[Brought, str]:
    """Import, and return what came of it, and everything that was recorded or said."""
    registry, naming = new_registry(), Naming("demo", {})
    result = bring_all(registry, GtoSource(str(place), naming), naming)
    recorded = [registry.store.read(entry.name) for entry in registry.store.walk("") if entry.name.endswith(".json")]
    said = [f"{it.error.message} {it.error.hint} {it.error.details}" for it in result.troubles]
    return result, b"".join(recorded).decode() + "".join(said)


def errors(result: Brought) -> dict[str, ArtregError]:
    return {it.item: it.error for it in result.troubles}


@pytest.mark.parametrize("old", [False, True])
def test_what_lies_behind_a_web_server_comes(old: bool, web: Web, tmp_path: Path) -> None:
    fill(tmp_path / "web", old=old)
    place = repository(tmp_path / "repository", f"{web.url}/")
    if old:
        git(tmp_path, "clone", "--quiet", "--mirror", str(place), "bare")
        place = tmp_path / "bare"
    result, _ = brought(place)
    assert (result.troubles, [it.item for it in result.imported]) == ((), ["big@v1.0.0", "churn@v1.0.0"])


@pytest.mark.parametrize("how", ["basic", "custom", "url"])
def test_credentials_go_to_that_server_alone_and_into_no_record(how: str, web: Web, tmp_path: Path) -> None:
    fill(tmp_path / "web")
    url, local, header = web.url, "", "Authorization"
    expected = f"Basic {b64encode(f'ada:{SECRET}'.encode()).decode()}"
    if how == "url":
        url = url.replace("://", f"://ada:{SECRET}@")
    else:
        local = f"auth = {how}\nuser = ada\npassword = {SECRET}\ncustom_auth_header = X-Token\n"
    if how == "custom":
        header, expected = "X-Token", SECRET

    with closing(Web(tmp_path / "web")) as elsewhere:
        web.fault = lambda handler: give(handler, None, 302, Location=f"{elsewhere.url}{handler.path}") is None
        result, recorded = brought(repository(tmp_path / "repository", url, local=local))
    assert (result.troubles, len(result.imported)) == ((), 2)
    assert {headers[header] for _, headers in web.asked} == {expected}
    assert [headers for _, headers in elsewhere.asked if header in headers] == []
    web.fault = lambda handler: give(handler, None, 403) is None
    refused, said = brought(tmp_path / "repository")
    assert {error.code for error in errors(refused).values()} == {"storage"}
    assert "HTTP 403" in said
    assert SECRET not in recorded + said


def _rot(handler: BaseHTTPRequestHandler) -> bool:
    return give(handler, b"modeI") is None


def _html(handler: BaseHTTPRequestHandler) -> bool:
    return give(handler, b"<html>please log in</html>") is None


def _broken(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    handler.wfile.write(b"mod")
    handler.close_connection = True
    return True


def _endless(handler: BaseHTTPRequestHandler) -> bool:
    return _sending(handler, b"a" * 2**20, times=200)


def _dripping(handler: BaseHTTPRequestHandler) -> bool:
    return _sending(handler, b"m", times=6000, pause=0.01)


def _sending(handler: BaseHTTPRequestHandler, piece: bytes, *, times: int, pause: float = 0.0) -> bool:
    """Send a piece again and again; the server remembers it if somebody took all of them."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(times):
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)
    except OSError:
        return True
    handler.server.ended = True  # type: ignore[attr-defined]
    return True


FAULTS = {
    "rot": (_rot, "integrity", "is damaged"),
    "a page to log in": (_html, "integrity", "has more bytes"),
    "broken off": (_broken, "storage", "cannot be read: ProtocolError"),
    "endless": (_endless, "integrity", "has more bytes"),
    "busy": (lambda handler: give(handler, None, 503) is None, "storage", "HTTP 503"),
    "lost": (lambda handler: give(handler, None, 302, Location=handler.path) is None, "storage", "cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_server_does_wrong_is_named_and_ends(fault: str, web: Web, tmp_path: Path) -> None:
    fill(tmp_path / "web")
    do, code, words = FAULTS[fault]
    of_file, of_part = (f"/files/md5/{md5(data)[:2]}/" for data in (b"model", b"aaa"))
    web.fault = lambda handler: handler.path.startswith((of_file, of_part)) and do(handler)
    result, said = brought(repository(tmp_path / "repository", web.url))
    assert {item: error.code for item, error in errors(result).items()} == {"big@v1.0.0": code, "churn@v1.0.0": code}
    assert said.count(words) == 2
    assert not hasattr(web.server, "ended")


def test_a_server_that_only_drips_is_given_up(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_reading, "_PACE", Pace(0.02, 64 * 1024))
    web.fault = _dripping
    result, said = brought(repository(tmp_path / "repository", web.url, size=None))
    assert errors(result)["big@v1.0.0"].code == "storage"  # and the other has five bytes, which may come in time
    assert "sends next to nothing" in said
    assert not hasattr(web.server, "ended")


def test_a_server_that_hangs_is_asked_twice(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_reading, "TIMEOUT", urllib3.Timeout(connect=10, read=0.05))
    over = threading.Event()
    web.fault = lambda handler: over.wait(60)
    result, said = brought(repository(tmp_path / "repository", web.url))
    over.set()
    assert {error.code for error in errors(result).values()} == {"storage"}
    assert said.count("cannot be read: it sends next to nothing") == 2
    for _ in range(3000):  # who went away may have been heard of only now
        if len(web.asked) >= 4:
            break
        time.sleep(0.01)
    assert len(web.asked) == 4


def test_what_is_busy_for_a_moment_is_asked_again(web: Web, tmp_path: Path) -> None:
    fill(tmp_path / "web")
    web.fault = lambda handler: len(web.asked) % 2 == 1 and give(handler, None, 503, **{"Retry-After": "9999"}) is None
    assert brought(repository(tmp_path / "repository", web.url))[0].troubles == ()


@pytest.mark.parametrize(
    ("more", "local", "words"),
    [
        ((), "", "at its remote"),
        (("auth = basic", "ask_password = true"), "", "keeps no password"),
        (("auth = oauth",), "password = x\n", "auth = oauth"),
        (("auth = custom", "custom_auth_header = A: b"), "password = x\n", "auth = custom"),
        (("url = http://[",), "", "is no place of files"),
        (("url = https://example.org/x?token=y",), "", "is no place of files"),
    ],
)
def test_what_is_not_there_or_lets_nobody_in_is_named(
    more: tuple[str, ...], local: str, words: str, web: Web, tmp_path: Path
) -> None:
    result, said = brought(repository(tmp_path / "repository", web.url, *more, local=local))
    assert {error.code for error in errors(result).values()} == {"not_found"}
    assert said.count(words) == 2
    assert "dvc fetch --all-tags" in said


@pytest.mark.parametrize("scheme", ["ssh", "gdrive"])
def test_remotes_that_are_not_read_are_named_before_anything_is_fetched(scheme: str, tmp_path: Path) -> None:
    place = repository(tmp_path / "repository", f"{scheme}://ada:{SECRET}@host/x")
    found = GtoSource(str(place), Naming("demo", {})).survey()
    assert [it.item for it in found.troubles] == ["big@v1.0.0", "churn@v1.0.0"]
    for it in found.troubles:
        assert f"does not read over {scheme}" in it.error.message
        assert "dvc fetch --all-tags" in it.error.hint
        assert SECRET not in it.error.message
    fill(place / ".dvc/cache")
    name = md5(b"model")
    kept = place / ".dvc/cache/files/md5" / name[:2] / name[2:]
    kept.write_bytes(b"modeI")
    result, _ = brought(place)
    assert {item: error.code for item, error in errors(result).items()} == {"churn@v1.0.0": "integrity"}
    kept.write_bytes(b"model")
    result, _ = brought(place)
    assert (result.troubles, len(result.imported)) == ((), 2)
