"""What a command shows to a person, as plain data: which of it is said how is the output's affair."""

from __future__ import annotations

from enum import Enum

from artreg.frozen import Frozen


class Tone(Enum):
    """How a line is meant; a terminal may show it by colour."""

    PLAIN = ""
    GOOD = "green"
    BAD = "red"
    DIM = "dim"
    STRONG = "bold"


class Line(Frozen):
    """One line of text."""

    text: str
    tone: Tone = Tone.PLAIN


class Fields(Frozen):
    """Names with their values, one pair a line."""

    rows: tuple[tuple[str, str], ...]


class Table(Frozen):
    """Rows under headings.

    Attributes:
        columns: The headings.
        rows: As many cells each as there are headings.
        title: What stands above, or ''.
        numeric: Which columns are numbers, and stand flush right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    numeric: frozenset[int] = frozenset()


Block = Line | Fields | Table


def printable(text: str) -> str:
    """Return `text` with whatever could disturb or deceive a terminal (controls, escapes, bidi marks) escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def human_bytes(count: int) -> str:
    """Return a number of bytes as people write it."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min((len(str(count)) - 1) // 3, len(units) - 1)
    return f"{count} B" if power == 0 else f"{count / 1000**power:.1f} {units[power]}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
