"""Files on their way onto a disk: the kernel copies in one thread while another hashes what has arrived.

What is hashed is the copy, not the source, so that the digest is that of the bytes which were stored. Every byte is
read twice at most (by the kernel, and from the page cache) and written once; where the file system shares blocks
between files, nothing is written at all.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from artreg.store.disk import new_file, sync, write_all
from artreg.store.interface import Chunk, Progress

_SMALL = 4 * 2**20
_STEP = 16 * 2**20
_BUFFER = 256 * 2**10
_UNSYNCED = 32 * 2**20
_FICLONE = 0x40049409  # of linux/fs.h
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.ENOTTY, errno.EBADF}


class NotPlain(OSError):
    """The source is no plain file."""


def copy_hashed(source: str | os.PathLike[str], target: str, progress: Progress) -> tuple[int, str]:
    """Copy a file to a new one, durably, and return the size and the sha256 of the copy.

    Args:
        source: The file.
        target: Where nothing lies yet.
        progress: Told of the bytes that were hashed.

    Raises:
        NotPlain: The source is no plain file.
        OSError: It cannot be read, or the copy cannot be written; the error's `filename` says which.
    """
    reading = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(reading)
        if not stat.S_ISREG(found.st_mode):
            raise NotPlain(errno.EINVAL, "is no plain file", os.fspath(source))
        writing = new_file(target, readable=True)
        try:
            if found.st_size <= _SMALL:
                return _copy_small(reading, writing, found.st_size, progress)
            return _copy_large(reading, writing, found.st_size, progress)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def link_hashed(source: str | os.PathLike[str], target: str, progress: Progress) -> tuple[int, str]:
    """Give a file a second name, or copy it where that cannot be; durably, and return its size and sha256.

    Raises:
        NotPlain: The source is no plain file.
        OSError: It cannot be read, or the name cannot be given.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return copy_hashed(source, target, progress)
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlain(errno.EINVAL, "is no plain file", os.fspath(source))
        os.fchmod(descriptor, 0o444)  # nothing that is published is ever written again
        size, sha256 = _hash_up_to(descriptor, iter([sys.maxsize]), progress)
        sync(descriptor)
    finally:
        os.close(descriptor)
    return size, sha256


def write_hashed(target: int, source: Iterable[Chunk], size: int, progress: Progress) -> tuple[int, str]:
    """Write a stream to a new file, durably, and return the size and the sha256 of what came.

    Of a large one each piece is written by one thread while another hashes it, and a third has the disk take in what
    was written, so that hardly any of that is left to wait for at the end.

    Args:
        target: The file's descriptor.
        source: Its bytes.
        size: How many they should be; what comes after so many and some more is not waited for.
        progress: Told of the bytes that were written.

    Raises:
        OSError: They cannot be written.
    """
    seen, come, synced = hashlib.sha256(), 0, 0
    with ThreadPoolExecutor(2, thread_name_prefix="artreg-write") as workers:
        syncing: Future[None] | None = None
        for piece in source:
            writing = workers.submit(write_all, target, piece) if len(piece) > _SMALL else None
            seen.update(piece)
            write_all(target, piece) if writing is None else writing.result()
            come += len(piece)
            progress.advance(len(piece))
            if come > size:
                break
            if come - synced >= _UNSYNCED and (syncing is None or syncing.done()):
                if syncing is not None:
                    syncing.result()  # the kernel tells of a failure once
                syncing, synced = workers.submit(sync, target), come
        if syncing is not None:
            syncing.result()
    sync(target)
    return come, seen.hexdigest()


def _copy_small(reading: int, writing: int, most: int, progress: Progress) -> tuple[int, str]:
    seen, size = hashlib.sha256(), 0
    while size <= most and (piece := os.read(reading, _SMALL)):  # one that grows has no end
        seen.update(piece)
        size += len(piece)
        write_all(writing, piece)
        progress.advance(len(piece))
    sync(writing)
    return size, seen.hexdigest()


def _copy_large(reading: int, writing: int, size: int, progress: Progress) -> tuple[int, str]:
    arrived = _Arrived()

    def copy() -> None:
        try:
            place = 0 if not _share(reading, writing) else size
            arrived.tell(place)
            while place <= size and (count := _copy_range(reading, writing, place)):
                place += count
                arrived.tell(place)
            sync(writing)
            arrived.end(None)
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            arrived.end(error)

    worker = threading.Thread(target=copy, name="artreg-copy", daemon=True)
    worker.start()
    try:
        hashed = _hash_up_to(writing, arrived.places(), progress)
    finally:
        arrived.give_up()
        worker.join()
    return hashed


class _Arrived:
    """How much of a copy is there already, told by one thread to another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._place = 0
        self._ended = False
        self._error: BaseException | None = None
        self._unwanted = False

    def tell(self, place: int) -> None:
        """Say how much there is; raises where nobody wants more."""
        with self._changed:
            self._place = place
            self._changed.notify()
            if self._unwanted:
                raise InterruptedError

    def end(self, error: BaseException | None) -> None:
        """Say that there will be no more."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def give_up(self) -> None:
        """Say that no more is wanted."""
        with self._changed:
            self._unwanted = True

    def places(self) -> Iterator[int]:
        """Yield how much there is whenever there is more, and raise what ended the copying early."""
        seen = -1
        while True:
            with self._changed:
                while self._place == seen and not self._ended:
                    self._changed.wait()
                if self._error is not None:
                    raise self._error
                place, ended = self._place, self._ended
            if place != seen:
                yield place
                seen = place
            elif ended:
                return


def _hash_up_to(descriptor: int, places: Iterator[int], progress: Progress) -> tuple[int, str]:
    """Hash a file as far as each place in turn."""
    seen, done = hashlib.sha256(), 0
    buffer = memoryview(bytearray(_BUFFER))
    for place in places:
        while done < place:
            count = os.readv(descriptor, [buffer[: min(_BUFFER, place - done)]])
            if not count:
                break
            seen.update(buffer[:count])
            done += count
            progress.advance(count)
    return done, seen.hexdigest()


def _share(reading: int, writing: int) -> bool:
    """Let both files have the same blocks, where the file system can; return whether it could."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415

    with contextlib.suppress(OSError):
        fcntl.ioctl(writing, _FICLONE, reading)
        return True
    return False


def _copy_range(reading: int, writing: int, place: int) -> int:
    """Copy some bytes from a place on, in the kernel if it can; return how many, 0 at the end."""
    if sys.platform == "linux":
        try:
            return os.copy_file_range(reading, writing, _STEP, place, place)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
    piece = os.pread(reading, _SMALL, place)
    rest = memoryview(piece)
    while rest:
        rest = rest[os.pwrite(writing, rest, place + len(piece) - len(rest)) :]
    return len(piece)
