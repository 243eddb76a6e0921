"""What gates said of a candidate, as a checklist: for a terminal, and for a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from artreg.cli.view import Table, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_LONGEST = 500  # characters of a cell in Markdown


def checklist(gates: Sequence[Mapping[str, Any]], title: str = "") -> Table:
    """Return the verdicts as a table: passed or not, what was seen, and how far off it was."""
    rows = tuple(
        ("pass" if gate["passed"] else "FAIL", str(gate["gate"]), str(gate["message"]), _off_by(gate)) for gate in gates
    )
    if not any(row[3] for row in rows):
        return Table(("", "gate", "what it saw"), tuple(row[:3] for row in rows), title=title)
    return Table(("", "gate", "what it saw", "off by"), rows, title=title, numeric=frozenset({3}))


def markdown(gates: Sequence[Mapping[str, Any]], title: str) -> str:
    """Return the verdicts as Markdown, safe against what names and messages may hold."""
    passed = all(gate["passed"] for gate in gates)
    lines = [
        f"### {_cell(title)}: {'all gates passed' if passed else 'refused'}",
        "",
        "| | gate | what it saw | off by |",
    ]
    lines.append("| --- | --- | --- | ---: |")
    for gate in gates:
        mark = "✅" if gate["passed"] else "❌"
        lines.append(f"| {mark} | {_cell(str(gate['gate']))} | {_cell(str(gate['message']))} | {_off_by(gate)} |")
    return "\n".join(lines) + "\n"


def _off_by(gate: Mapping[str, Any]) -> str:
    off = gate.get("figures", gate).get("off_by")
    return f"{off:.3g}" if isinstance(off, int | float) else ""


def _cell(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, HTML, link or formula, and nobody is called by name."""
    escaped = re.sub(
        r"[\\`*\[\]<>|~$&:]|(?<![a-z0-9])_|_(?![a-z0-9])|(?<=www)\.",
        r"\\\g<0>",
        printable(text, _LONGEST),
        flags=re.IGNORECASE,
    )
    return escaped.replace("@", "@<!-- -->")  # an entity would be a mention all the same
