"""How text becomes what a screen shows: how wide it is, what stands for signs that it lacks, how long ago a time is."""

from __future__ import annotations

from artreg.cli.view import LONGEST, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

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
    """Return a text in lines of at most so many cells (two at least), broken between words where that is possible."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(joined) <= width:
            lines[-1] = joined
            continue
        lines += [""] if lines[-1] else []
        for sign in word:
            if lines[-1] and width_of(lines[-1] + sign) > width:
                lines.append("")
            lines[-1] += sign
    return lines


def ago(text: str, now: datetime) -> str:
    """Return how long before `now` a time was, such as 3 d ago; '' of what is no time."""
    from datetime import UTC, datetime

    from artreg.core.ages import shown

    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return ""
    age = now - (then if then.tzinfo else then.replace(tzinfo=UTC))
    return f"in {shown(-age)}" if age.days < 0 else f"{shown(age)} ago"
