"""Docstrings in Google style, taken apart."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
_ENTRY = re.compile(r"^(?P<name>\*{0,2}\w+):\s*(?P<text>.*)$")


@dataclass(frozen=True)
class Docstring:
    """A docstring.

    Attributes:
        text: What stands before the sections.
        entries: The entries of its sections, by the section's name, then by their own.
        notes: Sections that are text, by their names.
    """

    text: str
    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def parse(docstring: str | None) -> Docstring:
    """Take a docstring apart."""
    heads = "|".join(_SECTIONS)
    first, *rest = re.split(rf"^({heads}):\n", inspect.cleandoc(docstring or ""), flags=re.MULTILINE)
    found = Docstring(first.strip())
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if name in ("Returns", "Yields"):
            found.notes[name] = " ".join(body.split())
        else:
            found.entries[name] = _entries(inspect.cleandoc("\n" + body))
    return found


def attributes(kind: type) -> dict[str, str]:
    """Return what a class and those that it is made of say of their attributes."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("artreg"):
            found |= parse(base.__dict__.get("__doc__")).entries.get("Attributes", {})
    return found


def _entries(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in body.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            name = entry["name"]
            found[name] = entry["text"]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
