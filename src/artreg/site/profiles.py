"""Small pictures of the columns of a data profile: how many values lie where."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from artreg.core.comparison.facts import section
from artreg.frozen import Frozen
from artreg.site.words import figure

_BARS = 40
_NAMED = 6  # categories that are shown by name
_COLUMNS = 200
_HEIGHT = 40.0


class Bar(Frozen):
    """One bar of a histogram, in units of its picture, which is 100 wide and 40 high.

    Attributes:
        x: Where it begins.
        width: How wide it is.
        height: How high it is.
        told: What it stands for.
    """

    x: float
    width: float
    height: float
    told: str


class Share(Frozen):
    """A category with its part of the values.

    Attributes:
        name: The category.
        count: How many values.
        percent: Of all.
    """

    name: str
    count: int
    percent: float


class Column(Frozen):
    """A column as the page shows it.

    Attributes:
        name: The column.
        type: Its type.
        role: What it is for: `target`, `id`, or ''.
        missing: The share of rows without a value, or ''.
        told: Its figures in words.
        bars: Its histogram, if it has one.
        shares: Its categories, if it has any.
    """

    name: str
    type: str
    role: str
    missing: str
    told: str
    bars: tuple[Bar, ...] = ()
    shares: tuple[Share, ...] = ()


def columns(manifest: Mapping[str, Any]) -> list[Column]:
    """Return the columns of a data manifest; what makes no sense in it is left out."""
    profiles = section(manifest, "profile")
    target, id_column = section(manifest, "target").get("column"), manifest.get("id_column")
    found = []
    for name in list(profiles)[:_COLUMNS]:
        profile = section(profiles, name)
        role = "target" if name == target else "id" if name == id_column else ""
        found.append(
            Column(
                name,
                str(profile.get("type", "")),
                role,
                _missing(profile),
                _told(profile),
                tuple(_bars(section(profile, "histogram"))),
                tuple(_shares(profile)),
            )
        )
    return found


def _missing(profile: Mapping[str, Any]) -> str:
    missing, count = profile.get("missing"), profile.get("count")
    if not _whole(missing) or not _whole(count) or not missing:
        return ""
    return f"{missing / (missing + count):.1%}"


def _told(profile: Mapping[str, Any]) -> str:
    words = [f"{key} {figure(profile[key])}" for key in ("min", "mean", "max") if _number(profile.get(key))]
    if not words and _whole(profile.get("distinct")):
        words = [f"{figure(profile['distinct'])} distinct"]
    return " · ".join(words)


def _bars(histogram: Mapping[str, Any]) -> Iterator[Bar]:
    counts, edges = histogram.get("counts"), histogram.get("edges")
    if not isinstance(counts, list) or not isinstance(edges, list) or not 0 < len(counts) <= _BARS:
        return
    if len(edges) != len(counts) + 1 or not all(map(_whole, counts)) or not all(map(_number, edges)):
        return
    width, most = 100 / len(counts), max(counts) or 1
    for place, count in enumerate(counts):
        told = f"{figure(edges[place])} to {figure(edges[place + 1])}: {count:,}"
        height = _HEIGHT * (count / most)
        yield Bar(round(place * width, 2), round(width - 0.6, 2), round(height, 2), told)


def _shares(profile: Mapping[str, Any]) -> Iterator[Share]:
    values, other = section(profile, "values"), profile.get("other", 0)
    named = sorted(((n, c) for n, c in values.items() if _whole(c)), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(count for _, count in named[_NAMED:]) + (other if _whole(other) else 0)
    total = sum(count for _, count in named[:_NAMED]) + rest
    if not total:
        return
    for name, count in [*named[:_NAMED], *([("others", rest)] if rest else [])]:
        yield Share(name, count, round(100 * (count / total), 1))


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 2**63


def _number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))
