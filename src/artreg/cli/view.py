"""What a command shows to a person, as plain data: which of it is said how is the output's affair."""

from __future__ import annotations

import re
from enum import Enum

from artreg.frozen import Frozen


class Tone(Enum):
    """How a line is meant; a terminal may show it by colour."""

    PLAIN = ""
    GOOD = "green"
    BAD = "red"
    CARE = "yellow"
    DIM = "dim"
    STRONG = "bold"


class Line(Frozen):
    """One line of text."""

    text: str
    tone: Tone = Tone.PLAIN


class Spans(Frozen):
    """One line of text in several tones.

    Attributes:
        parts: Pieces of it.
        indent: How far a terminal sets in what does not fit into the first line.
    """

    parts: tuple[tuple[str, Tone], ...]
    indent: int = 0


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
        times: Which columns are times; a terminal also says how long ago they were.
        below: Which column may stand below its row where the terminal is too narrow.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    numeric: frozenset[int] = frozenset()
    times: frozenset[int] = frozenset()
    below: int | None = None


Block = Line | Spans | Fields | Table


LONGEST = 10_000
"""Characters of one line that a person is shown; `--json` has the whole."""

LONGEST_CELL = 1_000
"""The same of a cell of a table, whose column is as wide as the longest."""

_INVISIBLE = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
"""What Python takes for printable, but nobody sees: fillers, joiners, variation selectors, a blank of Braille."""


def printable(text: str, longest: int = LONGEST) -> str:
    """Return `text` with whatever could disturb or deceive a terminal escaped, and cut off where it is very long.

    These are controls, escapes, bidi marks, and all signs that take no room or look like a space.
    """
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text) - longest:,} more)"
    if is_visible(text):
        return text
    return "".join(c if is_visible(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def is_visible(text: str) -> bool:
    """Return whether a person sees every sign of a text."""
    return text.isprintable() and (text.isascii() or re.search(_INVISIBLE, text) is None)


def without_credentials(text: str) -> str:
    """Return `text` without what stands for a user or a password in any URL in it."""
    return re.sub(r"(?<!abfs:)(?<!abfss:)//[^/\s@]+@", "//***@", text)
