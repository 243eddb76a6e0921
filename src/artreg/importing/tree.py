"""Folders of others on this machine: what lies in them, and copying from them. Nothing is written there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from artreg.core import canonical
from artreg.errors import IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.plainfile import read_plain
from artreg.store.interface import READ_LIMIT

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 2**20


class LocalFile(Frozen):
    """A plain file as it was when it was looked at.

    Attributes:
        name: Relative to the folder that was looked through.
        path: Where it lies.
        size: Bytes.
        modified: When it was written, in nanoseconds since 1970.
    """

    name: str
    path: str
    size: int
    modified: int


def files_below(folder: Path, skip: Callable[[str], bool] = lambda name: False) -> tuple[LocalFile, ...]:
    """Return the plain files below a folder, sorted by name.

    Args:
        folder: The folder.
        skip: Whether something directly in it is to be left out.

    Raises:
        InvalidInput: There is a link there, or something else that is no plain file.
        NotFound: The folder is not there.
        StorageError: It cannot be read.
    """
    with reading_source(folder):
        files = [plain_file(entry, name) for name, entry in entries_below(folder, skip)]
    return tuple(sorted(files, key=lambda file: file.name))


def entries_below(folder: Path, skip: Callable[[str], bool]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield whatever lies below a folder and is no folder itself, by its name relative to it; links are not followed.

    Raises:
        OSError: A folder cannot be read.
    """
    folders = [""]
    while folders:
        prefix = folders.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                if skip(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                else:
                    yield name, entry


def plain_file(entry: os.DirEntry[str], name: str) -> LocalFile:
    """Return a file.

    Raises:
        InvalidInput: It is a link, or no plain file.
        OSError: It cannot be looked at.
    """
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        kind = "a link" if entry.is_symlink() else "no plain file"
        raise InvalidInput(f"{name!r} is {kind}", hint="a version is made of plain files: put the file itself there")
    return LocalFile(name, entry.path, found.st_size, found.st_mtime_ns)


def print_of(files: Sequence[LocalFile]) -> str:
    """Return what changes whenever one of the files is written to, comes or goes."""
    return canonical.digest(canonical.dumps([[file.name, file.size, file.modified] for file in files]))


def is_hidden(name: str) -> bool:
    """Return whether something directly in a folder is of no concern to a version: what tools keep for themselves."""
    return name.startswith(".")


def copy_file(file: LocalFile, target: Path, seen: hashlib._Hash | None = None) -> str:
    """Copy a file to a new one, and return its digest.

    Args:
        file: The file.
        target: Where nothing lies yet; its folder is made.
        seen: What digests it; sha256 unless given.

    Raises:
        IntegrityError: It is not what it was when it was looked at, or was written to meanwhile.
        NotFound: It is gone.
        StorageError: It cannot be read, or the copy cannot be written.
    """
    seen = seen or hashlib.sha256()
    with reading_source(file.path):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file.path, _READ)
        with open(descriptor, "rb", buffering=0) as source, target.open("xb") as copy:
            before = os.fstat(descriptor)
            while stat.S_ISREG(before.st_mode) and (piece := source.read(_PIECE)):
                seen.update(piece)
                copy.write(piece)
                if copy.tell() > file.size:  # one that grows has no end
                    break
            after = os.fstat(descriptor)
    if {_stamp(before), _stamp(after)} != {(True, file.size, file.modified)}:
        raise IntegrityError(
            f"{file.name} was changed while it was imported", hint="run the command again when nobody writes there"
        )
    return seen.hexdigest()


def _stamp(found: os.stat_result) -> tuple[bool, int, int]:
    return stat.S_ISREG(found.st_mode), found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def reading_source(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system says while something of a source is read into errors of artreg's own."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{os.fsdecode(error.filename or path)} is not there") from error
    except OSError as error:
        raise unreadable(error, os.fsdecode(error.filename or path)) from error


def unreadable(error: OSError, what: str) -> StorageError:
    """Return the error for something of a source that cannot be read, or copied from there."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return StorageError(
        f"{what} cannot be {'copied' if full else 'read'}: {(error.strerror or str(error)).lower()}",
        hint=f"free some space in {tempfile.gettempdir()}, or set TMPDIR" if full else "see that it can be read there",
        errno=errno.errorcode.get(error.errno or 0),
    )


def read_small(file: LocalFile) -> str:
    """Return the text of a small file.

    Raises:
        InvalidInput: It is too large, or no text.
        NotFound: It is gone.
        StorageError: It cannot be read.
    """
    if file.size > READ_LIMIT:
        raise InvalidInput(f"{file.name} is larger than {READ_LIMIT:,} bytes")
    with reading_source(file.path):
        try:
            return read_plain(file.path, READ_LIMIT).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{file.name} is not UTF-8 at byte {error.start}") from error


def read_document(file: LocalFile) -> dict[str, Any]:
    """Return what a small JSON file holds.

    Raises:
        InvalidInput: It is not one JSON object, or too large.
        NotFound: It is gone.
        StorageError: It cannot be read.
    """
    try:
        return canonical.loads(read_small(file).encode(), file.name)
    except IntegrityError as error:
        raise InvalidInput(error.message, hint="it must be one JSON object without NaN or infinities") from error
