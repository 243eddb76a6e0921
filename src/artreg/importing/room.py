"""Room for what is fetched: a folder that is gone afterwards, at the latest when the same user imports again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "artreg-import-"
_LOCK = "lock"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextlib.contextmanager
def room() -> Iterator[Path]:
    """Make an empty folder for the time being; it is removed whatever happens."""
    made = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    with made, open(Path(made.name, _LOCK), "xb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(made.name, "version")
        folder.mkdir()
        yield folder


def tidy() -> None:
    """Remove the rooms that this user's dead processes left."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = left.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and _is_dead(left / _LOCK):
                shutil.rmtree(left, ignore_errors=True)


def _is_dead(lock: Path) -> bool:
    """Return whether nobody holds a lock any more; one that is not there yet may be about to be held."""
    descriptor = os.open(lock, _READ)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
