"""Model files that would take a machine down, or lead its reader astray, each a few kilobytes at most."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

ZEROS = bytes(2**20)


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def skops(schema: object, **members: bytes) -> bytes:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return archive({**members, "schema.json": text.encode()}, zipfile.ZIP_DEFLATED)


def npy(shape: str, descr: str = "'<f8'", body: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def array_node(name: str) -> dict[str, Any]:
    return {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": name,
        "protocol": 2,
    }


def sparse_node(name: str) -> dict[str, Any]:
    node = {"__class__": "csr_matrix", "__module__": "scipy.sparse", "__loader__": "SparseMatrixNode"}
    return {**node, "type": "scipy", "file": name, "protocol": 2}


def bomb() -> bytes:
    """A member of 40 MiB that packs to 40 kB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(zipfile.ZipInfo("a.npy"), ZEROS * 40, zipfile.ZIP_DEFLATED, 1)
        made.writestr("schema.json", b"{}")
    return buffer.getvalue()


def packed_by_hand(body: bytes, claimed: int, checksum: int, names: str) -> bytes:
    """An archive in which every name stands for the same packed bytes, and says what it likes of them."""
    facts = struct.pack("<3L", checksum, len(body), claimed)
    local = b"PK\x03\x04" + struct.pack("<5H", 20, 0, 8, 0, 33) + facts + struct.pack("<2H", 1, 0) + b"a"
    head = b"PK\x01\x02" + struct.pack("<6H", 20, 20, 0, 8, 0, 33) + facts + struct.pack("<5H2L", 1, 0, 0, 0, 0, 0, 0)
    entries = b"".join(head + name.encode() for name in names)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(names), len(names), len(entries), len(local + body), 0)
    return local + body + entries + end


def lying_bomb() -> bytes:
    """One of 300 MiB, whose headers say that it has a hundred bytes, with the very checksum of these."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = (packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)) * 300 + b"\x03\x00"
    return packed_by_hand(body, 100, zlib.crc32(bytes(100)), "a")


def overlapping() -> bytes:
    """Eight names for the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(bytes(1000)) + packer.flush()
    return packed_by_hand(body, 1000, zlib.crc32(bytes(1000)), "abcdefgh")


def duplicate() -> bytes:
    return archive({"schema.json": b"{}", "schemaXjson": b"[]"}).replace(b"schemaXjson", b"schema.json")


def nested(levels: int) -> bytes:
    data = b"x"
    for _ in range(levels):
        data = archive({"inner.npz": data})
    return data


def many_members() -> bytes:
    return archive({f"{number:x}": b"" for number in range(50_001)})


