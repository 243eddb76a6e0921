"""How a table is laid out on a terminal that is only so wide: nothing is cut off, long cells are folded.

Where it is too wide, times no longer say how long ago they were, and the column that may stand below its row goes there
unless enough room is left for it; then the widest columns are folded, line by line. Where even that is too wide, cells
stand one below the other.
"""

from __future__ import annotations

from itertools import zip_longest

from artreg.cli.lettering import ago, folded, legible, padded, width_of
from artreg.cli.view import LONGEST_CELL, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

Piece = tuple[str, str]
"""Some text, and the style of it."""

_GAP = "  "
_NARROWEST = 10  # no column is folded further
_ROOM = 24  # where a column has less than that beside the others, it goes below
_HEAD = "dim"
_TONES = {
    "pass": "green",
    "ok": "green",
    "same": "green",
    "newest": "green",
    "better": "green",
    "stable": "green",
    "prod": "bold",
    "FAIL": "bold red",
    "DAMAGED": "bold red",
    "UNSIGNED": "bold red",
    "different": "bold red",
    "worse": "bold red",
    "drifted": "bold red",
    "yanked": "bold red",
    "yank": "bold red",
    "rollback": "yellow",
    "fence": "yellow",
    "freeze": "yellow",
    "frozen": "yellow",
    "unknown": "yellow",
    "shifted": "yellow",
    "confirm": "dim",
}
"""How a word of a cell is coloured, where the cell says just this, or this and more with commas between."""


def laid_out(table: Table, width: int, encoding: str, now: datetime) -> Iterator[list[Piece]]:
    """Yield the lines of a table.

    Args:
        table: The table.
        width: How many cells of the terminal a line may take.
        encoding: What the terminal understands.
        now: What times are told from.
    """
    if table.title:
        yield [(legible(table.title, encoding), "bold")]
    columns = [
        [legible(cell, encoding, LONGEST_CELL) for cell in cells]
        for cells in zip(table.columns, *table.rows, strict=True)
    ]
    told, below = _chosen(table, columns, width, now)
    widths = _shrunk(told, width, fixed=table.numeric | table.times)
    if _total(widths) > width:
        yield from _one_below_the_other(columns, width)
        return
    for place, row in enumerate(zip(*told, strict=True)):
        lines = [
            [""] if room is None else [cell] if width_of(cell) <= room else folded(cell, room)
            for cell, room in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*lines, fillvalue=""):
            yield _line(parts, widths, table.numeric, head=place == 0)
        if below and below[place] and place:
            room = max(width - len(_GAP), _NARROWEST)
            yield from ([(_GAP, ""), *style_of(line)] for line in folded(below[place], room))


def _one_below_the_other(columns: list[list[str]], width: int) -> Iterator[list[Piece]]:
    """Yield each cell with its heading in a line of its own, for terminals as narrow as a telephone."""
    names = [column[0] for column in columns]
    room = max(map(width_of, names))
    for place, row in enumerate(zip(*(column[1:] for column in columns), strict=True)):
        if place:
            yield []
        for name, cell in zip(names, row, strict=True):
            lines = folded(cell, max(width - room - len(_GAP), _NARROWEST)) if cell else []
            for number, line in enumerate(lines):
                yield [(padded("" if number else name, room) + _GAP, _HEAD), *style_of(line)]


def style_of(cell: str) -> list[Piece]:
    """Return a cell in pieces, each with the style of what it says."""
    if cell in _TONES:
        return [(cell, _TONES[cell])]
    words = cell.split(", ")
    if not any(word in _TONES for word in words):
        return [(cell, "")]
    pieces = [piece for word in words for piece in ((", ", ""), (word, _TONES.get(word, "")))]
    return pieces[1:]


def _chosen(
    table: Table, columns: list[list[str]], width: int, now: datetime
) -> tuple[list[list[str]], list[str] | None]:
    """Return the columns as they stand beside each other, and what stands below each row."""
    aged = [
        [cell and f"{cell} ({when})" if (when := ago(cell, now)) else cell for cell in column]
        if place in table.times
        else column
        for place, column in enumerate(columns)
    ]
    if table.below is None:
        return (aged if _total(_widths(aged)) <= width else columns), None
    for told in (aged, columns):
        if _total([_ROOM if place == table.below and it else it for place, it in enumerate(_widths(told))]) <= width:
            return told, None
    emptied = [""] * len(columns[0])
    for told in (aged, columns):
        beside = [*told[: table.below], emptied, *told[table.below + 1 :]]
        if _total(_widths(beside)) <= width:
            break
    return beside, columns[table.below]


def _widths(columns: list[list[str]]) -> list[int | None]:
    """Return how wide columns are; None of one that stands elsewhere."""
    return [max(map(width_of, column)) if any(column) else None for column in columns]


def _total(widths: list[int | None]) -> int:
    there = [width for width in widths if width is not None]
    return sum(there) + len(_GAP) * (len(there) - 1)


def _shrunk(columns: list[list[str]], width: int, *, fixed: frozenset[int]) -> list[int | None]:
    """Return how wide each column may be, the widest of those that can be folded giving way first."""
    widths = _widths(columns)
    while _total(widths) > width:
        room, place = max((0 if place in fixed else it or 0, place) for place, it in enumerate(widths))
        if room <= _NARROWEST:
            break
        widths[place] = room - 1
    return widths


def _line(parts: tuple[str, ...], widths: list[int | None], numeric: frozenset[int], *, head: bool) -> list[Piece]:
    pieces: list[Piece] = []
    for place, (part, room) in enumerate(zip(parts, widths, strict=True)):
        if room is None:
            continue
        blanks = padded("", room - width_of(part)) if room > width_of(part) else ""
        told = [(part, _HEAD)] if head else style_of(part)
        pieces += [(_GAP, "")] if pieces else []
        pieces += [(blanks, ""), *told] if place in numeric else [*told, (blanks, "")]
    return pieces
