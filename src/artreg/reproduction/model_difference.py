"""Finds the first part in which two model files differ, without running anything that is in them.

What a file is made of is read off its format: the tensors of safetensors, the parts of a skops archive by the paths of
its schema, the keys of JSON; of a pickle the attribute that was last named before the first byte that differs.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from artreg.core.comparison import Difference
from artreg.errors import IntegrityError
from artreg.inspection.archives import checked_archive
from artreg.inspection.arrays import HEAD, parse_header
from artreg.inspection.documents import parse_json
from artreg.inspection.skops_schema import read_schema
from artreg.inspection.tensors import read_tensors

_NAMED = re.compile(rb"\x8c[\x02-\x40]([A-Za-z_][A-Za-z0-9_]{1,63})")  # pickle's SHORT_BINUNICODE
_LOOK_BACK = 65_536
_FLOATS = {"<f8": "d", "<f4": "f", "F64": "d", "F32": "f"}
_UNREADABLE = (
    IntegrityError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What parsing a file may raise that is damaged, or beyond a limit."""


def first_difference(name: str, before: bytes, after: bytes) -> Difference | None:
    """Return the first part in which two files differ, or None if they are the same.

    Args:
        name: The file's name, whose ending tells the format.
        before: The bytes of the one.
        after: The bytes of the other.
    """
    if before == after:
        return None
    suffix = name.rpartition(".")[2].lower()
    try:
        found = next(_PARTS[suffix](before, after), None) if suffix in _PARTS else None
    except _UNREADABLE:
        found = None  # its bytes tell all that can be told
    if found is None:
        return Difference(name, note=_first_byte(before, after))
    return Difference(f"{name}: {found.what}", found.before, found.after, found.note)


# --- safetensors: 8 bytes of length, a JSON header, the tensors -------------------------------------------------------


def _tensors(before: bytes, after: bytes) -> Iterator[Difference]:
    first, second = _tensor_table(before), _tensor_table(after)
    for name in [*first, *(name for name in second if name not in first)]:
        if name not in first or name not in second:
            one, other = ("there" if name in side else None for side in (first, second))
            yield Difference(f"tensor {name}", one, other)
        else:
            yield from _arrays(f"tensor {name}", first[name], second[name])


def _tensor_table(data: bytes) -> dict[str, _Array]:
    tensors = read_tensors(io.BytesIO(data), "it")
    return {name: (tensor.dtype, tensor.shape, data[tensor.start : tensor.end]) for name, tensor in tensors.items()}


# --- skops: a zip of a schema and of arrays -------------------------------------------------------------------------


def _archives(before: bytes, after: bytes) -> Iterator[Difference]:
    with checked_archive(io.BytesIO(before), "it") as first, checked_archive(io.BytesIO(after), "it") as second:
        schemas = [read_schema(archive, "it") for archive in (first, second)]
        yield from _nodes("", schemas[0], schemas[1], (first, second))


def _nodes(
    path: str, before: Any, after: Any, archives: tuple[zipfile.ZipFile, zipfile.ZipFile]
) -> Iterator[Difference]:
    """Walk both schemas side by side; the layers that say how something is stored do not show in its path."""
    if isinstance(before, dict) and isinstance(after, dict):
        files = (before.get("file"), after.get("file"))
        if all(isinstance(file, str) and file.endswith(".npy") for file in files):
            first, second = (_npy(archive.read(str(file))) for archive, file in zip(archives, files, strict=True))
            yield from _arrays(path, first, second)
        for key in [*before, *(key for key in after if key not in before)]:
            if key not in ("__id__", "file"):
                inner = path if key == "content" else f"{path}.{key}".lstrip(".")
                yield from _nodes(inner, before.get(key), after.get(key), archives)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip_longest(before, after)):
            yield from _nodes(f"{path}[{index}]", one, other, archives)
    elif before != after:
        yield Difference(path, _brief(before), _brief(after))


def _npy(data: bytes) -> _Array:
    array = parse_header(data[:HEAD], "it")
    return array.dtype, array.shape, data[array.start :]


# --- what both have: arrays -------------------------------------------------------------------------------------------

_Array = tuple[Any, tuple[int, ...], bytes]


def _arrays(name: str, before: _Array, after: _Array) -> Iterator[Difference]:
    if before[:2] != after[:2]:
        yield Difference(name, *(f"{side[0]} {list(side[1])}" for side in (before, after)))
    elif before[2] != after[2]:
        yield _first_number(name, before, after)


def _first_number(name: str, before: _Array, after: _Array) -> Difference:
    code = _FLOATS.get(str(before[0]))
    if code is None or len(before[2]) != len(after[2]):
        return Difference(name, note=_first_byte(before[2], after[2]))
    first, second = array(code, before[2]), array(code, after[2])
    places = [place for place, (one, other) in enumerate(zip(first, second, strict=True)) if one != other]
    if not places:
        return Difference(name, note=_first_byte(before[2], after[2]))
    place = places[0]
    return Difference(f"{name}[{place}]", first[place], second[place], f"{len(places)} of {len(first)} numbers differ")


# --- JSON, pickles, and everything else -------------------------------------------------------------------------------


def _documents(before: bytes, after: bytes) -> Iterator[Difference]:
    yield from _values("", parse_json(before, "it"), parse_json(after, "it"))


def _values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _values(f"{path}.{key}".lstrip("."), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip_longest(before, after)):
            yield from _values(f"{path}[{index}]", one, other)
    elif before != after:
        yield Difference(path, _brief(before), _brief(after))


def _pickles(before: bytes, after: bytes) -> Iterator[Difference]:
    offset = _offset(before, after)
    names = _NAMED.findall(before[max(offset - _LOOK_BACK, 0) : offset])
    if names:
        yield Difference(f"after {names[-1].decode('ascii')}", note=_first_byte(before, after))


def _first_byte(before: bytes, after: bytes) -> str:
    sizes = "" if len(before) == len(after) else f"; {len(before):,} and {len(after):,} bytes long"
    return f"the first byte that differs is number {_offset(before, after):,}{sizes}"


def _offset(before: bytes, after: bytes) -> int:
    """Return where two texts part, by halving: Python compares whole slices faster than it loops over bytes."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _brief(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


_PARTS: Mapping[str, Any] = {
    "safetensors": _tensors,
    "skops": _archives,
    "json": _documents,
    "joblib": _pickles,
    "pkl": _pickles,
}
