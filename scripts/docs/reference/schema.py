"""JSON Schemas as tables of keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reference import docstrings
from reference.markdown import plain, table

_LIMITS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
_NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


def keys(section: Mapping[str, Any], known: Mapping[str, str] | None = None) -> str:
    """Return a table of the keys of a section, with what its docstring says of them."""
    words = docstrings.parse(section.get("description")).entries.get("Attributes", {}) | dict(known or {})
    required = section.get("required", [])
    rows = [
        (f"`{name}`", kind(value), _default(name, value, required), plain(words.get(name, "")))
        for name, value in section["properties"].items()
    ]
    return table(("key", "value", "default", "meaning"), rows)


def text(section: Mapping[str, Any]) -> str:
    """Return what a section's docstring says before it speaks of single keys."""
    return plain(docstrings.parse(section.get("description")).text) + "\n"


def kind(value: Mapping[str, Any]) -> str:
    """Return in a few words what a value may be."""
    if "$ref" in value:
        return "a section"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if "anyOf" in value:
        return ", or ".join(dict.fromkeys(kind(each) for each in value["anyOf"] if each.get("type") != "null"))
    limits = [words.format(value[name]) for name, words in _LIMITS.items() if name in value]
    return ", ".join([_kind_of(value), *limits])


def _kind_of(value: Mapping[str, Any]) -> str:
    if value.get("type") == "array":
        items = value.get("items", {})
        return "a list of gates" if "oneOf" in items else f"a list of: {kind(items)}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"a mapping to: {kind(inner)}" if isinstance(inner, Mapping) else "a mapping"
    return _NAMES.get(value.get("type", ""), value.get("type", "anything"))


def _default(name: str, value: Mapping[str, Any], required: list[str]) -> str:
    if name in required or "default" not in value:
        return "*required*"
    default = value["default"]
    if default is None:
        return "none"
    return "the trainer's own" if isinstance(default, dict) and default else f"`{json.dumps(default)}`"
