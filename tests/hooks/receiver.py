"""A web server that hooks are sent to, as a process of its own: `receiver.py PORT LOG MANNERS`.

Every request is written to the log, with what became of it, before it is answered. How it is answered stands in the
file MANNERS, which is read at each request: a line for each of the next requests, the last one for all that follow.
"""

from __future__ import annotations

import http.server
import json
import random
import sys
import time
from pathlib import Path


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer of two writes waits for 40 ms
    log: Path
    manners: Path
    chance = random.Random(8)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        manner, _, more = self._manner().partition(" ")
        if manner == "third":
            manner = "500" if self.chance.random() < 1 / 3 else "ok"
        self._write({"manner": manner, "headers": dict(self.headers), "body": body.decode(), "path": self.path})
        self.close_connection = True
        getattr(self, f"be_{manner}", self.be_status)(manner, more)

    def do_GET(self) -> None:
        self._write({"manner": "get", "headers": dict(self.headers), "body": "", "path": self.path})
        self._answer(200, b"")

    def be_ok(self, _manner: str, _more: str) -> None:
        self._answer(202, b"taken")

    def be_status(self, manner: str, more: str) -> None:
        headers = {"Retry-After": more} if more else {}
        self._answer(int(manner), b"no \x1b[31mthanks\x1b[0m " + b"x" * 5000, **headers)

    def be_redirect(self, _manner: str, more: str) -> None:
        status, _, where = more.partition(" ")
        self._answer(int(status), b"", Location=where)

    def be_drop(self, _manner: str, _more: str) -> None:
        self.connection.close()

    def be_garbage(self, _manner: str, _more: str) -> None:
        self.wfile.write(b"\x00\xff what is HTTP?\r\n\r\n" * 100)

    def be_verbose(self, _manner: str, _more: str) -> None:
        self.wfile.write(b"HTTP/1.1 500 \x1b[2J" + b"no " * 20_000 + b"\r\nContent-Length: 0\r\n\r\n")

    def be_trickle(self, _manner: str, _more: str) -> None:
        """Answer byte by byte, each of them long before any time-out of a socket."""
        self.wfile.write(b"HTTP/1.1 202 Accepted\r\n")
        while True:
            self.wfile.write(b"X-Slow: 1\r\n")
            self.wfile.flush()
            time.sleep(0.02)

    def be_broken(self, _manner: str, more: str) -> None:
        """Answer with a body that is none."""
        self.wfile.write(f"HTTP/1.1 {more} X\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n".encode())

    def be_endless(self, _manner: str, more: str) -> None:
        """Answer with a body that goes on for ever, slowly."""
        self.wfile.write(f"HTTP/1.1 {more} X\r\nContent-Length: {2**40}\r\n\r\n".encode())
        while True:
            self.wfile.write(b"x")
            time.sleep(0.02)

    def be_repeating(self, _manner: str, more: str) -> None:
        """Repeat the path, as many servers do."""
        self._answer(int(more), f"Cannot POST {self.path}; nobody is called {self.path.rpartition('/')[2]}".encode())

    def be_hang(self, _manner: str, more: str) -> None:
        """Answer when a file is there, which somebody makes when he has done something else."""
        while not Path(more).exists():
            time.sleep(0.01)
        self._answer(202, b"at last")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _manner(self) -> str:
        lines = self.manners.read_text().splitlines()
        if len(lines) > 1:
            self.manners.write_text("\n".join(lines[1:]))
        return lines[0]

    def _write(self, entry: dict[str, object]) -> None:
        with self.log.open("ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")

    def log_message(self, *_args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_args: object) -> None:
        pass  # whoever sends may well go away


if __name__ == "__main__":
    Receiver.log, Receiver.manners = Path(sys.argv[2]), Path(sys.argv[3])
    with Server(("127.0.0.1", int(sys.argv[1])), Receiver) as server:
        print(server.server_port, flush=True)
        server.serve_forever(poll_interval=0.05)
