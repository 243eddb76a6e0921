"""What stands for objects where a pickle is followed without being run."""

from __future__ import annotations

from typing import Any

from artreg.frozen import Frozen


class Name(Frozen):
    """A function or class that is imported."""

    full: str


class Made(Frozen):
    """What a call returned.

    Attributes:
        by: What was called.
        args: With what.
        state: What was set afterwards, in order.
    """

    by: object
    args: Any
    state: list[Any]


class Table:
    """A dictionary; only its text keys are kept."""

    def __init__(self, names: list[Any], values: list[Any]) -> None:
        self.items: dict[str, Any] = {}
        self.add(names, values)

    def add(self, names: list[Any], values: list[Any]) -> None:
        """Set items."""
        self.items.update((name, value) for name, value in zip(names, values, strict=True) if isinstance(name, str))


class Stuck(Exception):  # what it says is a finding, and never leaves this package
    """A pickle cannot be followed any further."""
