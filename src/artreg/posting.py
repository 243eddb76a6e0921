"""One POST, which takes no longer than it may: no redirect is followed, and of the answer hardly anything is read.

The request runs in a thread of its own, since a name server, a handshake or an answer that trickles in byte by byte
heeds no time-out of a socket. When the time is up the connection is closed; a request whose connection comes about
later than that is not sent, for it could overtake what is sent after it. No message repeats the URL or the headers.
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
from functools import partial

from artreg import __version__
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_READ = 2048  # bytes of an answer
_SOON = {408, 425, 429}
"""Besides those from 500 on, what may be taken if it is sent again."""


class Answer(Frozen):
    """What a server answered.

    Attributes:
        status: The status, such as 202.
        reason: The words that came with it.
        location: Where it sends instead, or ''.
        after: How many seconds it asks to be left alone, 0 if it does not.
        body: The beginning of what it said, as far as that came.
    """

    status: int
    reason: str
    location: str = ""
    after: float = 0.0
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it took what was sent."""
        return self.status // 100 == 2  # noqa: PLR2004

    @property
    def soon(self) -> bool:
        """Whether it may take it if it is sent again."""
        return self.status in _SOON or self.status // 100 == 5  # noqa: PLR2004


class NoAnswer(Exception):  # told, and never raised beyond whoever posts
    """There was no answer.

    Args:
        message: Why.
        late: Whether it only took too long.
    """

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


def is_header(value: str) -> bool:
    """Return whether a header can hold it; what cannot, such as a key with a line break at its end, errors repeat."""
    return value.isascii() and value.isprintable()


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
    """Send a body; return how it was answered.

    Args:
        url: Where to, by http or https.
        body: The bytes.
        headers: What is said of them.
        timeout: Seconds that the whole may take.

    Raises:
        NoAnswer: Nobody answered in time, or what came is no answer.
    """
    call = _Call()
    thread = threading.Thread(target=call.run, args=(url, body, headers, timeout), daemon=True, name="artreg-post")
    thread.start()
    thread.join(timeout)
    outcome = call.end()
    if outcome is None:
        raise NoAnswer(f"no answer within {timeout:g} s", late=True)
    if isinstance(outcome, NoAnswer):
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


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, _Connection, self._call), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, _SecureConnection, self._call), req)


class _Call:
    """A request on its way."""

    def __init__(self) -> None:
        self._outcome: Answer | NoAnswer | None = None
        self._sockets: list[socket.socket] = []
        self._over = False
        self._lock = threading.Lock()

    def run(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> None:
        """Send the request, and take down how it ended."""
        request = urllib.request.Request(  # noqa: S310  # whoever names a URL takes http and https only
            url, body, {"User-Agent": f"artreg/{__version__}", **headers}, method="POST"
        )
        try:
            with _opener(self).open(request, timeout=timeout) as response:
                self._end_with(_answer(response))
                if not 200 <= response.status < 300:  # noqa: PLR2004
                    with contextlib.suppress(Exception):  # whatever is wrong with what it says, its status stands
                        self._end_with(_answer(response, response.read(_READ)))
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever waits for this thread must be told
            self._end_with(_trouble(error))

    def take(self, connection: socket.socket) -> None:
        """Take a connection into charge, as soon as there is one.

        Raises:
            TimeoutError: It is too late.
        """
        with self._lock:
            if self._over:
                raise TimeoutError("it took too long")
            self._sockets.append(connection.dup())  # TLS takes the other over

    def end(self) -> Answer | NoAnswer | None:
        """Give up what has not ended; return how it ended, None if there was no answer in time."""
        with self._lock:
            self._over = True
            for connection in self._sockets:
                with connection, contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            return self._outcome

    def _end_with(self, outcome: Answer | NoAnswer | None) -> None:
        with self._lock:  # after the end nobody asks any more: it is how the connection ended that was cut off
            self._outcome = outcome


def _opener(call: _Call) -> urllib.request.OpenerDirector:
    """Return what knows http, https and the proxies of the environment, and nothing else: a redirect is an answer."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), urllib.request.UnknownHandler(), _Handler(call)):
        opener.add_handler(handler)
    return opener


def _answer(response: http.client.HTTPResponse, body: bytes = b"") -> Answer:
    headers = response.headers
    after = _after(headers.get("Retry-After", ""))
    return Answer(response.status, response.reason, headers.get("Location", ""), after, body)


def _after(text: str) -> float:
    """Return how many seconds a server asks for: a number, or a time."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _trouble(error: Exception) -> NoAnswer | None:
    """Return why there was no answer; None if there was none in time."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return None
    if isinstance(reason, OSError):
        return NoAnswer(reason.strerror or str(reason) or type(reason).__name__)
    if isinstance(reason, str):  # of a proxy that is none of http
        return NoAnswer(reason)
    return NoAnswer(f"no proper answer: {type(reason).__name__}")
