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
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import repeat

from artreg.errors import IntegrityError, NotFound
from artreg.store.disk import open_folder, reading
from artreg.store.interface import NO_PROGRESS, Digest, Progress

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SMALL = 64 * 2**10
BUFFER = 256 * 2**10  # stays in a core's own cache between reading and hashing
_BATCH = 64 * 2**20  # bytes; a file that is larger is a task by itself
_MANY = 4000  # small files that are worth the start of processes


def digests(
    root: str, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
) -> Iterator[Digest]:
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
    small = [file for file in files if file[1] <= _SMALL]
    if len(small) < _MANY or cores == 1 or threading.active_count() > 1 or not hasattr(os, "fork"):
        small = []
    rest = files if not small else [file for file in files if file[1] > _SMALL]
    yield from _by_processes(root, prefix, small, cores, progress)
    yield from _by_threads(root, prefix, rest, cores, progress)


def _by_processes(
    root: str, prefix: str, files: Sequence[tuple[str, int]], cores: int, progress: Progress
) -> Iterator[Digest]:
    if not files:
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    sizes = dict(files)
    tasks = list(_cut(files, -(-len(files) // (4 * cores)), _BATCH))
    with ProcessPoolExecutor(cores, mp_context=get_context("fork")) as workers:
        for task, found in zip(tasks, workers.map(_plain, repeat(root), repeat(prefix), tasks), strict=True):
            progress.advance(sum(sizes[name] for name in task))
            yield from (Digest(name, *said) for name, said in zip(task, found, strict=True))


def _plain(root: str, prefix: str, names: list[str]) -> list[tuple[str, str]]:
    """Return digests and problems as plain tuples, which take a third of the time to come from another process."""
    return [(found.sha256, found.problem) for found in hash_files(root, prefix, names)]


def _by_threads(
    root: str, prefix: str, files: Sequence[tuple[str, int]], cores: int, progress: Progress
) -> Iterator[Digest]:
    tasks = list(_cut(files, -(-len(files) // (2 * cores)) or 1, _BATCH))
    if len(tasks) <= 1:
        for task in tasks:
            yield from hash_files(root, prefix, task, progress)
        return
    with ThreadPoolExecutor(cores, thread_name_prefix="artreg-hash") as workers:
        flying = [workers.submit(hash_files, root, prefix, task, progress) for task in tasks]
        try:
            for done in as_completed(flying):
                yield from done.result()
        except BaseException:
            workers.shutdown(wait=True, cancel_futures=True)
            raise


def _cut(files: Sequence[tuple[str, int]], count: int, limit: int) -> Iterator[list[str]]:
    """Cut files into tasks of at most so many, and of about so many bytes."""
    task: list[str] = []
    size = 0
    for name, length in files:
        if task and (len(task) >= count or size + length > limit):
            yield task
            task, size = [], 0
        task.append(name)
        size += length
    if task:
        yield task


def hash_files(root: str, prefix: str, names: Sequence[str], progress: Progress = NO_PROGRESS) -> list[Digest]:
    """Return the digests of some files, in order; a folder is opened once for all of its files that follow each other.

    Raises:
        StorageError: The disk cannot be read.
    """
    found: list[Digest] = []
    buffer = bytearray(BUFFER)
    rest = iter(names)
    first = next(rest, None)
    while first is not None:
        parent = first.rpartition("/")[0]
        try:
            with reading(f"{prefix}/{first}"):
                folder = open_folder(root, f"{prefix}/{parent}" if parent else prefix)
        except (NotFound, IntegrityError) as error:
            found.append(Digest(first, "", error.message))
            first = next(rest, None)
            continue
        try:
            while first is not None and first.rpartition("/")[0] == parent:
                found.append(_hash_file(folder, prefix, first, buffer, progress))
                first = next(rest, None)
        finally:
            os.close(folder)
    return found


def _hash_file(folder: int, prefix: str, name: str, buffer: bytearray, progress: Progress) -> Digest:
    try:
        with reading(f"{prefix}/{name}"):
            descriptor = os.open(name.rpartition("/")[2], _READ, dir_fd=folder)
            try:
                return Digest(name, _sha256(descriptor, f"{prefix}/{name}", buffer, progress))
            finally:
                os.close(descriptor)
    except (NotFound, IntegrityError) as error:
        return Digest(name, "", error.message)


def _sha256(descriptor: int, key: str, buffer: bytearray, progress: Progress) -> str:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise IntegrityError(f"{key} is no plain file")
    if found.st_size <= _SMALL and len(data := os.read(descriptor, _SMALL + 1)) == found.st_size:
        progress.advance(len(data))
        return hashlib.sha256(data).hexdigest()
    os.lseek(descriptor, 0, os.SEEK_SET)
    return hash_descriptor(descriptor, buffer, progress)[1]


def hash_descriptor(descriptor: int, buffer: bytearray, progress: Progress) -> tuple[int, str]:
    """Return how many bytes a descriptor yields from its place on, and their sha256."""
    seen, view, size = hashlib.sha256(), memoryview(buffer), 0
    while count := os.readv(descriptor, [buffer]):
        seen.update(view[:count])
        size += count
        progress.advance(count)
    return size, seen.hexdigest()
