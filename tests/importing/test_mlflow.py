"""`import mlflow`: a file store, whole and damaged, and a tracking server, friendly and hostile."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.importing import mlflow_artifacts
from artreg.importing.mlflow import HISTORY, MlflowSource
from artreg.importing.mlflow_artifacts import BucketArtifacts, opened
from artreg.importing.naming import Naming
from artreg.importing.source import Survey
from artreg.integrations import mlflow_connection, mlflow_server
from artreg.integrations.mlflow_server import MlflowServer
from artreg.pace import Pace
from certificates import self_signed
from certificates import serving as certified
from importing.contract import SourceContract, bring_all, new_registry
from importing.mlflow_double import Double, Handler, serving
from importing.mlflow_store import MLMODEL, file_store, put

CHURN, FRAUD = ModelName("demo", "churn"), ModelName("demo", "fraud")


def _version(place: Path, name: str = "churn", number: int = 1) -> Path:
    return place / "mlruns/models" / name / f"version-{number}"


def _files(place: Path) -> Path:
    """Return the folder of churn's first model."""
    (found,) = [
        it.parent for it in place.glob("mlruns/*/models/*/artifacts/model.pkl") if it.read_bytes().endswith(b"n 1")
    ]
    return found


def _run_of(place: Path) -> Path:
    (found,) = [it.parents[1] for it in place.glob("mlruns/*/*/outputs/*") if it.name == _files(place).parent.name]
    return found


def _no_meta(place: Path) -> str:
    (_version(place) / "meta.yaml").unlink()
    return "churn/1"


def _cut_meta(place: Path) -> str:
    meta = _version(place) / "meta.yaml"
    meta.write_bytes(meta.read_bytes()[:30])
    return "churn/1"


def _empty_meta(place: Path) -> str:
    (_version(place) / "meta.yaml").write_text("")
    return "churn/1"


def _other_meta(place: Path) -> str:
    shutil.copy(_version(place, number=2) / "meta.yaml", _version(place) / "meta.yaml")
    return "churn/1"


def _linked_meta(place: Path) -> str:
    meta = _version(place) / "meta.yaml"
    meta.rename(meta.with_name("other.yaml"))
    meta.symlink_to("other.yaml")
    return "churn/1"


