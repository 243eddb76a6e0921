"""Writes a site into a folder: beside its place first, and then into it in one step."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from artreg.errors import AlreadyExists, StorageError
from artreg.plainfile import read_plain

MARKER = ".artreg-site"
"""The file that says that artreg made the folder, and which files in it are artreg's."""

_FORMAT = "artreg/site/1"
_LIMIT = 256 * 2**20
_SHOWN = 3
_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


def write(out: Path, files: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    """Write files into a folder, all or none; return how many they are, and their bytes.

    A folder that holds a site already is replaced in one step where the file system can exchange two folders, so that
    whoever reads meanwhile sees the one site or the other.

    Args:
        out: The folder.
        files: The files by their paths, made one after the other.

    Raises:
        AlreadyExists: The folder holds something else; nothing was changed.
        StorageError: It cannot be written; nothing was changed.
    """
    place = Path(os.path.realpath(out))
    require_own(place)
    with _writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _beside(place) as folder:
            names, size = [], 0
            for name, data in files:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                names.append(name)
                size += len(data)
            marker = json.dumps({"format": _FORMAT, "files": sorted(names)}, indent=0)
            (folder / MARKER).write_text(marker + "\n", encoding="utf-8")
            require_own(place)  # somebody may have put something there meanwhile
            _replace(folder, place)
        _tidy(place)
    return len(names), size


def require_own(out: Path) -> None:
    """Return if a folder may be replaced: it is not there, is empty, or holds what artreg wrote and nothing else.

    Raises:
        AlreadyExists: It holds something else.
    """
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise AlreadyExists(f"{out} is there, and is no folder", hint="name a folder that is not there yet")
    with _writing(out):
        found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_symlink() or not path.is_dir())
    own = _written(out)
    foreign = [name for name in found if name not in own]
    if foreign:
        shown = ", ".join(foreign[:_SHOWN]) + (" …" if len(foreign) > _SHOWN else "")
        raise AlreadyExists(
            f"{out} holds what artreg site did not write: {shown}",
            hint="name a folder that is new or empty, or move that elsewhere; nothing was changed",
        )


def _written(out: Path) -> set[str]:
    try:
        document = json.loads(read_plain(out / MARKER, _LIMIT))
        return {MARKER, *(str(name) for name in document["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{place} cannot be written: {error.strerror or error}",
            hint="name a folder that can be; nothing was changed",
        ) from error


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """Make a folder beside a place; it is locked as long as somebody works on it, and gone at the end."""
    folder = place.with_name(f"{_lead(place)}{token_hex(8)}")
    folder.mkdir()
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _replace(folder: Path, place: Path) -> None:
    """Put a folder into its place; what was there is where the folder was, or nowhere."""
    if not os.path.lexists(place):
        folder.rename(place)
    elif not _exchange(folder, place):
        aside = place.with_name(f"{_lead(place)}{token_hex(8)}")
        place.rename(aside)
        try:
            folder.rename(place)
        except OSError:
            aside.rename(place)
            raise
        aside.rename(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether the system can."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    return bool(call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _tidy(place: Path) -> None:
    """Remove what others who died left beside a place: whoever lives holds the lock."""
    for left in place.parent.glob(f"{_lead(place)}{'[0-9a-f]' * 16}"):
        with suppress(OSError):
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _lead(place: Path) -> str:
    return f".{place.name}.artreg-site-"
