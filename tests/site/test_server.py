"""The server: who is let in, what is answered, and what is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from artreg.errors import InvalidInput, StorageError
from artreg.site import CSP
from artreg.site.server import SiteServer


def page(path: str) -> bytes | None:
    if path == "down":
        raise StorageError("the disk <b>is</b> away", hint="put it back")
    if path == "bug":
        raise ZeroDivisionError("no")
    return {"": b"<h1>all</h1>", "models/a b/x.html": b"<h1>one</h1>", "assets/site.css": b"p {}"}.get(path)


@pytest.fixture(scope="module")
def server() -> Iterator[SiteServer]:
    with SiteServer(page, "127.0.0.1", 0) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(
    server: SiteServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=120)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def send(server: SiteServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=120) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/", 200, "text/html; charset=utf-8"),
        ("/?a=b", 200, "text/html; charset=utf-8"),
        ("/models/a%20b/x.html", 200, "text/html; charset=utf-8"),
        ("/assets/site.css", 200, "text/css; charset=utf-8"),
        ("/nothing.html", 404, "text/plain; charset=utf-8"),
        ("/../../etc/passwd", 404, "text/plain; charset=utf-8"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "text/plain; charset=utf-8"),
        ("/assets/%2fetc%2fpasswd", 404, "text/plain; charset=utf-8"),
        ("/%00", 404, "text/plain; charset=utf-8"),
        ("/%ff%fe", 404, "text/plain; charset=utf-8"),
        ("/down", 503, "text/plain; charset=utf-8"),
        ("/bug", 500, "text/plain; charset=utf-8"),
    ],
)
def test_an_answer_says_what_it_is_and_keeps_others_out(server: SiteServer, path: str, status: int, kind: str) -> None:
    found, headers, body = ask(server, path)
    assert (found, headers["content-type"]) == (status, kind)
    assert headers["content-length"] == str(len(body))
    assert headers["content-security-policy"] == f"{CSP}; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["server"] == "artreg"
    assert "access-control-allow-origin" not in headers
    head, head_headers, nothing = ask(server, path, method="HEAD")
    assert (head, nothing) == (status, b"")
    assert head_headers["content-length"] == headers["content-length"]


def test_what_failed_is_said_and_what_to_do(server: SiteServer) -> None:
    assert b"the disk <b>is</b> away\nput it back" in ask(server, "/down")[2]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
def test_only_reading_is_allowed(server: SiteServer, method: str) -> None:
    status, headers, _ = ask(server, "/", method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_it_answers_to_its_own_names(server: SiteServer, host: str) -> None:
    assert ask(server, "/", host=f"{host}:{server.server_port}")[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}", ""]
)
def test_it_answers_to_no_other_name(server: SiteServer, host: str) -> None:
    """A name of somebody else can be made to mean this machine; the browser then takes it for the same origin."""
    status, _, body = ask(server, "/", host=host.format(port=server.server_port) or " ")
    assert status == 421
    assert b"all" not in body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"421"),
        (b"GET / HTTP/1.1\r\nHost: {own}\r\nHost: evil\r\n\r\n", b"421"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"GET //evil.example/x HTTP/1.1\r\nHost: {own}\r\n\r\n", b"404"),
        (b"GET http://[ HTTP/1.1\r\nHost: {own}\r\n\r\n", b"404"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: {own}\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
    ],
)
def test_a_request_that_is_none_gets_an_answer_and_no_page(server: SiteServer, request_: bytes, status: bytes) -> None:
    answer = send(server, request_.replace(b"{own}", f"127.0.0.1:{server.server_port}".encode()))
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert b"<h1>" not in answer
    assert b"Content-Security-Policy" in answer
    assert ask(server, "/")[0] == 200, "it goes on"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.org"])
def test_nobody_else_is_let_in(host: str) -> None:
    with pytest.raises(InvalidInput, match="this machine alone") as error:
        SiteServer(page, host, 0)
    assert "artreg site --out" in error.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_says_where_it_answers(host: str) -> None:
    with SiteServer(page, host, 0) as server:
        name = "[::1]" if host == "::1" else host
        assert server.url == f"http://{name}:{server.server_port}/"


def test_a_port_that_cannot_be_had_is_named(server: SiteServer) -> None:
    for port, why in ((server.server_port, "in use"), (70_000, "no such port")):
        with pytest.raises(InvalidInput, match=f"port {port} of 127.0.0.1 cannot be had.*{why}") as error:
            SiteServer(page, "127.0.0.1", port)
        assert "--port" in error.value.hint
