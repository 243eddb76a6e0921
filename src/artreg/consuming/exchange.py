"""Putting a folder in the place of another: at one stroke where the system can."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from artreg.errors import StorageError
from artreg.store.disk import sync_folder
from artreg.store.folders import remove_tree
from artreg.store.names import temporary_name

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP, errno.EPERM}


def put_in_place(new: Path, target: Path) -> None:
    """Put a folder in the place of whatever lies there, which is removed.

    Whoever opens a file by its path meanwhile sees the old folder or the new one. Only where the system cannot exchange
    two names (macOS, some network file systems, lower layers of an image) is there a moment in which there is neither.

    Raises:
        StorageError: It cannot be done.
    """
    try:
        old = new if _exchanged(new, target) else _moved(new, target)
        sync_folder(str(target.parent))
    except OSError as error:
        raise StorageError(f"{target} cannot be replaced: {error.strerror}", hint="see who uses it") from error
    remove_tree(str(old))


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names; False where the system has no way to."""
    import ctypes  # noqa: PLC0415  # a sync that replaces nothing needs none

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number))


def _moved(new: Path, target: Path) -> Path:
    """Move what lies there aside, and the new folder to its place; return where the old one is, if anywhere."""
    old = new.with_name(temporary_name())
    try:
        os.rename(target, old)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        remove_tree(str(target), quietly=False)  # it lies in a lower layer of an image, whose folders cannot be renamed
    os.rename(new, target)
    return old
