"""Progress of long operations: told to whoever listens, by default to nobody."""

from __future__ import annotations

from artreg.protocol import Protocol
from artreg.store.interface import NO_PROGRESS, Progress


class Reporter(Protocol):
    """Opens a count for each long step."""

    def step(self, label: str, total: int, *, unit: str = "bytes") -> Progress:
        """Begin a step.

        Args:
            label: What is done, for people.
            total: How much it will count.
            unit: Of what.
        """


class _Silent:
    def step(self, label: str, total: int, *, unit: str = "bytes") -> Progress:
        return NO_PROGRESS


SILENT: Reporter = _Silent()
"""Tells nobody."""
