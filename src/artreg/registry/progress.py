"""Progress of long operations: told to whoever listens, by default to nobody."""

from __future__ import annotations

from artreg.protocol import Protocol
from artreg.store.interface import NO_PROGRESS, Progress


class Reporter(Protocol):
    """Opens a count of bytes for each long step."""

    def step(self, label: str, total: int) -> Progress:
        """Begin a step.

        Args:
            label: What is done, for people.
            total: Bytes that it will count.
        """


class _Silent:
    def step(self, label: str, total: int) -> Progress:
        return NO_PROGRESS


SILENT: Reporter = _Silent()
"""Tells nobody."""
