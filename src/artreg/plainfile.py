"""Small files that somebody names: read whole, bounded, never waiting for what is no file; and replaced whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

_NAMED = {
    errno.EACCES,
    errno.EFBIG,
    errno.EINVAL,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
}


def is_trouble(error: OSError) -> bool:
    """Return whether the machine, and not what a user named, is the reason that a file cannot be read."""
    return error.errno not in _NAMED


def read_plain(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the whole of a small file.

    A folder, a FIFO, a socket or a device is refused before a byte of it is read; a file that grows meanwhile is taken
    up to the limit.

    Args:
        path: The file; a symbolic link to it is followed, for a person may have put it there.
        limit: How many bytes it may have.

    Raises:
        OSError: It cannot be read, is no plain file, or is larger; `strerror` says so.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:  # a NUL, or half a surrogate pair
        raise OSError(errno.EINVAL, "no file can have such a name") from None
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        taken = bytearray()
        while found.st_size <= limit >= len(taken) and (piece := os.read(descriptor, limit + 1 - len(taken))):
            taken += piece
    finally:
        os.close(descriptor)
    if max(found.st_size, len(taken)) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes")
    return bytes(taken)


def replace_plain(path: str, data: bytes) -> None:
    """Put a small file in the place of the one that is there: whoever reads meanwhile sees the old one or the new one.

    Raises:
        OSError: It cannot be written, or what is there is no plain file, such as /dev/null; the old one is still there.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "what is there is no plain file")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
