"""Taking stock of local files that are to be stored."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from artreg.errors import ArtregError, InvalidInput
from artreg.plainfile import is_trouble
from artreg.store.copying import NotPlain, copy_hashed, link_hashed
from artreg.store.disk import stamp_of, translate, writing_tree
from artreg.store.folders import cleaned, folders_of
from artreg.store.hashing import BUFFER, hash_descriptor
from artreg.store.interface import NO_PROGRESS, Progress, TreeFile

_WORKERS = 8  # small files mostly wait for the disk
_LARGE = 32 * 2**20


@contextmanager
def in_place(sources: Mapping[str, Path], *, progress: Progress = NO_PROGRESS) -> Iterator[tuple[TreeFile, ...]]:
    """Take stock of files where they lie, for a store that sends them somewhere else."""
    yield for_each(partial(_hashed, progress=progress), sources, threads=1)


def copied(
    folder: str, prefix: str, sources: Mapping[str, Path], *, link: bool, progress: Progress
) -> tuple[TreeFile, ...]:
    """Copy files into a folder of our own, or link them there, and take stock of what lies there then."""
    for parent in folders_of(sources):
        with writing_tree(prefix):
            os.mkdir(os.path.join(folder, parent))
    return for_each(partial(_copied, folder, prefix, link=link, progress=progress), sources, threads=2)


def for_each(
    action: Callable[[str, Path], TreeFile], sources: Mapping[str, Path], *, threads: int
) -> tuple[TreeFile, ...]:
    """Return what an action makes of each file: of several small ones at a time, of large ones as there are cores.

    Args:
        action: What is done with a file of a name.
        sources: The files by their names.
        threads: How many cores the action takes for a large file.
    """
    large = {name for name, source in sources.items() if _size(source) > _LARGE}
    few = max(1, (os.cpu_count() or 1) // threads)
    flying: dict[str, Future[TreeFile]] = {}
    with (
        ThreadPoolExecutor(_WORKERS, thread_name_prefix="artreg-stage") as many_at_once,
        ThreadPoolExecutor(few, thread_name_prefix="artreg-stage-large") as few_at_once,
    ):
        for name, path in sources.items():
            flying[name] = (few_at_once if name in large else many_at_once).submit(action, name, path)
        try:
            return tuple(future.result() for future in flying.values())
        except BaseException:
            for future in flying.values():
                future.cancel()
            raise


def _size(source: Path) -> int:
    try:
        return os.stat(source).st_size
    except OSError:
        return 0  # whoever reads it says what is wrong


def _hashed(name: str, source: Path, *, progress: Progress) -> TreeFile:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _no_file(source)
            before = stamp_of(descriptor)
            size, sha256 = hash_descriptor(descriptor, bytearray(BUFFER), progress)
            stamp = before if stamp_of(descriptor) == before else ()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(source, error) from error
    return TreeFile(name, source, size, sha256, stamp=stamp)


def _copied(folder: str, prefix: str, name: str, source: Path, *, link: bool, progress: Progress) -> TreeFile:
    target = os.path.join(folder, *name.split("/"))
    try:
        size, sha256 = (link_hashed if link else copy_hashed)(source, target, progress)
    except NotPlain as error:
        raise _no_file(source) from error
    except OSError as error:
        raise _explained(error, prefix, source, target) from error
    return TreeFile(name, Path(target), size, sha256, owned=True)


def _explained(error: OSError, prefix: str, source: Path, target: str) -> ArtregError:
    if error.filename == os.fspath(source):
        return _unreadable(source, error)
    if isinstance(error, FileNotFoundError) and error.filename == target:  # only a clean-up takes our folder away
        return cleaned(prefix)
    return translate(error, prefix, "written")


def _no_file(source: Path) -> InvalidInput:
    return InvalidInput(f"{source} is no plain file", hint="put the file itself there")


def _unreadable(source: Path, error: OSError) -> ArtregError:
    if is_trouble(error):
        return translate(error, str(source), "read")
    return InvalidInput(f"cannot read {source}: {error.strerror}", hint="name files that can be read")
