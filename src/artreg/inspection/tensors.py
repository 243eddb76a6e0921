"""Reads the header of a safetensors file: which tensors it holds, each with its type, shape and place."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from artreg.errors import IntegrityError
from artreg.inspection.documents import parse_json
from artreg.inspection.limits import SCHEMA, TENSORS

_BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the header names it.

    Attributes:
        dtype: The type of its elements.
        shape: Its shape.
        start: Where it begins in the file.
        end: Where it ends.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_tensors(file: IO[bytes], what: str) -> Mapping[str, Tensor]:
    """Return the tensors of a file by their names; afterwards the file is at its start again.

    Raises:
        IntegrityError: It is no such file, is beyond a limit, or has other bytes than its header claims.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    try:
        (length,) = struct.unpack("<Q", file.read(_LENGTH))
        if length > min(SCHEMA, size - _LENGTH):
            raise ValueError(f"its header claims {length:,} bytes; the file has {size:,}, and {SCHEMA:,} are read")
        header = parse_json(file.read(length), f"the header of {what}")
        if not isinstance(header, dict) or len(header) > TENSORS:
            raise ValueError(f"its header names no tensors, or more than {TENSORS:,}")
        start = _LENGTH + length
        tensors = {name: _tensor(entry, start) for name, entry in header.items() if name != "__metadata__"}
        end = start
        for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.end)):
            if tensor.start != end:
                raise ValueError("its tensors overlap, or leave gaps")
            end = tensor.end
        if end != size:
            raise ValueError(f"its tensors end at byte {end:,} of {size:,}")
    except (ValueError, TypeError, LookupError, struct.error) as error:
        raise IntegrityError(f"{what} is no safetensors file: {error}") from error
    finally:
        file.seek(0)
    return tensors


def _tensor(entry: Mapping[str, Any], start: int) -> Tensor:
    shape, (first, last) = tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, first, last)):
        raise ValueError("a shape or an offset is no number")
    bits = math.prod(shape) * _BITS[entry["dtype"]]
    if bits % 8 or last - first != bits // 8:
        raise ValueError("a tensor has another size than its shape and type claim")
    return Tensor(entry["dtype"], shape, start + first, start + last)
