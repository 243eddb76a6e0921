"""The file `predictions.csv.gz`: what a model predicted for its test rows, so that two can be compared later."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterator, Sequence

from artreg.errors import IntegrityError
from artreg.frozen import Frozen

PREDICTIONS = "predictions.csv.gz"
"""The name of the file in a version."""

LARGEST = 200_000_000
"""How many bytes it may have unpacked."""

MOST_ROWS = 5_000_000
"""How many rows it may have; each takes some two hundred bytes of memory."""

_COLUMNS = ["id", "label", "score"]
_LEVEL = 6
_RAW = -zlib.MAX_WBITS
_GZIP = zlib.MAX_WBITS | 16
# Deflate, no name, no time, no flags, of no known system: nothing that changes from run to run or machine to machine.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_QUOTED = re.compile('[",\r\n]')
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")


class Predictions(Frozen):
    """Test rows with what was predicted for them.

    Attributes:
        ids: The rows' ids, all different.
        labels: 1 for the positive label, else 0.
        scores: The predicted probability of the positive label.
    """

    ids: tuple[str, ...]
    labels: tuple[int, ...]
    scores: tuple[float, ...]


def encode(ids: Sequence[str], labels: Sequence[int], scores: Sequence[float]) -> bytes:
    """Return the bytes of the file: rows by id, floats by their shortest exact form.

    Equal predictions give equal bytes wherever zlib compresses alike; it does within one build of Python.
    """
    rows = sorted(zip(ids, labels, scores, strict=True))
    lines = [",".join(_COLUMNS), *(f"{_cell(row_id)},{int(label)},{float(score)!r}" for row_id, label, score in rows)]
    return _pack("\n".join([*lines, ""]).encode())


def decode(data: bytes, what: str = PREDICTIONS) -> Predictions:
    """Read the file strictly.

    Args:
        data: Its bytes.
        what: Its name, for errors.

    Raises:
        IntegrityError: It is damaged, too large, or holds anything but ids, labels and probabilities.
    """
    try:
        unpacked = _unpack(data, what)
        if unpacked.count(b"\n") > MOST_ROWS + 1:
            raise ValueError(f"it has more than {MOST_ROWS:,} rows")
        text = unpacked.decode("utf-8")
        rows = list(_rows(text))
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise IntegrityError(f"{what} holds no predictions: {error}") from error
    ids = tuple(row[0] for row in rows)
    if len(set(ids)) != len(ids):
        raise IntegrityError(f"{what} holds no predictions: an id stands twice")
    return Predictions(ids, tuple(row[1] for row in rows), tuple(row[2] for row in rows))


def _rows(text: str) -> Iterator[tuple[str, int, float]]:
    # Cut at line feeds alone: an id may hold any other sign that ends lines elsewhere.
    lines = csv.reader((f"{line}\n" for line in text.removesuffix("\n").split("\n")), strict=True)
    if next(lines) != _COLUMNS:
        raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
    for row in lines:
        if len(row) != len(_COLUMNS):
            raise ValueError(f"line {lines.line_num} has {len(row)} cells")
        row_id, label, score = row
        if label not in {"0", "1"}:
            raise ValueError(f"line {lines.line_num} has the label {label[:40]!r}, which is neither 0 nor 1")
        if not _NUMBER.fullmatch(score) or not float(score) <= 1:
            raise ValueError(f"line {lines.line_num} has the score {score[:40]!r}, which is no probability")
        yield row_id, int(label), float(score)


def _cell(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if _QUOTED.search(text) else text


def _pack(data: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    body = packer.compress(data) + packer.flush()
    return _HEADER + body + zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")


def _unpack(data: bytes, what: str) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise IntegrityError(f"{what} cannot be unpacked: {error}") from error
    if len(unpacked) > LARGEST:
        raise IntegrityError(f"{what} unpacks to more than {LARGEST:,} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise IntegrityError(f"{what} is cut off, or something follows it")
    return unpacked
