"""Timing one thing against another in turn, so that a machine whose speed drifts does not decide who wins."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Action = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How long one thing takes as a multiple of another.

    Attributes:
        value: The ratio of the medians.
        low: The least ratio of a pair.
        high: The greatest ratio of a pair.
        own: The median of the one in seconds.
        other: The median of the other in seconds.
    """

    value: float
    low: float
    high: float
    own: float
    other: float


@dataclass(frozen=True)
class Result:
    """One goal, and what was reached.

    Attributes:
        section: What it belongs to.
        what: What was timed.
        against: What it was compared with.
        ratio: How long it took as a multiple of that; or, where `more` is better, how fast it was.
        goal: What it is to be.
        more: Whether more is better.
        note: What else is to be said.
    """

    section: str
    what: str
    against: str
    ratio: Ratio
    goal: float
    more: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.ratio.value >= self.goal if self.more else self.ratio.value <= self.goal


def compare(own: Action, other: Action, runs: int, *, between: Action = lambda: None, speed: bool = False) -> Ratio:
    """Time two things in turn.

    Args:
        own: The one.
        other: The other.
        runs: How often each.
        between: What is done before each, without being timed.
        speed: Return how fast the one is compared with the other, instead of how long it takes.
    """
    for action in (own, other):  # so that nobody pays for what only the first run must do
        between()
        action()
    pairs = [(timed(own, between), timed(other, between)) for _ in range(runs)]
    owns, others = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [b / a if speed else a / b for a, b in pairs]
    return Ratio(others / owns if speed else owns / others, min(ratios), max(ratios), owns, others)


def timed(action: Action, between: Action = lambda: None) -> float:
    """Return the seconds that an action takes."""
    between()
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def process(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Action:
    """Return an action that runs a whole process, and fails if that does."""
    settings = {**os.environ, **(environment or {})}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once, not at every start

    def run() -> None:
        subprocess.run(command, cwd=folder, env=settings, check=True, stdout=subprocess.DEVNULL)

    return run


def peak_memory(command: Sequence[str], folder: Path) -> int:
    """Return the most memory in bytes that a process takes, without what it shares."""
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(command))
    return usage.ru_maxrss * 1024
