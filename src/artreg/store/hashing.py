"""sha256 of many files on a disk, at the speed at which the machine's cores hash.

Threads serve where files are large, since hashing and reading let others run meanwhile. Of small files most of the time
goes into Python itself, and so forked processes take them, where the process has no other threads that a fork would
leave behind.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from itertools import groupby

from artreg.errors import IntegrityError, NotFound
from artreg.store.disk import open_folder, reading
from artreg.store.forking import TASKS, shared
from artreg.store.interface import NO_PROGRESS, Digest, Progress

File = tuple[str, int]
"""A name, and the size that it is expected to have."""

_Told = tuple[str, str, str, int]
"""The fields of a digest; as they are they take a third of the time to come from another process."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SMALL = 64 * 2**10  # bytes that are read at once
_MIDDLE = 8 * 2**20  # bytes up to which many files are worth a fork
BUFFER = 256 * 2**10  # stays in a core's own cache between reading and hashing
_BATCH = 16 * 2**20  # bytes; a file that is larger is a task by itself
_MANY = 1000
_EACH = 250  # files a task, unless there would be too many


def digests(root: str, prefix: str, files: Sequence[File], progress: Progress = NO_PROGRESS) -> Iterator[Digest]:
    """Yield the digests of files below a folder, in any order.

    Args:
        root: The folder of the store.
        prefix: The folder below it.
        files: Names relative to that, each with the size that it is expected to have.
        progress: Told of the bytes that were hashed, by whichever thread hashed them.

    Raises:
        StorageError: The disk cannot be read.
    """
    cores = os.cpu_count() or 1
    small = [file for file in files if file[1] <= _MIDDLE]
    if len(small) < _MANY or cores == 1 or threading.active_count() > 1 or not hasattr(os, "fork"):
        small = []
    rest = files if not small else [file for file in files if file[1] > _MIDDLE]
    yield from _by_processes(root, prefix, small, cores, progress)
    yield from _by_threads(root, prefix, rest, cores, progress)


def _by_processes(root: str, prefix: str, files: Sequence[File], cores: int, progress: Progress) -> Iterator[Digest]:
    if not files:
        return
    tasks = tasks_of(files)

    def work(task: Sequence[File]) -> list[_Told]:
        return _hash_files(root, prefix, task, NO_PROGRESS)

    counted = 0
    for number, found in shared(tasks, work, cores):
        begun = max(counted, number + 1)  # tasks are taken in order: those before it are done by now, or soon
        progress.advance(sum(size for task in tasks[counted:begun] for _, size in task))
        counted = begun
        yield from (Digest(*told) for told in found)


def tasks_of(files: Sequence[File]) -> list[list[File]]:
    """Cut files into no more tasks than can be shared: a fourth is cut by number, and at most half by bytes."""
    count, size = len(files) // (TASKS // 4), sum(size for _, size in files) // (TASKS // 4)
    return list(_cut(files, max(_EACH, count), max(_BATCH, size)))


def _by_threads(root: str, prefix: str, files: Sequence[File], cores: int, progress: Progress) -> Iterator[Digest]:
    tasks = list(_cut(files, -(-len(files) // (2 * cores)) or 1, _BATCH))
    if len(tasks) <= 1:
        for task in tasks:
            yield from hash_files(root, prefix, task, progress)
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed  # noqa: PLC0415  # small files need none

    with ThreadPoolExecutor(cores, thread_name_prefix="artreg-hash") as workers:
        flying = [workers.submit(hash_files, root, prefix, task, progress) for task in tasks]
        try:
            for done in as_completed(flying):
                yield from done.result()
        except BaseException:
            workers.shutdown(wait=True, cancel_futures=True)
            raise


def _cut(files: Sequence[File], count: int, limit: int) -> Iterator[list[File]]:
    """Cut files into tasks of at most so many, and of about so many bytes."""
    task: list[File] = []
    size = 0
    for file in files:
        if task and (len(task) >= count or size + file[1] > limit):
            yield task
            task, size = [], 0
        task.append(file)
        size += file[1]
    if task:
        yield task


def hash_files(root: str, prefix: str, files: Sequence[File], progress: Progress = NO_PROGRESS) -> list[Digest]:
    """Return the digests of some files, in order; a folder is opened once for all of its files that follow each other.

    Raises:
        StorageError: The disk cannot be read.
    """
    return [Digest(*told) for told in _hash_files(root, prefix, files, progress)]


def _hash_files(root: str, prefix: str, files: Sequence[File], progress: Progress) -> list[_Told]:
    found: list[_Told] = []
    buffer = bytearray(BUFFER)
    for parent, inside in groupby(files, key=lambda file: file[0].rpartition("/")[0]):
        place = f"{prefix}/{parent}" if parent else prefix
        try:
            with reading(place):
                folder = open_folder(root, place)
        except (NotFound, IntegrityError) as error:
            found += [(name, "", error.message, 0) for name, _ in inside]
            continue
        try:
            found += [_hash_file(folder, prefix, file, buffer, progress) for file in inside]
        finally:
            os.close(folder)
    return found


def _hash_file(folder: int, prefix: str, file: File, buffer: bytearray, progress: Progress) -> _Told:
    name, size = file
    try:
        descriptor = os.open(name[name.rfind("/") + 1 :], _READ, dir_fd=folder)
        try:
            # A small file takes one call to the system: bytes, and as many as there should be, need no second look.
            data = os.read(descriptor, size + 1) if 0 < size <= _SMALL else b""
            if data and len(data) == size:
                progress.advance(size)
                return name, hashlib.sha256(data).hexdigest(), "", size
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return name, "", f"{prefix}/{name} is no plain file", 0
            os.lseek(descriptor, 0, os.SEEK_SET)
            size, sha256 = hash_descriptor(descriptor, buffer, progress)
            return name, sha256, "", size
        finally:
            os.close(descriptor)
    except (IsADirectoryError, BlockingIOError):
        return name, "", f"{prefix}/{name} is no plain file", 0
    except OSError as error:
        return name, "", _problem(error, f"{prefix}/{name}"), 0


def _problem(error: OSError, key: str) -> str:
    """Return what an error says of a file.

    Raises:
        StorageError: It says something of the disk.
    """
    try:
        with reading(key):
            raise error
    except (NotFound, IntegrityError) as known:
        return known.message


def hash_descriptor(descriptor: int, buffer: bytearray, progress: Progress) -> tuple[int, str]:
    """Return how many bytes a descriptor yields from its place on, and their sha256; of one that grows, not all."""
    seen, view, size = hashlib.sha256(), memoryview(buffer), 0
    most = os.fstat(descriptor).st_size
    while size <= most and (count := os.readv(descriptor, [buffer])):
        seen.update(view[:count])
        size += count
        progress.advance(count)
    return size, seen.hexdigest()
