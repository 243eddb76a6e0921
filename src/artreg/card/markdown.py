"""Markdown of what anybody may have written: a value is seen as it is, and can begin nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from artreg.core.wording import figure

LONGEST = 300
"""Signs of one value that a card shows."""


def code(value: object) -> str:
    """Return a value in a line as a code span, in which nothing means anything; it may stand in a table too."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    shown = "".join(sign if sign.isprintable() and sign != "|" else _escaped(sign) for sign in text)
    shown = shown.replace("<!", "\\x3c!")  # a comment could hide what follows
    if not shown.strip():
        return "(empty)"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def number(value: object) -> str:
    """Return a number as people read it, and anything else as a code span."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return code(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**15 else figure(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; its cells are Markdown already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _escaped(sign: str) -> str:
    """Return a sign as Python writes it; a pipe would part the cells of a table."""
    return "\\x7c" if sign == "|" else sign.encode("unicode_escape").decode("ascii")
