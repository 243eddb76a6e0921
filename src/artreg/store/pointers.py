"""The document that stands for a pointer where storage has no symbolic links."""

from __future__ import annotations

import json

from artreg.errors import InvalidInput
from artreg.store.interface import Pointer
from artreg.store.names import is_segment

LIMIT = 4096
"""Bytes beyond which nothing is taken for a pointer."""

_FORMAT = "artreg/pointer/1"
_KEYS = {"format", "generation", "target"}
NONSENSE = Pointer(target="")
"""What a reader sees where something lies that is no pointer."""


def check_pointer(pointer: Pointer) -> Pointer:
    """Return `pointer` if its target can name a neighbour.

    Raises:
        InvalidInput: It cannot.
    """
    if not is_segment(pointer.target):
        raise InvalidInput(f"{pointer.target!r} cannot be what a pointer points at")
    return pointer


def encode(pointer: Pointer) -> bytes:
    """Return the one sequence of bytes for `pointer`."""
    document = {"format": _FORMAT, "generation": pointer.generation, "target": pointer.target}
    return json.dumps(document, sort_keys=True, indent=2).encode("ascii") + b"\n"


def decode(data: bytes) -> Pointer:
    """Return the pointer that `data` stands for; whatever makes no sense has the target ''."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return NONSENSE
    if not isinstance(document, dict) or set(document) != _KEYS or document["format"] != _FORMAT:
        return NONSENSE
    target, generation = document["target"], document["generation"]
    if not isinstance(target, str) or not is_segment(target):
        return NONSENSE
    if generation is not None and (type(generation) is not int or generation < 0):
        return NONSENSE
    return Pointer(target=target, generation=generation)
