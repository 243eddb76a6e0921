"""Reads JSON that stands inside of model files: of bounded size, number of parts and depth."""

from __future__ import annotations

import json
from typing import Any

from artreg.errors import IntegrityError
from artreg.inspection.limits import DEPTH, PARTS, SCHEMA


def parse_json(data: bytes, what: str) -> Any:
    """Return what JSON holds.

    What a document takes in memory is bounded before it is parsed, by counting the signs that part its values.

    Raises:
        IntegrityError: It is none, or is beyond a limit.
    """
    if len(data) > SCHEMA:
        raise IntegrityError(f"{what} has {len(data):,} bytes; at most {SCHEMA:,} are read")
    if data.count(b",") + data.count(b"[") + data.count(b"{") > PARTS:
        raise IntegrityError(f"{what} has more than {PARTS:,} parts")
    try:
        document = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise IntegrityError(f"{what} is nested deeper than {DEPTH} levels") from None
    except ValueError as error:
        raise IntegrityError(f"{what} is not valid JSON: {error}") from error
    if _deeper(document, DEPTH):
        raise IntegrityError(f"{what} is nested deeper than {DEPTH} levels")
    return document


def _deeper(document: Any, limit: int) -> bool:
    level = [document]
    for _ in range(limit):
        level = [child for part in level for child in _inside(part)]
        if not level:
            return False
    return True


def _inside(part: Any) -> list[Any]:
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [child for child in children if isinstance(child, dict | list)]
