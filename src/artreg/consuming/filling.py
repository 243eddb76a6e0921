"""Files on their way into the cache: each fetched by one process at a time, and gone on with after a crash.

What has come of a file lies under its digest, locked by whoever fetches it. After a crash the next one hashes what lies
there and asks for the rest alone; what comes out in the end must have the digest, or it is fetched from the start.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator

from artreg.consuming.cache import Cache
from artreg.errors import IntegrityError, NotFound
from artreg.store.copying import write_hashed
from artreg.store.disk import stamp_of
from artreg.store.hashing import BUFFER
from artreg.store.interface import NO_PROGRESS, Chunk, Progress

Source = Callable[[int], Iterator[Chunk]]
"""Yields the bytes of a file from a place on."""

_LOOK = 0.02
_PATIENCE = 10.0
"""Seconds without a byte after which another process that fetches the same file is not waited for any longer."""

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def fill(cache: Cache, sha256: str, size: int, source: Source, progress: Progress = NO_PROGRESS) -> tuple[int, ...]:
    """See that a file is in the cache.

    Args:
        cache: The cache.
        sha256: The file's digest.
        size: How many bytes it has.
        source: Where it comes from; asked only if nobody else has brought it meanwhile.
        progress: Told of the bytes that have come.

    Returns:
        What the system says of the file as it was hashed here; () if somebody else brought it, whom nobody believes.

    Raises:
        IntegrityError: What came does not have that digest.
        OSError: The cache cannot take it.
    """
    cache.make()
    claimed = _claim(cache, sha256)
    if claimed is None:
        progress.advance(size)
        return ()
    path, descriptor = claimed
    try:
        try:
            come = _receive(descriptor, sha256, size, source, progress)
        except (IntegrityError, NotFound, OSError):  # what is wrong, and what fills the disk, is not gone on with
            os.unlink(path)
            raise
        if come != (size, sha256):
            os.unlink(path)
            raise IntegrityError(
                f"{come[0]:,} bytes came that are not the {size:,} of sha256 {sha256[:12]}…",
                hint="artreg verify says what is damaged in the registry",
            )
        os.fchmod(descriptor, 0o444)
        os.makedirs(os.path.dirname(cache.path(sha256)), exist_ok=True)
        os.rename(path, cache.path(sha256))
        return stamp_of(descriptor)
    finally:
        os.close(descriptor)


def _receive(descriptor: int, sha256: str, size: int, source: Source, progress: Progress) -> tuple[int, str]:
    """Go on with what lies there; if that does not lead to the right file, begin again."""
    there = os.fstat(descriptor).st_size
    if 0 < there <= size:
        seen = _hashed(descriptor, progress)
        with contextlib.suppress(IntegrityError, NotFound):  # said where it is fetched from the start
            rest = source(there) if there < size else iter(())
            come = write_hashed(descriptor, rest, size - there, progress, seen=seen, durable=False)
            if come == (size - there, sha256):
                return size, sha256
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return write_hashed(descriptor, source(0), size, progress, durable=False)


def _hashed(descriptor: int, progress: Progress) -> hashlib._Hash:
    seen, buffer = hashlib.sha256(), bytearray(BUFFER)
    while count := os.readv(descriptor, [buffer]):
        seen.update(memoryview(buffer)[:count])
        progress.advance(count)
    return seen


def _claim(cache: Cache, sha256: str) -> tuple[str, int] | None:
    """Return the partial file of a digest, locked; None if the file has been brought meanwhile.

    Whoever is fetching it is waited for, unless nothing comes there any more: then it is fetched here as well, under a
    name of its own.
    """
    path = cache.place("partial", sha256)
    size, deadline = -1, 0.0
    while not os.path.lexists(cache.path(sha256)):
        descriptor = os.open(path, _OPEN, 0o600)
        if _lock(descriptor) and _is_at(descriptor, path):
            return path, descriptor
        there = os.fstat(descriptor).st_size
        os.close(descriptor)
        if there != size:
            size, deadline = there, time.monotonic() + _PATIENCE
        elif time.monotonic() > deadline:
            path, deadline = f"{cache.place('partial', sha256)}.{os.urandom(8).hex()}", deadline + _PATIENCE
        else:
            time.sleep(_LOOK)
    return None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: str) -> bool:
    """Whether a file is still where it was opened: somebody may have finished or removed it before it was locked."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False
