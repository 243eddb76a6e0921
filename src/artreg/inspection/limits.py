"""How much a model file may unpack to: what is larger is refused before room is made for it."""

from __future__ import annotations

MEMBERS = 50_000
"""Files in an archive."""

DIRECTORY = 8 * 2**20
"""Bytes of an archive's table of contents."""

UNPACKED = 8 * 2**30
"""Bytes that everything in a file may have unpacked, archives inside of archives included."""

RATIO = 100
"""How many times its size a file may unpack to."""

UNPACKED_AT_LEAST = 16 * 2**20
"""Bytes that any file may unpack to, whatever the ratio."""

SCHEMA = 32 * 2**20
"""Bytes of a single JSON document: the schema of a skops archive, the header of safetensors."""

PARTS = 2_000_000
"""Objects, lists and values of such a document."""

DEPTH = 200
"""How deep it may be nested."""

ARRAY_HEADER = 10_000
"""Bytes of the header of a NumPy array, as in NumPy itself."""

TENSORS = 100_000
"""Tensors in a safetensors file."""


def unpacked_limit(packed: int) -> int:
    """Return how many bytes a file of `packed` bytes may unpack to."""
    return min(max(packed * RATIO, UNPACKED_AT_LEAST), UNPACKED)
