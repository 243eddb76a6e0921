"""Reads the schema of a skops archive: which types it asks for, and by which way each would be made."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from artreg.errors import IntegrityError
from artreg.inspection.documents import parse_json

SCHEMA_FILE = "schema.json"

_LISTS = {"ListNode", "TupleNode"}


def read_schema(archive: zipfile.ZipFile, what: str) -> Any:
    """Return the schema of an archive that was checked.

    Raises:
        IntegrityError: It has none, or it is beyond a limit.
    """
    try:
        entry = archive.getinfo(SCHEMA_FILE)
    except KeyError as error:
        raise IntegrityError(f"{what} is no skops archive: it has no {SCHEMA_FILE}") from error
    schema = parse_json(archive.read(entry), f"{SCHEMA_FILE} of {what}")
    _check_tables(schema, what)
    return schema


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that says how something is made."""
    todo = [part]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            if "__loader__" in one:
                yield one
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def type_name(node: dict[str, Any]) -> str:
    """Return the full name of the type that a part asks for."""
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _check_tables(schema: Any, what: str) -> None:
    """See that no table of objects is made of lists that stand for each other.

    A part may be named again by its number, and a table copies whatever is in it: ten lists of ten times the one
    before would make ten thousand million cells.
    """
    tables = [node for node in nodes(schema) if node["__loader__"] == "NdArrayNode" and node.get("type") == "json"]
    if not tables:
        return
    times = Counter(_number(node) for node in nodes(schema))
    others = {_number(node) for node in nodes(schema) if node["__loader__"] != "JsonNode"}
    for table in tables:
        if _is_flat(table, times):
            continue
        for inner in nodes(table.get("content")):
            if inner["__loader__"] == "JsonNode":
                plain = _number(inner) not in others and str(inner.get("content"))[:1] not in "[{"
            else:
                plain = inner["__loader__"] in _LISTS and times[_number(inner)] == 1
            if not plain:
                raise IntegrityError(f"{what} holds a table of objects that are no plain values, or refers to itself")


def _is_flat(table: dict[str, Any], times: Mapping[str, int]) -> bool:
    """Return whether an array of objects has one dimension: then its items are taken as they are."""
    shape = table.get("shape")
    if not isinstance(shape, dict) or times.get(_number(shape)) != 1:
        return False
    content = shape.get("content")
    return shape.get("__loader__") == "TupleNode" and isinstance(content, list) and len(content) == 1


def _number(node: dict[str, Any]) -> str:
    return repr(node.get("__id__"))