def directory() -> bytes:
    """A table of contents of 9 MiB."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFE, 0xFFFE, 9 * 2**20, 0, 0)
    return bytes(9 * 2**20) + end


def table_of_lists() -> bytes:
    """A table of objects made of ten lists of ten times the list before: 10^9 cells."""
    plain = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode"}
    cell = {"__class__": "int", "__module__": "builtins", "__loader__": "JsonNode", "content": "1", "is_json": True}
    inner: dict[str, Any] = {**plain, "__id__": 1, "content": [{**cell, "__id__": 99}] * 10}
    for number in range(2, 10):
        again = {**plain, "__id__": number - 1, "content": []}
        inner = {**plain, "__id__": number, "content": [inner, *[again] * 9]}
    extent = {**cell, "content": "10"}
    shape = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [extent, extent]}
    return skops({**array_node(""), "type": "json", "content": [inner], "shape": shape})


def safetensors(header: object, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


ARCHIVES: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "no archive": (lambda: b"\x00" * 1000, "no archive that can be read"),
    "a bomb": (bomb, "unpacks to more than"),
    "a bomb whose headers lie": (lying_bomb, "another size than the archive says"),
    "overlapping members": (overlapping, "overlaps"),
    "a name that climbs": (lambda: archive({"../../etc/passwd": b"", "schema.json": b"{}"}), "name that no file"),
    "an absolute name": (lambda: archive({"/etc/passwd": b"", "schema.json": b"{}"}), "name that no file"),
    "a name of Windows": (lambda: archive({"C:\\x": b"", "schema.json": b"{}"}), "name that no file"),
    "a name with an escape": (lambda: archive({"\x1b[2Jx": b"", "schema.json": b"{}"}), "name that no file"),
    "a name that goes backwards": (lambda: archive({"\u202egnp": b"", "schema.json": b"{}"}), "name that no file"),
    "something before it": (lambda: b"\x80\x04." + archive({"schema.json": b"{}"}), "before or behind"),
    "a name twice": (duplicate, "stands twice"),
    "too many members": (many_members, "more than 50,000 members|table of contents"),
    "a large table of contents": (directory, "table of contents has more than"),
    "an archive in an archive in an archive": (lambda: nested(3), "inside of an archive"),
    "a method that is not read": (lambda: archive({"schema.json": b"{}"}, zipfile.ZIP_LZMA), "method that is not read"),
    "no schema": (lambda: archive({"a.npy": npy("(0,)")}), "no schema.json"),
    "an array that claims too much": (lambda: skops(array_node("a.npy"), **{"a.npy": npy("(10**12,)")}), "no array"),
    "an array that claims terabytes": (
        lambda: skops(array_node("a.npy"), **{"a.npy": npy("(1000000000000,)")}),
        "claims 8,000,000,000,000 bytes",
    ),
    "an array of wide elements": (
        lambda: skops(array_node("a.npy"), **{"a.npy": npy("(1000,)", "'|V2000000000'")}),
        "claims 2,000,000,000,000 bytes",
    ),
    "an array by another name": (
        lambda: skops(array_node("a.txt"), **{"a.txt": npy("(1000000000000,)")}),
        "claims 8,000,000,000,000 bytes",
    ),
    "an array of objects": (lambda: skops(array_node("a.npy"), **{"a.npy": npy("(1,)", "'|O'")}), "pickled objects"),
    "an array inside of an archive of arrays": (
        lambda: skops(sparse_node("a.npz"), **{"a.npz": archive({"data.npy": npy("(1000000000000,)")})}),
        "claims 8,000,000,000,000 bytes",
    ),
    "a bomb inside of an archive of arrays": (
        lambda: skops(sparse_node("a.npz"), **{"a.npz": archive({"data.npy": ZEROS * 40}, zipfile.ZIP_DEFLATED)}),
        "unpacks to more than",
    ),
    "a deep schema": (lambda: skops("[" * 100_000), "nested deeper|not valid JSON"),
    "a schema of 201 levels": (lambda: skops("[" * 201 + "]" * 201), "nested deeper than 200"),
    "a large schema": (lambda: skops(" " * 33 * 2**20), "at most|unpacks to more than"),
    "a schema of many parts": (lambda: skops("[" + "{}," * 2_100_000 + "{}]"), "parts|unpacks"),
    "a table of lists that stand for each other": (table_of_lists, "refers to itself"),
    "no node": (lambda: skops({"protocol": 2}), "no model that skops can read"),
    "an unknown protocol": (lambda: skops({**array_node("a.npy"), "protocol": 99}), "no model that skops can read"),
}
"""Hostile skops archives by what is wrong with them, and what is said of each."""

PACKED: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "zlib": (lambda: zlib.compress(ZEROS * 17), "unpacks to more than 16,777,216"),
    "gzip": (lambda: gzip.compress(ZEROS * 17), "unpacks to more than"),
    "bz2": (lambda: bz2.compress(ZEROS * 17), "unpacks to more than"),
    "xz": (lambda: lzma.compress(ZEROS * 17, preset=0), "unpacks to more than"),
    "lzma": (lambda: lzma.compress(ZEROS * 17, lzma.FORMAT_ALONE, preset=0), "unpacks to more than"),
    "a dictionary of 4 GiB": (
        lambda: b"\x5d\x00\x00\x00\xff" + lzma.compress(b"x", lzma.FORMAT_ALONE)[5:],
        "cannot be unpacked",
    ),
    "cut off": (lambda: zlib.compress(b"x" * 1000)[:-5], "cannot be unpacked"),
    "followed": (lambda: gzip.compress(b"x") + b"y", "something follows"),
    "garbage": (lambda: b"\x1f\x8b" + b"\xff" * 100, "cannot be unpacked"),
}
"""Hostile joblib files by how they are packed."""

TENSORS: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "no safetensors"),
    "a header of exabytes": (safetensors(b"{}", length=2**63), "header claims"),
    "a header beyond the file": (safetensors(b"{}", length=3), "header claims"),
    "a deep header": (safetensors(b"[" * 100_000), "nested deeper|not valid JSON"),
    "no JSON": (safetensors(b"\xff"), "not valid JSON"),
    "a list": (safetensors([]), "names no tensors"),
    "no offsets": (safetensors({"a": {"dtype": "F32", "shape": [1]}}), "no safetensors"),
    "no type": (safetensors({"a": {"dtype": "X", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)), "no safetensors"),
    "a negative extent": (
        safetensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
        "no number",
    ),
    "a shape of terabytes": (
        safetensors({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, bytes(4)),
        "another size",
    ),
    "an offset beyond the file": (
        safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(4)),
        "end at byte",
    ),
    "tensors that overlap": (
        safetensors(
            {
                "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            },
            bytes(4),
        ),
        "overlap",
    ),
    "bytes that belong to nothing": (safetensors({}, b"x" * 100), "end at byte"),
}
"""Hostile safetensors files."""
