"""Connections that must keep a pace: a limit on silence does not end a server that sends one byte a minute.

A transfer of n bytes may take twice the time that silence may, and a second for each so many bytes besides. What is
small has an end of its own in `artreg.posting`; this is for what may be of any size.
Sending goes by steps, each of which has that time for itself: the time-out of a socket holds for all that one call
sends, so that a large part over a slow line would never get through, however steadily it went.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from typing import Any

from artreg.frozen import Frozen

_STEP = 256 * 2**10


class Pace(Frozen):
    """How slow a transfer may be.

    Attributes:
        silence: Seconds in which something must come, or go.
        slowest: Bytes a second in the long run.
        clock: Tells the seconds that have passed.
    """

    silence: float
    slowest: int
    clock: Callable[[], float] = time.monotonic

    def check(self, since: float, count: int) -> None:
        """Return if `count` bytes since `since` are enough.

        Raises:
            TimeoutError: They are not.
        """
        taken = self.clock() - since
        if taken > 2 * self.silence + count / self.slowest:
            raise TimeoutError(f"{count} bytes in {taken:.0f} s are too slow")


def paced(pool: type, connection: type, pace: Pace) -> type:
    """Return a class of pools whose connections give up on what is too slow.

    Args:
        pool: A class of pools of urllib3, or one made of it.
        connection: The class of its connections.
        pace: Says what is too slow.
    """
    kept = type("PacedConnection", (_Sending, connection), {"pace": pace, "response_class": partial(_Paced, pace)})
    return type("PacedPool", (pool,), {"ConnectionCls": kept})


class _Sending:
    """Half of a connection: sends what is large in steps."""

    pace: Pace

    def send(self: Any, data: Any) -> None:
        """Send bytes, or whatever else `http.client` takes."""
        if self.sock is None or not isinstance(data, bytes | bytearray | memoryview):
            super().send(data)  # type: ignore[misc]  # of a connection, which this is mixed into
            return
        since, view = self.pace.clock(), memoryview(data)
        for start in range(0, len(view), _STEP):
            self.sock.settimeout(self.pace.silence)
            super().send(view[start : start + _STEP])  # type: ignore[misc]  # likewise
            self.pace.check(since, start)


class _Paced(HTTPResponse):
    """An answer whose every byte, from the status on, is looked at for its time."""

    def __init__(self, pace: Pace, sock: Any, *settings: Any, **more: Any) -> None:
        super().__init__(sock, *settings, **more)
        self.fp = io.BufferedReader(_Watched(self.fp.detach(), pace))


class _Watched(io.RawIOBase):
    def __init__(self, raw: Any, pace: Pace) -> None:
        self._raw = raw
        self._pace = pace
        self._since = pace.clock()
        self._come = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        self._come += count or 0
        self._pace.check(self._since, self._come)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
