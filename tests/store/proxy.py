"""An HTTP proxy that breaks answers: a share of them, decided by a seed, or those that a test names."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers and body."""

Breaking = Callable[["Exchange"], "Answer | None"]
"""Decides what a client is told in the place of the answer; None if what was told is all."""

MODES = ("reset", "hang", "error", "refuse")
"""What happens to an answer: the connection is reset, stays silent, or an error comes, after the effect or instead."""


class Proxy:
    """Passes requests on to `target`; a context manager.

    Args:
        target: Where to.
        share: How many of the answers break.
        seed: What decides which.
        modes: In which ways.
        only: Which requests may break, by method and path.
    """

    def __init__(
        self,
        target: str,
        share: float = 0.0,
        seed: int = 0,
        modes: tuple[str, ...] = MODES,
        only: Callable[[str, str], bool] = lambda method, path: True,
    ) -> None:
        self._target = urlsplit(target).netloc
        self._random = random.Random(seed)
        self._turn = threading.Lock()
        self._share = share
        self._modes = modes
        self._only = only
        self.broken = 0
        self.breaking: Callable[[int, str, str], Breaking | None] = lambda number, method, path: None
        self.seen: list[tuple[str, str]] = []
        self.connections = 0
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Proxy:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def verdict(self, method: str, path: str) -> str:
        """How this request is broken; '' for not at all."""
        with self._turn:
            self.seen.append((method, path))
            if not self._only(method, path) or self._random.random() >= self._share:
                return ""
            self.broken += 1
            return self._random.choice(self._modes)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, list, bytes]:
        connection = http.client.HTTPConnection(self._target, timeout=30)
        try:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def answer(self, request: _Handler) -> Answer | None:
        """What `request` is told; None if it is told nothing."""
        mode = self.verdict(request.command, request.path)
        breaking = self.breaking(len(self.seen), request.command, request.path)
        if breaking is not None:
            self.broken += 1
            return breaking(Exchange(self, request))
        body = request.body()
        if mode == "refuse":
            return 500, [], b""
        status, headers, data = self.pass_on(request.command, request.path, dict(request.headers), body)
        if mode == "reset":
            return request.reset()
        if mode == "hang":
            self.ended.wait()
            return None
        return (500, [], b"") if mode == "error" else (status, headers, data)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(_Handler):
            def setup(self) -> None:
                super().setup()
                proxy.connections += 1

            def handle_any(self) -> None:
                if self.headers.get("Expect", "").lower() == "100-continue":
                    del self.headers["Expect"]  # the base class has answered it already
                answer = proxy.answer(self)
                if answer is None:
                    self.close_connection = True
                else:
                    self.reply(*answer)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

        return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away, as they are made to."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Exchange:
    """One request, for whoever breaks its answer.

    Args:
        proxy: Passes it on.
        request: The request.
    """

    def __init__(self, proxy: Proxy, request: _Handler) -> None:
        self.proxy = proxy
        self.request = request
        self.method = request.command
        self.path = request.path

    def take_effect(self) -> Answer:
        """Pass the request on, and return what it should be told."""
        return self.proxy.pass_on(self.method, self.path, dict(self.request.headers), self.request.body())

    def swallow(self) -> None:
        """Read the request, and pass nothing on."""
        self.request.body()

    def be_silent(self) -> None:
        """Say nothing until the test is over, or the client has gone."""
        self.request.connection.settimeout(0.01)
        while not self.proxy.ended.is_set():
            try:
                if not self.request.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def reset(self) -> None:
        """Cut the connection."""
        self.request.reset()

    def take_half(self) -> None:
        """Read half of what the client sends."""
        self.request.rfile.read(int(self.request.headers.get("Content-Length") or 0) // 2)

    def send(self, answer: Answer, *, until: int | None = None, pause: float = 0.0) -> None:
        """Send an answer in full, or its first bytes only; with pauses, byte by byte."""
        status, headers, data = answer
        with contextlib.suppress(OSError):
            self.request.head(status, headers, len(data))
        for piece in (data[:until],) if not pause else (data[at : at + 1] for at in range(len(data))):
            try:
                self.request.wfile.write(piece)
            except OSError:
                return
            if pause and self.proxy.ended.wait(pause):
                return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def reply(self, status: int, headers: list, data: bytes) -> None:
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(data)))
        with contextlib.suppress(OSError):  # the client may have gone
            self.head(status, headers, length if self.command == "HEAD" else len(data))
            self.wfile.write(data)

    def head(self, status: int, headers: list, length: object) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass
