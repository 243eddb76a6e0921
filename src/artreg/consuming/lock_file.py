"""The lock as a file of the consuming project: read whole, replaced whole."""

from __future__ import annotations

import os

from artreg.core.lock import LARGEST, Lock, parse_lock
from artreg.errors import InvalidInput, NotFound, StorageError
from artreg.plainfile import read_plain, replace_plain


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """Return what a lock file says.

    Raises:
        NotFound: There is none.
        InvalidInput: It cannot be read, or is no lock.
        IntegrityError: It was altered.
    """
    lock = find_lock(path)
    if lock is None:
        raise NotFound(f"there is no {os.fspath(path)}", hint="make one: artreg lock churn@prod")
    return lock


def find_lock(path: str | os.PathLike[str]) -> Lock | None:
    """Return what a lock file says, or None if there is none.

    Raises:
        InvalidInput: It cannot be read, or is no lock.
        IntegrityError: It was altered.
    """
    name = os.fspath(path)
    try:
        return parse_lock(read_plain(path, LARGEST), name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}", hint="name a lock file: --file") from error


def write_lock(path: str | os.PathLike[str], lock: Lock) -> bool:
    """Put a lock in the place of the one that is there; False if the file says so already, to the byte.

    Whoever reads meanwhile sees the old one or the new one. Where the name is a link, what it leads to is replaced.

    Raises:
        InvalidInput: The registry's root cannot stand in a file.
        StorageError: It cannot be written; the old one is still there.
    """
    data, target, name = lock.encode(), os.path.realpath(path), os.fspath(path)
    try:
        if _holds(target, data):
            return False
        replace_plain(target, data)
    except OSError as error:
        raise StorageError(f"{name} cannot be written: {error.strerror}", hint="name another: --file") from error
    return True


def _holds(path: str, data: bytes) -> bool:
    try:
        return read_plain(path, len(data)) == data
    except OSError:
        return False
