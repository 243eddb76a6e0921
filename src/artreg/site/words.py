"""How values read on a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from artreg.core import wording
from artreg.core.comparison.facts import leaves

_LONGEST = 20_000  # of one text; whoever wants more has the file
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""What nobody sees, or what makes what follows read otherwise: controls, marks of direction, fillers, joiners."""


def visible(text: str, longest: int = _LONGEST) -> str:
    """Return a text in which every sign is seen, cut off where it is very long; lines and tabs stay."""
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text) - longest:,} more)"
    return _HIDDEN.sub(lambda sign: sign[0].encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


def figure(value: object) -> str:
    """Return a value of a document; a number as people read it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text_of(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**15 else wording.figure(value)


def change(by: float) -> str:
    """Return by how much a figure changed."""
    return f"{by:+,}" if isinstance(by, int) else f"{by:+.3g}"


def text_of(value: object) -> str:
    """Return any value of a document in a line."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def named(name: object) -> str:
    """Return a name such that one that is empty, or only blank, is seen too."""
    return text if (text := text_of(name)).strip() else "(no name)"


def minute(time: str) -> str:
    """Return a time of a record to the minute; whatever is no time as it is."""
    found = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", time)
    return f"{found[1]} {found[2]}" if found else time


def day(time: str) -> str:
    """Return the day of a time of a record."""
    return minute(time).partition(" ")[0]


def short(digest: object) -> str:
    """Return the beginning of a digest, which is enough to tell it from others."""
    return text_of(digest).removeprefix("sha256:")[:12]


def pairs(document: object) -> list[tuple[str, str]]:
    """Return what stands in a nested document, by dotted key."""
    if not isinstance(document, Mapping):
        return []
    return [(named(key), figure(value)) for key, value in leaves(document)]
