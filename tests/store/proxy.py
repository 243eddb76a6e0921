"""An HTTP proxy that breaks a share of the answers, decided by a seed."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

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
        self.seen: list[tuple[str, str]] = []
        self.connections = 0
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
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

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list, bytes] | None:
        """What `request` is told; None if it is told nothing."""
        mode = self.verdict(request.command, request.path)
        if mode == "refuse":
            return 500, [], b""
        status, headers, data = self.pass_on(request.command, request.path, dict(request.headers), body)
        if mode == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return None
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
                answer = proxy.answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                if answer is None:
                    self.close_connection = True
                else:
                    self.reply(*answer)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def reply(self, status: int, headers: list, data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(data)))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        pass
