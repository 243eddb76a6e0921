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

from artreg.frozen import Frozen
from artreg.store.disk import new_file, stamp_of, sync, write_all
from artreg.store.interface import Chunk, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash

_SMALL = 4 * 2**20
_STEP = 16 * 2**20
_BUFFER = 256 * 2**10
_UNSYNCED = 32 * 2**20
_FICLONE = 0x40049409  # of linux/fs.h
_CANNOT = {
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.ENOTTY,
    errno.EBADF,
    errno.EMLINK,
}


class NotPlain(OSError):
    """The source is no plain file."""


class Known(Frozen):
    """What a file was when it was last hashed.

    Attributes:
        stamp: What the system said of it; while that is so it need not be hashed again.
        sha256: Its digest.
    """

    stamp: tuple[int, ...]
    sha256: str


def copy_hashed(
    source: str | os.PathLike[str], target: str, progress: Progress, *, known: Known | None = None
) -> tuple[int, str]:
    """Copy a file to a new one, durably, and return the size and the sha256 of the copy.

    Args:
        source: The file.
        target: Where nothing lies yet.
        progress: Told of the bytes that were hashed.
        known: What the source was; if it still is, it is not hashed again, and if it is touched meanwhile, the digest
            that is returned is ''.

    Raises:
        NotPlain: The source is no plain file.
        OSError: It cannot be read, or the copy cannot be written; the error's `filename` says which.
    """
    reading = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(reading)
        if not stat.S_ISREG(found.st_mode):
            raise NotPlain(errno.EINVAL, "is no plain file", os.fspath(source))
        if known is not None and stamp_of(reading) != known.stamp:
            known = None
        writing = new_file(target, readable=True)
        try:
            if found.st_size <= _SMALL and known is None:
                return _copy_small(reading, writing, found.st_size, progress)
            size, sha256 = _copy_large(reading, writing, found.st_size, progress, known)
        finally:
            os.close(writing)
        return size, sha256 if known is None or stamp_of(reading) == known.stamp else ""
    finally:
        os.close(reading)


def link_hashed(
    source: str | os.PathLike[str], target: str, progress: Progress, *, known: Known | None = None
) -> tuple[int, str]:
    """Give a file a second name, or copy it where that cannot be; durably, and return its size and sha256.

    Args:
        source: The file.
        target: Where nothing lies yet.
        progress: Told of the bytes that were hashed.
        known: What the source was; if it still is, it is not hashed again.

    Raises:
        NotPlain: The source is no plain file.
        OSError: It cannot be read, or the name cannot be given.
    """
    before = _stamp(source) if known is not None else ()
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return copy_hashed(source, target, progress, known=known)
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotPlain(errno.EINVAL, "is no plain file", os.fspath(source))
        os.fchmod(descriptor, 0o444)  # nothing that is published is ever written again
        if (
            known is not None and before == known.stamp and stamp_of(descriptor)[:-1] == before[:-1]
        ):  # a link is a change
            progress.advance(found.st_size)
            size, sha256 = found.st_size, known.sha256
        else:
            size, sha256 = _hash_up_to(descriptor, iter([sys.maxsize]), progress)
        sync(descriptor)
    finally:
        os.close(descriptor)
    return size, sha256


def write_hashed(
    target: int,
    source: Iterable[Chunk],
    size: int,
    progress: Progress,
    *,
    seen: _Hash | None = None,
    durable: bool = True,
) -> tuple[int, str]:
    """Write a stream to a file, and return the size and the sha256 of what came.

    Of a large one each piece is written by one thread while another hashes it, and a third has the disk take in what
    was written, so that hardly any of that is left to wait for at the end.

    Args:
        target: The file's descriptor.
        source: Its bytes.
        size: How many they should be; what comes after so many and some more is not waited for.
        progress: Told of the bytes that were written.
        seen: The hash of what the file holds already; the digest is then that of the whole.
        durable: Whether the file is to outlast a loss of power.

    Raises:
        OSError: They cannot be written.
    """
    seen, come, synced = seen or hashlib.sha256(), 0, 0
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
            if durable and come - synced >= _UNSYNCED and (syncing is None or syncing.done()):
                if syncing is not None:
                    syncing.result()  # the kernel tells of a failure once
                syncing, synced = workers.submit(sync, target), come
        if syncing is not None:
            syncing.result()
    if durable:
        sync(target)
    return come, seen.hexdigest()


def _stamp(path: str | os.PathLike[str]) -> tuple[int, ...]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return stamp_of(descriptor)
    finally:
        os.close(descriptor)


def _copy_small(reading: int, writing: int, most: int, progress: Progress) -> tuple[int, str]:
    seen, size = hashlib.sha256(), 0
    while size <= most and (piece := os.read(reading, _SMALL)):  # one that grows has no end
        seen.update(piece)
        size += len(piece)
        write_all(writing, piece)
        progress.advance(len(piece))
    sync(writing)
    return size, seen.hexdigest()


def _copy_large(reading: int, writing: int, size: int, progress: Progress, known: Known | None) -> tuple[int, str]:
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
        hashed = (
            _hash_up_to(writing, arrived.places(), progress)
            if known is None
            else (_count_up_to(arrived.places(), progress), known.sha256)
        )
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


def _count_up_to(places: Iterator[int], progress: Progress) -> int:
    done = 0
    for place in places:
        progress.advance(place - done)
        done = place
    return done


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
