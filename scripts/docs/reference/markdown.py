"""Markdown, written."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def plain(text: str) -> str:
    """Return text, which may hold code between backticks, so that nothing else in it means anything."""
    parts = html.escape(text, quote=False).split("`")
    for place in range(0, len(parts), 2):
        for sign in "*_[]":
            parts[place] = parts[place].replace(sign, f"\\{sign}")
    for place in range(1, len(parts), 2):
        parts[place] = html.unescape(parts[place])
    return "`".join(parts)


def fence(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def page(title: str, *parts: str) -> str:
    """Return a page."""
    return "\n".join([f"# {title}\n", *parts])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
