"""Unpacks what joblib packs, under limits: a file of 48 kB may hold 50 MB of nothing."""

from __future__ import annotations

import bz2
import io
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from artreg.errors import IntegrityError, InvalidInput
from artreg.inspection.limits import RATIO, unpacked_limit

_PIECE = 2**20
_IN_MEMORY = 64 * 2**20
_LZMA_MEMORY = 256 * 2**20

_PACKINGS: dict[bytes, tuple[str, Callable[[], Any] | None]] = {
    b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    b"\x78": ("zlib", zlib.decompressobj),
    b"BZ": ("bz2", bz2.BZ2Decompressor),
    b"\xfd\x37\x7a\x58\x5a": ("xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY)),
    b"\x5d\x00": ("lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY)),
    b"\x04\x22\x4d\x18": ("lz4", None),
    b"ZF": ("that of joblib before 0.10", None),
}
"""The ways that joblib knows by how a file begins, as it tells them apart itself."""


def packing(head: bytes) -> str:
    """Return by which method a file is packed that begins so, or '' if it is not."""
    return next((name for magic, (name, _) in _PACKINGS.items() if head.startswith(magic)), "")


def unpacked(file: IO[bytes], what: str) -> IO[bytes]:
    """Return a file as it is unpacked, at its start: itself, if it is not packed.

    Raises:
        IntegrityError: It is damaged, or unpacks to too much.
        InvalidInput: It is packed by a method that is not read.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    method = packing(head)
    if not method:
        return file
    make = next(make for name, make in _PACKINGS.values() if name == method)
    if make is None:
        raise InvalidInput(f"{what} is packed by {method}, which is not read", hint="store it with compress=0, or zlib")
    limit, copy, counted = unpacked_limit(size), _Copy(), 0
    try:
        for piece in _pieces(file, make()):
            counted += len(piece)
            if counted > limit:
                raise IntegrityError(f"{what} unpacks to more than {limit:,} bytes, or {RATIO} times its size")
            copy.write(piece)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise IntegrityError(f"{what} cannot be unpacked: {error}") from error
    return copy.at_start()


class _Copy:
    """What was unpacked: in memory, and once it is large in a file without a name."""

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()

    def write(self, piece: bytes) -> None:
        if isinstance(self._file, io.BytesIO) and self._file.tell() + len(piece) > _IN_MEMORY:
            larger = tempfile.TemporaryFile()  # noqa: SIM115  # it is handed on
            larger.write(self._file.getbuffer())
            self._file = larger
        self._file.write(piece)

    def at_start(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file


def _pieces(file: IO[bytes], unpacker: Any) -> Iterator[bytes]:
    """Yield a packed file piece by piece; zlib hands back what it has not taken, the others keep it."""
    tail = b""
    while not unpacker.eof:
        packed = tail
        if not tail and getattr(unpacker, "needs_input", True):
            packed = file.read(_PIECE)
            if not packed:
                raise EOFError("it is cut off")
        yield unpacker.decompress(packed, _PIECE)
        tail = getattr(unpacker, "unconsumed_tail", b"")
    if unpacker.unused_data or file.read(1):
        raise ValueError("something follows it")
