"""Progress bars on a terminal, for whatever takes longer than a moment."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from artreg.cli.view import printable

_A_MOMENT = 0.5
"""Seconds after which a step that is still not done gets a bar."""


class Bars:
    """Opens one bar a step, on stderr, gone when the step is done."""

    def step(self, label: str, total: int) -> Bar:
        """Begin a step; its bar appears only if it lasts."""
        return Bar(label, total)


class Bar:
    """Counts the bytes of one step: how many, how fast, how long still."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._done, self._began = 0, time.monotonic()
        self._bars: Progress | None = None

    def advance(self, count: int) -> None:
        """Count `count` more bytes."""
        self._done += count
        if self._bars is None and self._done < self._total and time.monotonic() - self._began > _A_MOMENT:
            self._bars = _bars()
            self._bars.start()
            self._bars.add_task(printable(self._label), total=self._total)
        if self._bars is not None:
            self._bars.update(self._bars.task_ids[0], completed=self._done)
            if self._done >= self._total:
                self._bars.stop()
                self._bars = None

    def __del__(self) -> None:
        if self._bars is not None:
            self._bars.stop()


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
