"""Canonical JSON: one document, one sequence of bytes, so that any flipped bit shows."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as _quoted

from artreg.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
    from typing import Any, NoReturn
else:
    # As `random` does it: `hashlib` loads OpenSSL, which takes longer than all small documents of a command together.
    try:
        from _sha2 import sha256
    except ImportError:
        try:
            from _sha256 import sha256  # before Python 3.12
        except ImportError:
            from hashlib import sha256

_DEPTH_LIMIT = 64
_CONTAINER_LIMIT = 1_000_000  # an empty one takes thirty times as much memory as it has bytes
_LARGE = 2**20
_INFINITY = float("inf")


def dumps(document: object) -> bytes:
    """Return `document` as canonical JSON: sorted keys, ASCII, indented, one newline at the end.

    Raises:
        ValueError: It holds NaN or an infinity, which JSON has no word for.
    """
    try:
        text = _plain(document, "\n")
    except TypeError:
        text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def loads(data: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object strictly: UTF-8, no duplicate keys, nothing infinite, not too deep or many parts.

    Args:
        data: The bytes of the document.
        what: Its name, for the error.

    Raises:
        IntegrityError: It is no such document.
    """
    if data.count(b"{") + data.count(b"[") > _CONTAINER_LIMIT:
        raise IntegrityError(
            f"{what} has more than {_CONTAINER_LIMIT:,} objects and lists, which nothing of its kind has"
        )
    try:
        document = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{what} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise IntegrityError(f"{what} is not a JSON object")
    if _depth_exceeds(document, _DEPTH_LIMIT):
        raise IntegrityError(f"{what} is nested deeper than {_DEPTH_LIMIT} levels")
    return document


def loads_canonical(data: bytes, what: str) -> dict[str, Any]:
    """Parse a document that must stand exactly as `dumps` writes it.

    Raises:
        IntegrityError: It is not JSON, or its bytes are not the canonical ones.
    """
    document = loads(data, what)
    if dumps(document) != data:
        raise IntegrityError(f"{what} is not as artreg wrote it: its bytes were changed")
    return document


def digest(data: bytes) -> str:
    """Return the sha256 of `data` as 64 lower-case hexadecimal digits."""
    if len(data) > _LARGE:
        from hashlib import sha256 as faster  # noqa: PLC0415  # OpenSSL knows the processor's own instructions

        return faster(data).hexdigest()
    return sha256(data).hexdigest()


def _plain(value: Any, line: str) -> str:
    """Write plain values in less than half the time of `json.dumps`, which indents in Python and piece by piece.

    Args:
        value: The value.
        line: What begins a line of its level.

    Raises:
        TypeError: It is of no plain type, or a key is: `json.dumps` knows what becomes of it.
    """
    kind = type(value)
    if kind is str:
        return _quoted(value)
    within = f"{line}  "
    if kind is dict:
        members = [
            f"{_quoted(key)}: {_quoted(part) if type(part) is str else _plain(part, within)}"
            for key, part in sorted(value.items())
        ]
        return f"{{{within}{f',{within}'.join(members)}{line}}}" if members else "{}"
    if kind is list or kind is tuple:
        parts = [_plain(part, within) for part in value]
        return f"[{within}{f',{within}'.join(parts)}{line}]" if parts else "[]"
    if kind is bool or value is None:
        return "null" if value is None else "true" if value else "false"
    if kind is int or (kind is float and -_INFINITY < value < _INFINITY):
        return repr(value)
    raise TypeError(kind)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not allowed")


def _finite(text: str) -> float:
    number = float(text)
    if number in (_INFINITY, -_INFINITY):
        raise ValueError("a number is too large")
    return number


def _depth_exceeds(document: object, limit: int) -> bool:
    level: list[object] = [document]
    while level and limit:
        containers = [value for value in level if isinstance(value, dict | list)]
        level = [child for value in containers for child in (value.values() if isinstance(value, dict) else value)]
        limit -= 1
    return bool(level)
