"""How numbers read: to a person at a terminal, and on a page."""

from __future__ import annotations


def figure(value: float) -> str:
    """Return a number as people read it."""
    try:
        return f"{value:.6g}"
    except OverflowError:  # JSON has whole numbers that no float can hold
        return "over 1e308" if value > 0 else "under -1e308"


def human_bytes(count: int) -> str:
    """Return a number of bytes as people write it."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min((len(str(count)) - 1) // 3, len(units) - 1)
    return f"{count} B" if power == 0 else f"{count / 1000**power:.1f} {units[power]}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
