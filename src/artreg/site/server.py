"""Serves pages on this machine alone, each made when it is asked for.

Any site can make a browser on this machine ask this server. What keeps it from reading the answers is that a request
must name this server as its host (a name of theirs that resolves to 127.0.0.1 does not), that no answer may be used by
another origin, and that pages run no script but their own.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from urllib.parse import unquote

from artreg.errors import ArtregError, InvalidInput
from artreg.site import CSP, media_type

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_IDLE = 30.0  # seconds in which a connection must have said something
_PLAIN = "text/plain; charset=utf-8"
_HEADERS = {
    "Content-Security-Policy": f"{CSP}; frame-ancestors 'none'",  # which a page itself cannot say
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # the next load shows the registry as it is then
}

Page = Callable[[str], bytes | None]
"""Makes what lies under a path of the site, such as `problems.html`, or '' for the first page; None if nothing does."""


class SiteServer(ThreadingHTTPServer):
    """Serves a site until it is shut down.

    Args:
        page: Makes each page.
        host: One of `LOOPBACK`.
        port: Where to listen; 0 for any port that is free.

    Raises:
        InvalidInput: The host is not this machine's own, or the port cannot be had.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, page: Page, host: str, port: int) -> None:
        if host not in LOOPBACK:
            raise InvalidInput(
                f"{host!r} is not this machine alone",
                hint=f"one of {', '.join(LOOPBACK)}; for others: artreg site --out DIR, on a web server of yours",
            )
        self.page = page
        self.address_family = AF_INET6 if ":" in host else AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise InvalidInput(
                f"port {port} of {host} cannot be had: {why}", hint="name another by --port; 0 takes one that is free"
            ) from error
        self._name = f"[{host}]" if ":" in host else host

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._name}:{self.server_port}/"

    @property
    def names(self) -> set[str]:
        """What a request may call it."""
        return {f"{name}:{self.server_port}" for name in ("127.0.0.1", "[::1]", "localhost")}

    def server_bind(self) -> None:
        """Listen, without asking a name server what this machine is called, as the base does."""
        self.allow_reuse_address = True
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # whatever came, the answer bears the headers
    timeout = _IDLE

    def version_string(self) -> str:
        return "artreg"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base's
        pass

    def do_GET(self) -> None:
        """Answer with a page."""
        if self.headers.get_all("Host") not in [[name] for name in self.server.names]:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, f"ask for {self.server.url}")
            return
        path = unquote(self.path.partition("?")[0]).lstrip("/")
        try:
            body = self.server.page(path)
        except ArtregError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{error.message}\n{error.hint}")
        except Exception as error:  # noqa: BLE001  # the next page may well be right
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"a bug in artreg: {type(error).__name__}: {error}")
        else:
            if body is None:
                self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")
            else:
                self._answer(HTTPStatus.OK, body, media_type(path))

    do_HEAD = do_GET  # noqa: N815  # the name is the base's

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the base cannot read, or has no method for."""
        self.close_connection = True
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self._refuse(status, status.phrase)

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._answer(status, f"{status.value} {status.phrase}\n\n{text}\n".encode(errors="replace"), _PLAIN)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
