"""Plots as SVG that stands in the page and takes its colours from the page's style sheet."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from artreg.frozen import Frozen
from artreg.site.words import figure

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markupsafe import Markup

_WIDTH, _HEIGHT = 360, 180  # of a plot on a phone, so that its labels can be read there
_LETTER = 6.8  # how wide a letter of a label is
_MARGIN = 60  # of the labels of the other axis
_LABELS = 5  # along the axis of versions
_LONGEST = 16  # signs of a label
_MARK, _RING = 5.0, 3.5  # how large a mark is, and how much wider each that stands under it, so that all are seen
_DOTS = 80  # points beyond which a line alone says more
_SVG = "{http://www.w3.org/2000/svg}"
_DROPPED = {"defs", "desc", "style", "script", "title"}


class Mark(Frozen):
    """A point of a curve at which an alias stands.

    Attributes:
        alias: The alias.
        place: Which point.
        colour: The number of the alias's colour in the style sheet.
    """

    alias: str
    place: int
    colour: int


def curve(name: str, labels: Sequence[str], values: Sequence[float | None], marks: Sequence[Mark]) -> Markup:
    """Return a metric over versions.

    Args:
        name: The metric.
        labels: The versions, in order.
        values: The metric of each; None where it has none.
        marks: Which aliases stand where.
    """
    pygal = _pygal()
    chart = pygal.XY(
        width=_WIDTH,
        height=_HEIGHT,
        margin=8,
        no_prefix=True,
        show_legend=False,
        show_x_guides=False,
        dots_size=2.5,
        show_dots=len(values) <= _DOTS,
        show_minor_y_labels=False,
        y_labels_major_count=3,
        formatter=_formatted,
        xrange=(-0.5, max(len(values), 2) - 0.5),
        css=[],
        js=[],
        disable_xml_declaration=True,
        allow_interruptions=True,
    )
    chart.x_labels = [{"value": place, "label": _cut(labels[place])} for place in _spread(labels)]
    chart.add(
        name,
        [{"value": (place, value), "label": labels[place]} for place, value in enumerate(values) if value is not None],
    )
    placed = [(mark, values[mark.place]) for mark in marks if values[mark.place] is not None]
    for mark, value in placed:
        point = {"value": (mark.place, value), "label": f"{mark.alias} {labels[mark.place]}"}
        above = sum(other.place == mark.place for other, _ in placed[placed.index((mark, value)) + 1 :])
        chart.add(mark.alias, [point], stroke=False, show_dots=True, dots_size=_MARK + _RING * above)
    return _as_part_of_a_page(chart, name, {f"serie-{1 + number}": mark for number, (mark, _) in enumerate(placed)})


def _formatted(value: object) -> str:
    """Return a figure; pygal asks for labels of an axis and for points, which have two coordinates."""
    return figure(value[-1] if isinstance(value, list | tuple) else value)


def _spread(labels: Sequence[str]) -> list[int]:
    """Return which labels to show: as many as find room beside one another, from the first to the last."""
    step = (_WIDTH - _MARGIN) / max(len(labels), 2)
    widths = [len(_cut(label)) * _LETTER for label in labels]
    for count in range(min(_LABELS, len(labels)), 1, -1):
        shown = [round(part * (len(labels) - 1) / (count - 1)) for part in range(count)]
        if all((other - one) * step > (widths[one] + widths[other]) / 2 for one, other in pairwise(shown)):
            return shown
    return [len(labels) - 1]


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _pygal() -> Any:
    """Return pygal, without the finder of plugins that it leaves behind, at which every later import would warn."""
    import pygal  # noqa: PLC0415  # only pages with plots need it

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal


def _as_part_of_a_page(chart: Any, name: str, marks: Mapping[str, Mark]) -> Markup:
    """Return a chart without its own styles, scripts, comments and dates, which no page may hold."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415  # nothing is parsed, only what pygal made is written

    from markupsafe import Markup  # noqa: PLC0415

    logging.getLogger("pygal").setLevel(logging.ERROR)
    root = chart.render_tree()
    _clean(root, marks)
    root.attrib = {
        "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
        "role": "img",
        "aria-label": f"{name} over versions",
        "class": "chart",
    }
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # ElementTree escapes what it writes


def _clean(node: Element, marks: Mapping[str, Mark]) -> None:
    classes = (node.get("class") or "").split()
    mark = next((marks[one] for one in classes if one in marks), None)
    if mark is not None:
        node.set("class", f"mark mark-{mark.alias} tone-{mark.colour}")
    told = [child.text for child in node if _tag(child) == "desc" and child.get("class") in {"label", "x_label"}]
    value = [child.text for child in node if _tag(child) == "desc" and child.get("class") == "value"]
    for child in list(node):
        empty = _tag(child) == "g" and not len(child)
        overlay = "tooltip-overlay" in (child.get("class") or "")
        if not _tag(child) or _tag(child) in _DROPPED or empty or overlay:
            node.remove(child)
        else:
            _clean(child, marks)
    if value and any(_tag(child) == "circle" for child in node):
        title = node.makeelement("title", {})
        title.text = " ".join(text for text in (*told, *value) if text)
        node.append(title)


def _tag(node: Element) -> str:
    """Return the name of an element; '' of a comment, whose tag is a function."""
    return str(node.tag).removeprefix(_SVG) if type(node.tag) is str else ""
