"""What tests let workers do: importable in each of their processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from artreg.errors import NotFound
from artreg.frozen import Frozen

SESSIONS: list[int] = []
"""Of the clusters that tests began; whatever a cluster begins belongs to one of them."""


def square(number: int) -> int:
    return number * number


def process(number: int) -> int:
    return os.getpid()


def fail_on_three(number: int) -> int:
    if number == 3:
        raise NotFound("there is no three", hint="take four", number=3)
    return number


class DieOnce(Frozen):
    """Ends the process that works on the item `fatal` for the first time."""

    mark: Path
    fatal: int

    def __call__(self, number: int) -> int:
        time.sleep(0.02)
        if number == self.fatal:
            try:
                self.mark.touch(exist_ok=False)
            except FileExistsError:
                return number
            os._exit(9)
        return number


def die(number: int) -> int:
    os._exit(9)


class Opened:
    """Counts how often it was unpickled in a process."""

    count = 0

    def __reduce__(self) -> tuple[object, ...]:
        return _opened, ()

    def __call__(self, number: int) -> tuple[int, int]:
        return os.getpid(), Opened.count


def _opened() -> Opened:
    Opened.count += 1
    return Opened()
