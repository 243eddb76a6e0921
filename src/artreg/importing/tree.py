"""Folders of others on this machine: what lies in them, and copying from them. Nothing is written there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from artreg.core import canonical
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.plainfile import read_plain
from artreg.store.disk import translate
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
    files, folders = [], [""]
    with reading_source(folder):
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
                        files.append(_plain(entry, name))
    return tuple(sorted(files, key=lambda file: file.name))


def _plain(entry: os.DirEntry[str], name: str) -> LocalFile:
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        kind = "a link" if entry.is_symlink() else "no plain file"
        raise InvalidInput(f"{name!r} is {kind}", hint="a version is made of plain files: put the file itself there")
    return LocalFile(name, entry.path, found.st_size, found.st_mtime_ns)


def print_of(files: Sequence[LocalFile]) -> str:
    """Return what changes whenever one of the files is written to, comes or goes."""
    return canonical.digest(canonical.dumps([[file.name, file.size, file.modified] for file in files]))


def copy_file(file: LocalFile, target: Path) -> str:
    """Copy a file to a new one, and return its sha256.

    Raises:
        IntegrityError: It is not what it was when it was looked at, or was written to meanwhile.
        NotFound: It is gone.
        StorageError: It cannot be read, or the copy cannot be written.
    """
    seen = hashlib.sha256()
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
        raise translate(error, os.fsdecode(error.filename or path), "read") from error


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
