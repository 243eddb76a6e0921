"""How text becomes what a screen shows: how wide it is, what stands for signs that it lacks, how long ago a time is."""

from __future__ import annotations

import re

from artreg.cli.view import LONGEST, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60))
_ASCII = str.maketrans(
    {
        "→": "->",
        "…": "...",
        "·": ".",
        "●": "*",
        "├": "|",
        "└": "`",
        "│": "|",
        "─": "-",
        **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
    }
)
"""What stands for the signs that artreg itself uses, where a terminal has only its own."""


def legible(text: str, encoding: str, longest: int = LONGEST) -> str:
    """Return text as a stream of this encoding can show it: without controls, and in letters that it has."""
    text = printable(text, longest)
    if text.isascii() or encoding in {"utf-8", "utf8"}:
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def width_of(text: str) -> int:
    """Return how many cells of a terminal a text takes: letters of East Asia take two, combining marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.category(sign) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks after it, or before it, up to a width in cells."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def folded(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many cells (two at least), broken where people would break it."""
    lines = [""]
    for piece in re.findall(r"[^ @/_]*[@/_]*(?: +|$)?", text):
        if width_of(lines[-1] + piece.rstrip(" ")) <= width:
            lines[-1] += piece
            continue
        lines += [""] if lines[-1] else []
        for sign in piece:
            if lines[-1] and width_of(lines[-1] + sign) > width:
                lines.append("")
            lines[-1] += sign
    return [line.rstrip(" ") for line in lines]


def breaks(text: str, width: int, indent: int = 0) -> list[int]:
    """Return where a text is to be broken, so that no line is wider; words that are wider by themselves are left.

    Args:
        text: The text.
        width: How many cells a line has.
        indent: By how many less a line has that is not the first.
    """
    found, room, fresh = [], width, True
    for match in re.finditer(r"[^ ]+ *", text):
        word = match[0]
        if width_of(word.rstrip(" ")) > room and not fresh:
            found.append(match.start())
            room = width - indent
        room, fresh = room - width_of(word), False
    return found


def ago(text: str, now: datetime) -> str:
    """Return how long before `now` a time was, such as 3 d ago; '' of what is no time."""
    from datetime import UTC, datetime

    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return ""
    seconds = int((now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds())
    unit, length = next(((unit, length) for unit, length in _UNITS if abs(seconds) >= 2 * length), ("s", 1))
    told = f"{abs(seconds) // length} {unit}"
    return f"{told} ago" if seconds >= 0 else f"in {told}"
