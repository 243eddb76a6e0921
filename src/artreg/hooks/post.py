"""One POST, which takes no longer than it may: no redirect is followed, and of the answer hardly anything is read.

The request runs in a thread of its own, since a name server, a handshake or an answer that trickles in byte by byte
heeds no time-out of a socket. When the time is up the connection is closed; a request whose connection comes about
later than that is not sent, for it could overtake what is sent after it.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from typing import Any

from artreg import __version__
from artreg.hooks.refusal import Refused

_READ = 2048  # bytes of an answer
_SHOWN = 200  # characters of it
_AGAIN = {408, 425, 429}
"""Besides those from 500 on, what may pass if it is tried again."""


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> str:
    """Send a body; return how it was answered, such as `202 Accepted`.

    Args:
        url: Where to.
        body: The bytes.
        headers: What is said of them.
        timeout: Seconds that the whole may take.

    Raises:
        Refused: It was not taken, or nobody knows.
    """
    call = _Call()
    thread = threading.Thread(target=call.run, args=(url, body, headers, timeout), daemon=True, name="artreg-post")
    thread.start()
    thread.join(timeout)
    outcome = call.end()
    if outcome is None:
        raise Refused(f"no answer within {timeout:g} s")
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


class _Connection(http.client.HTTPConnection):
    call: _Call

    def connect(self) -> None:
        super().connect()
        self.call.take(self.sock)


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    """Shakes hands once its connection is taken into charge: what is above in the order of classes comes first."""


def _connection(kind: type[_Connection], call: _Call, host: str, **how: Any) -> _Connection:
    made = kind(host, **how)
    made.call = call
    return made


class _Http(urllib.request.HTTPHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, _Connection, self._call), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, _SecureConnection, self._call), req)


class _Call:
    """A request on its way."""

    def __init__(self) -> None:
        self._outcome: str | Refused | None = None
        self._sockets: list[socket.socket] = []
        self._over = False
        self._lock = threading.Lock()

    def run(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> None:
        """Send the request, and take down how it ended."""
        request = urllib.request.Request(  # noqa: S310  # the hooks file takes http and https only
            url, body, {"User-Agent": f"artreg/{__version__}", **headers}, method="POST"
        )
        outcome: str | Refused | None
        try:
            with _opener(self).open(request, timeout=timeout) as response:
                outcome = _excerpt(f"{response.status} {response.reason}".encode())
        except urllib.error.HTTPError as error:
            with error:
                outcome = _refused(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever waits for this thread must be told
            outcome = _trouble(error)
        with self._lock:  # after the end nobody asks any more: it is how the connection ended that was cut off
            self._outcome = outcome

    def take(self, connection: socket.socket) -> None:
        """Take a connection into charge, as soon as there is one.

        Raises:
            TimeoutError: It is too late.
        """
        with self._lock:
            if self._over:
                raise TimeoutError("it took too long")
            self._sockets.append(connection.dup())  # TLS takes the other over

    def end(self) -> str | Refused | None:
        """Give up what has not ended; return how it ended, None if there was no answer in time."""
        with self._lock:
            self._over = True
            for connection in self._sockets:
                with connection, contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            return self._outcome


def _opener(call: _Call) -> urllib.request.OpenerDirector:
    """Return what knows http, https and the proxies of the environment, and nothing else; a redirect is an error."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Http(call),
        _Https(call),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _refused(error: urllib.error.HTTPError) -> Refused:
    """Return what an answer says that is no success."""
    said = _excerpt(f"{error.code} {error.reason}".encode())
    if error.code // 100 == 3:  # noqa: PLR2004
        where = _excerpt(error.headers.get("Location", "").encode("utf-8", "replace"))
        return Refused(f"{said}: it sends elsewhere, which is not followed: {where}", again=False)
    after = _after(error.headers.get("Retry-After", ""))
    excerpt = _excerpt(error.read(_READ))
    message = f"{said}: {excerpt}" if excerpt else said
    return Refused(message, again=error.code in _AGAIN or error.code // 100 == 5, after=after)  # noqa: PLR2004


def _after(text: str) -> float:
    """Return how many seconds a receiver asks for: a number, or a time."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _excerpt(data: bytes) -> str:
    """Return the beginning of what was answered, in one line."""
    return " ".join(data.decode("utf-8", "replace").split())[:_SHOWN]


def _trouble(error: Exception) -> Refused | None:
    """Return why there was no answer; None if there was none in time."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return None
    if isinstance(reason, OSError):
        return Refused(reason.strerror or str(reason) or type(reason).__name__)
    return Refused(f"no proper answer: {type(reason).__name__}")
