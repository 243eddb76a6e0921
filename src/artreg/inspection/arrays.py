"""Reads the header of an array in NumPy's format, and holds it against the bytes that follow.

NumPy makes room for what a header claims before it reads the first number.
"""

from __future__ import annotations

import ast
import math
import struct
from dataclasses import dataclass
from typing import Any

from artreg.errors import IntegrityError
from artreg.inspection.limits import ARRAY_HEADER

MAGIC = b"\x93NUMPY"
HEAD = 12 + ARRAY_HEADER
"""Bytes from the start of an array in which its header must lie."""


@dataclass(frozen=True, slots=True)
class Array:
    """What a header says.

    Attributes:
        dtype: The type of the elements as it is written there.
        shape: The shape.
        start: Where the elements begin.
        itemsize: Bytes of an element.
        objects: Whether the elements are pickled objects.
    """

    dtype: Any
    shape: tuple[int, ...]
    start: int
    itemsize: int
    objects: bool

    @property
    def size(self) -> int:
        """Bytes of all elements, as long as they are no objects."""
        return math.prod(self.shape) * self.itemsize

    def __str__(self) -> str:
        kind = self.dtype if isinstance(self.dtype, str) else f"records of {len(self.dtype)} fields"
        return f"{kind} {list(self.shape)}"


def parse_header(head: bytes, what: str) -> Array:
    """Read the header of an array.

    Args:
        head: The first `HEAD` bytes of it, or all if there are fewer.
        what: Its name, for errors.

    Raises:
        IntegrityError: It has none that can be read.
    """
    import numpy as np  # noqa: PLC0415

    try:
        if head[: len(MAGIC)] != MAGIC:
            raise ValueError("it does not begin as one does")
        wide = head[len(MAGIC)] > 1
        (length,) = struct.unpack_from("<I" if wide else "<H", head, 8)
        start = (12 if wide else 10) + length
        if length > ARRAY_HEADER or start > len(head):
            raise ValueError(f"its header has {length:,} bytes")
        header = ast.literal_eval(head[start - length : start].decode("utf-8" if head[6] > 2 else "latin-1").strip())  # noqa: PLR2004  # the format's version
        shape = header["shape"]
        if type(shape) is not tuple or not all(type(extent) is int and extent >= 0 for extent in shape):
            raise ValueError("its shape is none")
        dtype = np.lib.format.descr_to_dtype(header["descr"])
    except (ValueError, TypeError, LookupError, SyntaxError, RecursionError, MemoryError, struct.error) as error:
        raise IntegrityError(f"{what} is no array that can be read: {error}") from error
    return Array(header["descr"], shape, start, dtype.itemsize, dtype.hasobject)


def check_array(head: bytes, size: int, what: str) -> None:
    """See that an array of numbers has the very size that its header claims.

    Args:
        head: Its first bytes, as in `parse_header`.
        size: How many bytes the whole has.
        what: Its name, for errors.

    Raises:
        IntegrityError: It has not, or it holds pickled objects.
    """
    array = parse_header(head, what)
    if array.objects:
        raise IntegrityError(f"{what} holds pickled objects", hint="an archive of data only must not hold any")
    if array.start + array.size != size:
        raise IntegrityError(f"{what} claims {array.size:,} bytes of numbers, and has {size - array.start:,}")
