"""Looks through a zip archive before anybody unpacks it: names, number, sizes, and what is packed inside of it.

An archive says of each member how large it will be, and is not to be believed: readers of Python's make room for
2 GiB at a time whatever it says. So every packed member is unpacked here once, a piece at a time, and counted.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from artreg.errors import IntegrityError
from artreg.inspection import arrays
from artreg.inspection.limits import DIRECTORY, MEMBERS, RATIO, unpacked_limit

ZIP_MAGIC = b"PK"
_PIECE = 2**16
_LOCAL_HEADER = 30
_NESTED = 1
_ENCRYPTED = 0x1
_NAME_LIMIT = 400


class Budget:
    """How much may still be unpacked, and how many members may still come, all archives of a file together."""

    def __init__(self, packed: int) -> None:
        self._limit = self._left = unpacked_limit(packed)
        self._members = MEMBERS

    def take(self, members: int, size: int, what: str) -> None:
        """Count what is about to be unpacked.

        Raises:
            IntegrityError: It is too much.
        """
        self._members -= members
        self._left -= size
        if self._members < 0:
            raise IntegrityError(f"{what} has more than {MEMBERS:,} members", hint=_HINT)
        if self._left < 0:
            raise IntegrityError(
                f"{what} unpacks to more than {self._limit:,} bytes, or {RATIO} times its size", hint=_HINT
            )


_HINT = "it is no model that artreg or scikit-learn's tools wrote; docs/loading.md shows the limits"


@contextmanager
def checked_archive(file: IO[bytes], what: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive of which every limit holds; afterwards the file is at its start again.

    Raises:
        IntegrityError: It is none, is damaged, or is beyond a limit.
    """
    size = file.seek(0, io.SEEK_END)
    try:
        with _opened(file, size, what) as archive:
            _check(archive, file, what, Budget(size), _NESTED)
            yield archive
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeError) as error:
        # zipfile raises NotImplementedError for ways of packing that it does not know
        raise IntegrityError(f"{what} is no archive that can be read: {error}") from error
    finally:
        file.seek(0)


class _ShortReads(io.BufferedIOBase):
    """A file that gives no more at a time than a table of contents may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = DIRECTORY + 1 if size is None or size < 0 else size
        data = self._file.read(min(wanted, DIRECTORY + 1))
        if len(data) > DIRECTORY:
            raise zipfile.BadZipFile(f"its table of contents has more than {DIRECTORY:,} bytes")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _opened(file: IO[bytes], size: int, what: str) -> zipfile.ZipFile:
    """Open an archive; its table of contents is read with bounded memory."""
    if size < len(ZIP_MAGIC):
        raise IntegrityError(f"{what} is no archive: it is empty")
    archive = zipfile.ZipFile(_ShortReads(file))
    if len(archive.infolist()) > MEMBERS:
        raise IntegrityError(f"{what} has more than {MEMBERS:,} members", hint=_HINT)
    return zipfile.ZipFile(file)


def _check(archive: zipfile.ZipFile, file: IO[bytes], what: str, budget: Budget, nested: int) -> None:
    entries = archive.infolist()
    budget.take(len(entries), sum(entry.file_size for entry in entries), what)
    _check_names(entries, what)
    _check_places(archive, entries, what)
    for entry in entries:
        _check_packing(entry, file, what)
    for entry in entries:
        _check_content(archive, entry, what, budget, nested)


def _check_names(entries: list[zipfile.ZipInfo], what: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        shown = f"the member {name[:_NAME_LIMIT]!r} of {what}"
        segments = name.split("/")
        if (
            name != entry.orig_filename
            or not name.isprintable()
            or "\\" in name
            or ":" in segments[0]
            or len(name) > _NAME_LIMIT
            or any(segment in {"", ".", ".."} for segment in segments)
        ):
            raise IntegrityError(f"{shown} has a name that no file of a model has", hint=_HINT)
        if name in seen:
            raise IntegrityError(f"{shown} stands twice", hint=_HINT)
        seen.add(name)
        if entry.flag_bits & _ENCRYPTED:
            raise IntegrityError(f"{shown} is encrypted", hint=_HINT)
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise IntegrityError(f"{shown} is packed by a method that is not read", hint="store it, or use deflate")


def _check_places(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], what: str) -> None:
    """See that no two members share bytes: one that does may unpack to any size for nothing."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    if archive.comment or (ordered and ordered[0].header_offset):
        raise IntegrityError(f"something stands before or behind the archive that {what} is", hint=_HINT)
    ends = [entry.header_offset for entry in ordered[1:]] + [archive.start_dir]
    for entry, end in zip(ordered, ends, strict=False):
        if entry.header_offset < 0 or entry.header_offset + _LOCAL_HEADER + entry.compress_size > end:
            raise IntegrityError(f"the member {entry.filename!r} of {what} overlaps with what follows", hint=_HINT)


def _check_packing(entry: zipfile.ZipInfo, file: IO[bytes], what: str) -> None:
    """See that a member unpacks to the very size that the archive claims, a piece at a time."""
    shown = f"the member {entry.filename!r} of {what}"
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER)
    name_length, extra_length = struct.unpack_from("<HH", header, 26)
    if header[:4] != b"PK\x03\x04" or file.read(name_length) != _encoded(entry):
        raise IntegrityError(f"{shown} is not where the archive says", hint=_HINT)
    file.seek(extra_length, io.SEEK_CUR)
    if entry.compress_type == zipfile.ZIP_STORED:
        if entry.file_size != entry.compress_size:
            raise IntegrityError(f"{shown} has another size than the archive says", hint=_HINT)
        return
    unpacker, left, counted = zlib.decompressobj(-zlib.MAX_WBITS), entry.compress_size, 0
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail
        if not packed:
            packed = file.read(min(left, _PIECE))
            left -= len(packed)
        counted += len(unpacker.decompress(packed, _PIECE))
        if counted > entry.file_size or not packed:
            break
    if counted != entry.file_size or not unpacker.eof or unpacker.unused_data or left:
        raise IntegrityError(f"{shown} has another size than the archive says", hint=_HINT)


def _encoded(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _check_content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, what: str, budget: Budget, nested: int) -> None:
    """Look into what readers would look into: arrays, and archives of arrays."""
    shown = f"{entry.filename} in {what}"
    with archive.open(entry) as member:
        head = member.read(arrays.HEAD)
        if head.startswith(arrays.MAGIC):
            arrays.check_array(head, entry.file_size, shown)
        elif head.startswith(ZIP_MAGIC):
            if not nested:
                raise IntegrityError(f"{shown} is an archive inside of an archive inside of an archive", hint=_HINT)
            inner = io.BytesIO(head + member.read())
            with _opened(inner, entry.file_size, shown) as archive_inside:
                _check(archive_inside, inner, shown, budget, nested - 1)
