"""Progress bars on a terminal, for whatever takes longer than a moment."""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from artreg.cli.view import printable

_A_MOMENT = 0.5
"""Seconds after which a step that is still not done gets a bar."""

_A_TICK = 0.1
"""Seconds from one look of a bar to the next."""


class Bars:
    """Opens one bar a step, on stderr, gone when the step is done."""

    def step(self, label: str, total: int, *, unit: str = "bytes") -> Bar:
        """Begin a step; its bar appears only if it lasts."""
        return Bar(label, total, unit)


class Bar:
    """Counts one step: how much, how long still, and how fast if it is bytes."""

    def __init__(self, label: str, total: int, unit: str = "bytes") -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done, self._shown = 0, time.monotonic()
        self._bars: Progress | None = None
        self._wait = _A_MOMENT
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        """Count so much more; it is shown now and then, for hashing tells of thousands of pieces a second."""
        with self._lock:  # several threads hash
            self._done += count
            if self._done >= self._total:
                self._stop()
            elif (now := time.monotonic()) - self._shown > self._wait:
                self._show()
                self._shown, self._wait = now, _A_TICK

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _show(self) -> None:
        if self._bars is None:
            self._bars = _bars(self._unit)
            self._bars.start()
            self._bars.add_task(printable(self._label), total=self._total)
        self._bars.update(self._bars.task_ids[0], completed=self._done)

    def __del__(self) -> None:
        self._stop()


def _bars(unit: str) -> Progress:
    counts: tuple[ProgressColumn, ...] = (
        (DownloadColumn(), TransferSpeedColumn())
        if unit == "bytes"
        else (MofNCompleteColumn(), TextColumn(unit, markup=False))
    )
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *counts,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
