"""Every place in artreg where something is made to last, found in its source."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import artreg

FORWARDING = {"sync", "sync_folder", "_sync", "_sync_above", "_settle", "sync_unless_gone", "persist"}
"""Functions of the store that only hand on the wish to have something synced: who calls them decides."""

WORKER = "artreg.store.copying:early"
"""The fsync that a thread makes while a large file is still being written."""

_ASKING = {"store": FORWARDING, "registry": {"persist"}}


@cache
def sites() -> dict[str, str]:
    """Return the places, each by its module and line, with a name that does not depend on the line."""
    folder, found = Path(artreg.__file__).parent, {}
    for package, asking in _ASKING.items():
        for path in sorted((folder / package).glob("*.py")):
            module = f"artreg.{package}.{path.stem}"
            seen: Counter[str] = Counter()
            for function, call in _calls(ast.parse(path.read_text())):
                if _name(call.func) in asking and function not in asking:
                    seen[function] += 1
                    found[f"{module}:{call.lineno}"] = f"{path.stem}.{function}#{seen[function]}"
    found[WORKER] = "copying.write_hashed in a thread"
    return found


def is_forwarding(module: str, function: str) -> bool:
    """Return whether a function only hands on the wish, or is none of artreg's."""
    return not module.startswith("artreg.") or (module.startswith("artreg.store.") and function in FORWARDING)


def _calls(tree: ast.AST, function: str = "") -> list[tuple[str, ast.Call]]:
    found: list[tuple[str, ast.Call]] = []
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Call):
            found.append((inside, node))
        found += _calls(node, inside)
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