def _bomb(place: Path) -> str:
    (_version(place) / "meta.yaml").write_text("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    return "churn/1"


def _pending(place: Path) -> str:
    meta = _version(place) / "meta.yaml"
    meta.write_text(meta.read_text().replace("READY", "FAILED_REGISTRATION"))
    return "churn/1"


def _gone(place: Path) -> str:
    shutil.rmtree(_files(place))
    return "churn/1"


def _hollow(place: Path) -> str:
    for path in _files(place).rglob("*"):
        if path.is_file():
            path.unlink()
    return "churn/1"


def _no_mlmodel(place: Path) -> str:
    (_files(place) / "MLmodel").unlink()
    return "churn/1"


def _cut_mlmodel(place: Path) -> str:
    (_files(place) / "MLmodel").write_text("flavors: {python_function: {")
    return "churn/1"


def _linked_file(place: Path) -> str:
    (_files(place) / "secret").symlink_to("/etc/passwd")
    return "churn/1"


def _linked_folder(place: Path) -> str:
    (_files(place) / "more").symlink_to(place)
    return "churn/1"


def _linked_param(place: Path) -> str:
    (_run_of(place) / "params/secret").symlink_to("/etc/passwd")
    return "churn/1"


def _fifo(place: Path) -> str:
    os.mkfifo(_files(place) / "pipe")
    return "churn/1"


def _bad_name(place: Path) -> str:
    put(_files(place) / "a\x1b[31mb", "x")
    return "churn/1"


def _bad_metric(place: Path) -> str:
    put(_run_of(place) / "metrics/auc", "yesterday it was fine\n")
    return "churn/1"


def _cut_run(place: Path) -> str:
    put(_run_of(place) / "meta.yaml", "run_id: [")
    return "churn/1"


class TestFileStore(SourceContract):
    DAMAGES: ClassVar[Mapping[str, Callable[[Path], str]]] = {
        "its meta.yaml is missing": _no_meta,
        "its meta.yaml is cut off": _cut_meta,
        "its meta.yaml is empty": _empty_meta,
        "its meta.yaml is another version's": _other_meta,
        "its meta.yaml is a link": _linked_meta,
        "its meta.yaml is made of aliases": _bomb,
        "it is not ready": _pending,
        "its files are gone": _gone,
        "its folder is empty": _hollow,
        "it has no MLmodel": _no_mlmodel,
        "its MLmodel is cut off": _cut_mlmodel,
        "a file of it is a link": _linked_file,
        "a folder of it is a link": _linked_folder,
        "a parameter is a link": _linked_param,
        "a file of it is a pipe": _fifo,
        "a file of it has a name that harms": _bad_name,
        "a metric is damaged": _bad_metric,
        "its run is cut off": _cut_run,
    }

    def fill(self, place: Path) -> None:
        file_store(place)

    def made(self, place: Path, naming: Naming) -> MlflowSource:
        return MlflowSource(str(place), naming)


class TestTrackingServer(SourceContract):
    """The same store by REST."""

    @pytest.fixture(autouse=True)
    def _servers(self) -> Iterator[None]:
        self.open: dict[Path, tuple[object, Double]] = {}
        yield
        for holding, _ in self.open.values():
            holding.__exit__(None, None, None)  # type: ignore[attr-defined]

    def fill(self, place: Path) -> None:
        file_store(place)

    def made(self, place: Path, naming: Naming) -> MlflowSource:
        if place not in self.open:
            holding = serving(place)
            self.open[place] = holding, holding.__enter__()
        return MlflowSource(self.open[place][1].url, naming)


def survey(place: Path) -> Survey:
    return MlflowSource(str(place), Naming("demo", {})).survey()


def test_what_comes_of_a_version(tmp_path: Path) -> None:
    file_store(tmp_path)
    first, second, old, _ = survey(tmp_path).versions
    assert (first.item, first.model, first.version) == ("churn/1", CHURN, Version(1, 0, 0))
    assert (dict(first.metrics), dict(second.metrics)) == ({"auc": 0.1}, {"auc": 0.2, "test/loss": 0.25})
    run = first.run["run"]
    assert run["metrics"]["test/loss"] == {"value": "nan", "step": 0, "at": "2026-11-21T19:05:58.790Z"}
    assert run["params"] == {"C": "1", "grid/depth": "[1, 2]"}
    assert (run["git_commit"], run["experiment"], run["status"], run["user"]) == (
        "c" * 40,
        "fitting",
        "FINISHED",
        "ada",
    )
    assert run["tags"]["mlflow.source.git.repoURL"] == "https://example.org/churn.git"
    assert "hunter2" not in json.dumps(first.run)
    assert (first.run["stage"], first.run["tags"], first.run["version"]) == ("Archived", {"validated": "yes"}, "1")
    assert first.run["registered_model"]["description"] == "Who leaves\nand why é"
    assert first.run["signature"]["inputs"] == [{"type": "double", "name": "age", "required": True}]
    assert first.run["logged_model"]["params"] == {"C": "1"}
    assert (first.run["flavors"], first.run["mlflow_version"]) == (["python_function", "sklearn"], "3.17.2")
    assert (first.run["created_at"], first.run["created_by"]) == ("2026-11-21T19:05:58.791Z", "ada")
    assert (old.model, old.run["logged_model"]) == (FRAUD, None)


def test_what_points_at_versions(tmp_path: Path) -> None:
    file_store(tmp_path)
    found = [(it.item, it.alias, it.version.major) for it in survey(tmp_path).aliases]
    assert found == [
        ("churn#Production", Alias("prod"), 2),
        ("churn@Current", Alias("current"), 1),
        ("churn@champion", Alias("champion"), 2),
        ("fraud#Staging", Alias("staging"), 2),
    ]


def test_files_come_byte_for_byte(tmp_path: Path) -> None:
    file_store(tmp_path)
    source = MlflowSource(f"file://{tmp_path}/mlruns", Naming("demo", {}))
    first = source.survey().versions[0]
    out = tmp_path / "out"
    out.mkdir()
    source.fetch(first, out)
    there = {it.relative_to(_files(tmp_path)).as_posix(): it.read_bytes() for it in _files(tmp_path).rglob("*.*")}
    there["MLmodel"] = (_files(tmp_path) / "MLmodel").read_bytes()
    assert {
        it.relative_to(out / "model").as_posix(): it.read_bytes() for it in (out / "model").rglob("*") if it.is_file()
    } == there
    history = json.loads((out / HISTORY).read_bytes())
    assert [it["value"] for it in history["auc"]["points"]] == [0.4, 0.1]
    assert history.keys() == {"auc"}


def test_a_file_store_that_was_moved_is_read_where_it_lies_now(tmp_path: Path) -> None:
    file_store(tmp_path / "before")
    before = survey(tmp_path / "before")
    (tmp_path / "before").rename(tmp_path / "after")
    after = survey(tmp_path / "after")
    assert after.troubles == ()
    assert [(it.fingerprint, it.size) for it in after.versions] == [(it.fingerprint, it.size) for it in before.versions]


def test_a_run_that_is_gone_costs_what_only_it_knew(tmp_path: Path) -> None:
    file_store(tmp_path)
    shutil.rmtree(_run_of(tmp_path))
    found = survey(tmp_path)
    assert len(found.versions) == 4
    assert found.versions[0].run["run"]["missing"] is True
    assert dict(found.versions[0].metrics) == {"auc": 0.5}  # of the logged model
    (trouble,) = found.troubles
    assert trouble.item.startswith("churn/1 (run ")
    assert isinstance(trouble.error, NotFound)


def test_a_run_in_the_bin_is_known_as_such(tmp_path: Path) -> None:
    file_store(tmp_path)
    meta = _run_of(tmp_path) / "meta.yaml"
    meta.write_text(meta.read_text().replace("active", "deleted"))
    found = survey(tmp_path)
    assert found.troubles == ()
    assert found.versions[0].run["run"]["lifecycle"] == "deleted"


def test_of_a_run_with_several_models_each_has_its_own_figures(tmp_path: Path) -> None:
    file_store(tmp_path)
    put(_run_of(tmp_path) / "outputs/m-other/meta.yaml", "step: 1\n")
    assert dict(survey(tmp_path).versions[0].metrics) == {"auc": 0.5}


def test_an_alias_of_what_does_not_come_is_named(tmp_path: Path) -> None:
    file_store(tmp_path)
    _gone(tmp_path)
    put(tmp_path / "mlruns/models/churn/aliases/lost", "7")
    troubles = {it.item: it.error for it in survey(tmp_path).troubles}
    assert troubles.keys() == {"churn/1", "churn@Current", "churn@lost"}
    put(tmp_path / "mlruns/models/churn/aliases/lost", "seven")
    assert {it.item for it in survey(tmp_path).troubles} == {"churn"}


def test_a_folder_that_is_no_model_is_left_unread(tmp_path: Path) -> None:
    file_store(tmp_path)
    put(tmp_path / "private/key", "secret")
    meta = _version(tmp_path, "fraud") / "meta.yaml"
    text = meta.read_text()
    for place in (f"file://{tmp_path}/private", f"{tmp_path}/mlruns/../private", "private", "ftp://x/y", "dbfs:/x"):
        lines = [f"{key}: {place}" for key in ("source", "storage_location")]
        kept = [line for line in text.splitlines() if not line.startswith(("source", "storage_location"))]
        meta.write_text("\n".join([*kept, *lines]))
        (trouble,) = [it for it in survey(tmp_path).troubles if it.item == "fraud/1"]
        assert isinstance(trouble.error, InvalidInput), place
        if place.endswith("private"):
            assert "so it is no model" in trouble.error.message or "no absolute path" in trouble.error.message


@pytest.mark.parametrize(
    ("location", "error", "words"),
    [
        ("nowhere", NotFound, "no folder"),
        ("empty", InvalidInput, "no file store"),
        ("sqlite:///mlflow.db", InvalidInput, "mlflow server --backend-store-uri sqlite:///mlflow.db"),
        ("mlflow.db", InvalidInput, "mlflow server --backend-store-uri sqlite:///mlflow.db"),
        ("postgresql://ada:hunter2@db/mlflow", InvalidInput, "postgresql://db/mlflow"),
        ("http://", InvalidInput, "URL"),
        ("http://host:port", InvalidInput, "URL"),
    ],
)
def test_what_is_no_mlflow_is_refused(location: str, error: type[ArtregError], words: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    place = location if ":" in location or location.endswith(".db") else str(tmp_path / location)
    with pytest.raises(error) as raised:
        MlflowSource(place, Naming("demo", {}))
    said = f"{raised.value.message} {raised.value.hint}"
    assert words in said
    assert "hunter2" not in said


def test_files_in_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    monkeypatch.setattr(mlflow_artifacts, "_BUCKETS", {"memory"})
    memory = fsspec.filesystem("memory", skip_instance_cache=True)
    memory.pipe({"/bucket/model/MLmodel": b"flavors: {}", "/bucket/model/data/a.bin": b"bytes"})
    found = opened("memory://bucket/model")
    assert isinstance(found, BucketArtifacts)
    assert found.sizes() == {"MLmodel": 11, "data/a.bin": 5}
    assert found.read("MLmodel", 100) == b"flavors: {}"
    with (tmp_path / "a").open("wb+") as file, pytest.raises(IntegrityError):
        found.copy("data/a.bin", 4, file)
    with pytest.raises(NotFound):
        opened("memory://bucket/nothing").sizes()
    with pytest.raises(InvalidInput, match="larger"):
        found.read("MLmodel", 3)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """Serve a store, to clients that do not wait."""
    file_store(tmp_path)
    monkeypatch.setattr(mlflow_server, "_PAUSES_S", (0.001,) * 5)
    with serving(tmp_path) as double:
        yield double


def told(server: Double, **secrets: str) -> Survey:
    user = f"{secrets['user']}:{secrets['password']}@" if secrets else ""
    return MlflowSource(server.url.replace("//", f"//{user}"), Naming("demo", {})).survey()


def test_a_server_tells_what_its_store_holds(server: Double, tmp_path: Path) -> None:
    ours, theirs = told(server), survey(tmp_path)
    assert ours == theirs


def test_credentials_go_to_the_server_and_nowhere_else(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    source = MlflowSource(server.url.replace("//", "//ada:hunter2@"), Naming("demo", {}))
    assert source.location == server.url
    source.survey()
    assert {it["authorization"] for it in server.sent} == {"Basic YWRhOmh1bnRlcjI="}
    server.sent.clear()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    told(server)
    assert {it["authorization"] for it in server.sent} == {"Bearer t0ken"}
    server.faults.append(lambda handler, path: handler.tell({}, 302, Location="http://127.0.0.1:1/") is None)
    with pytest.raises(StorageError, match="elsewhere"):
        told(server)
    server.faults[:] = [lambda handler, path: handler.tell({"error_code": "X", "message": "m"}, 401) is None]
    with pytest.raises(StorageError) as raised:
        told(server, user="ada", password="hunter2")
    assert "hunter2" not in f"{raised.value.message} {raised.value.hint}"
    assert "MLFLOW_TRACKING_USERNAME" in raised.value.hint


def _every_third(server: Double) -> Callable[[Handler, str], bool]:
    """Fail in every way there is, a third of the time."""
    turn = iter(range(10**9))

    def fail(handler: Handler, path: str) -> bool:
        now = next(turn)
        if now % 3:
            return False
        if now % 4 == 0:
            handler.tell({"error_code": "INTERNAL_ERROR", "message": "x"}, 500)
        elif now % 4 == 1:
            handler.tell({}, 429, Retry_After="0")
        elif now % 4 == 2:
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"{")
            handler.close_connection = True
        else:
            handler.close_connection = True
        return True

    return fail


def test_a_server_that_fails_and_comes_back_costs_nothing(server: Double, tmp_path: Path) -> None:
    server.faults.append(_every_third(server))
    naming = Naming("demo", {})
    source = MlflowSource(server.url, naming)
    result = bring_all(new_registry(), source, naming)
    assert (result.troubles, result.stopped, len(result.imported)) == ((), None, 4)


def test_a_download_that_breaks_off_begins_again(
    server: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_server, "_PIECE", 4)
    left = [b"the pickle of ch", b"the wrong pickle"]

    def break_off(handler: Handler, path: str) -> bool:
        if not path.endswith("/model.pkl") or not left:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", "21")
        handler.end_headers()
        handler.wfile.write(left.pop())
        handler.close_connection = True
        return True

    server.faults.append(break_off)
    source = MlflowSource(server.url, Naming("demo", {}))
    (tmp_path / "out").mkdir()
    source.fetch(source.survey().versions[0], tmp_path / "out")
    assert left == []
    assert (tmp_path / "out/model/model.pkl").read_bytes() == b"the pickle of churn 1"


def test_a_server_that_stays_away_is_given_up(server: Double) -> None:
    source = MlflowSource(server.url, Naming("demo", {}))
    server.faults.append(lambda handler, path: handler.tell({}, 503) is None)
    with pytest.raises(StorageError, match="does not answer: HTTP 503"):
        source.survey()
    assert len(server.asked) == 6


def test_a_server_that_breaks_off_a_download_is_gone_on_with_later(server: Double) -> None:
    naming, registry = Naming("demo", {}), new_registry()
    down = [lambda handler, path: "model.pkl" in path and handler.tell({}, 503) is None]
    server.faults[:] = down
    first = bring_all(registry, MlflowSource(server.url, naming), naming)
    assert {it.item for it in first.troubles} >= {"churn/1", "churn/2", "fraud/1", "fraud/2"}
    assert first.imported == ()
    server.faults[:] = []
    again = bring_all(registry, MlflowSource(server.url, naming), naming)
    assert (again.troubles, len(again.imported)) == ((), 4)


def _listing(*more: dict[str, object]) -> Callable[[Handler, str], bool]:
    """List a model, and something that does harm."""
    files = [{"path": "MLmodel", "is_dir": False, "file_size": len(MLMODEL)}, *more]
    return lambda handler, path: "artifacts?path" in path and handler.tell({"files": files}) is None


HOSTILE: dict[str, Callable[[Handler, str], bool]] = {
    "a name that climbs": _listing({"path": "../../evil", "is_dir": False, "file_size": 1}),
    "a name that is absolute": _listing({"path": "/etc/passwd", "is_dir": False, "file_size": 1}),
    "two dots": _listing({"path": "..", "is_dir": True}),
    "a folder in itself": _listing({"path": "a", "is_dir": True}),
    "no names": _listing({"file_size": 7}),
    "a name that writes on a terminal": _listing({"path": "a\x1b[31mb", "file_size": 7}),
    "no list": lambda handler, path: "artifacts?path" in path and handler.tell({"files": {"a": 1}}) is None,
    "files elsewhere": lambda handler, path: (
        "get-download-uri" in path and handler.tell({"artifact_uri": "mlflow-artifacts://evil.example/x"}) is None
    ),
    "files above": lambda handler, path: (
        "get-download-uri" in path and handler.tell({"artifact_uri": "mlflow-artifacts:/a/../../b"}) is None
    ),
    "files of this machine": lambda handler, path: (
        "get-download-uri" in path and handler.tell({"artifact_uri": "/etc"}) is None
    ),
    "files nowhere": lambda handler, path: "get-download-uri" in path and handler.tell({"artifact_uri": ""}) is None,
    "a run that is no object": lambda handler, path: "runs/get" in path and handler.tell({"run": []}) is None,
    "another run": lambda handler, path: (
        "runs/get" in path and handler.tell({"run": {"info": {"run_id": "x"}, "data": {}}}) is None
    ),
    "metrics that are none": lambda handler, path: (
        "runs/get" in path
        and handler.tell({"run": {"info": {"run_id": path.rpartition("=")[2]}, "data": {"metrics": [{"value": []}]}}})
        is None
    ),
    "no MLmodel but a page": lambda handler, path: path.endswith("/MLmodel") and handler.give(b"<html>" * 80) is None,
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_answer_is_named_version_by_version(
    harm: str, server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_artifacts, "_DEEPEST", 4)
    server.faults.append(HOSTILE[harm])
    found = told(server)
    assert found.versions == ()
    versions = {it.item for it in found.troubles if "/" in it.item}
    assert versions == {"churn/1", "churn/2", "fraud/1", "fraud/2"}
    assert all(isinstance(it.error, ArtregError) for it in found.troubles)


@pytest.mark.parametrize(
    "answer",
    [b"<html>no MLflow</html>", b"[]", b'{"registered_models": 7}', b'{"registered_models": [7]}', b"[" * 100_000],
)
def test_what_no_mlflow_answers_is_refused(answer: bytes, server: Double) -> None:
    server.faults.append(lambda handler, path: handler.give(answer) is None)
    with pytest.raises(StorageError, match="no MLflow answers"):
        told(server)


def test_a_page_that_never_ends_is_left(server: Double) -> None:
    server.faults.append(lambda handler, path: handler.tell({"next_page_token": "again"}) is None)
    with pytest.raises(StorageError, match="no MLflow answers"):
        told(server)


def test_a_huge_answer_is_not_taken(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_server, "_ANSWER_LIMIT", 1000)
    server.faults.append(lambda handler, path: handler.give(b" " * 2000) is None)
    with pytest.raises(StorageError, match="larger than 1,000 bytes"):
        told(server)


@pytest.mark.parametrize("token", ["s3cr3t\n", "s3cr3t\u2603", "s3cr3t\x01"])
def test_a_token_that_no_header_can_hold_is_not_repeated(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    with pytest.raises(InvalidInput, match="MLFLOW_TRACKING_TOKEN") as caught:
        MlflowServer("http://127.0.0.1:1")
    assert "s3cr3t" not in f"{caught.value.message}{caught.value.hint}"


def test_a_proxy_is_told_who_asks_and_one_that_is_none_is_refused(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//me:s3%63r3t@"))
    with suppress(ArtregError):
        MlflowServer("http://mlflow.invalid", pause=lambda _: None).get("x")
    assert server.sent[-1]["proxy-authorization"] == "Basic bWU6czNjcjN0"
    monkeypatch.setenv("http_proxy", "socks5://me:s3cr3t@127.0.0.1")
    with pytest.raises(InvalidInput, match="none of HTTP"):
        MlflowServer("http://mlflow.invalid")


def test_a_server_that_does_not_prove_who_it_is_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    certificate = self_signed(tmp_path)
    with certified(certificate, BaseHTTPRequestHandler) as url:
        with pytest.raises(StorageError, match="does not prove who it is: self-signed certificate"):
            MlflowServer(url, pause=waited.append).get("x")
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
        with pytest.raises(StorageError, match="HTTP 501"):
            MlflowServer(url, pause=waited.append).get("x")
    assert waited == []


@pytest.mark.parametrize("head", [True, False])
def test_a_server_that_drips_is_given_up(head: bool, server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line, or byte by byte, for ever, each of them long before any time-out of a socket."""
    monkeypatch.setattr(mlflow_connection, "PACE", Pace(0.05, 2**20))
    monkeypatch.setattr(mlflow_server, "_PAUSES_S", ())

    def drip(handler: Handler, path: str) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**40))
        handler.flush_headers() if head else handler.end_headers()
        with suppress(ConnectionError):
            while True:
                handler.wfile.write(b"X-Slow: 1\r\n" if head else b" ")
                time.sleep(0.01)
        return True

    server.faults.append(drip)
    with pytest.raises(StorageError, match="next to nothing"):
        told(server)


@pytest.mark.parametrize("size", [b"the pickle", b"the pickle of churn 1 and more and more"])
def test_a_file_that_is_not_as_long_as_it_was_listed_does_not_come(size: bytes, server: Double) -> None:
    naming = Naming("demo", {})
    server.faults.append(lambda handler, path: path.endswith("/model.pkl") and handler.give(size) is None)
    result = bring_all(new_registry(), MlflowSource(server.url, naming), naming)
    assert result.imported == ()
    assert {it.error.code for it in result.troubles if it.item == "churn/1"} == {"integrity"}
