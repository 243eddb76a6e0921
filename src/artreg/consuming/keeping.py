"""Keeping the cache small and whole: what is in it, what is removed first, what is damaged."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator

from artreg.consuming.cache import Cache, Entry, listed
from artreg.consuming.leases import nobody_comes
from artreg.core.manifest import MANIFEST, RUN
from artreg.errors import StorageError
from artreg.frozen import Frozen
from artreg.registry.progress import SILENT, Reporter
from artreg.store.folders import remove_tree
from artreg.store.local import LocalStore

_PARTIAL = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Usage(Frozen):
    """What is in a cache.

    Attributes:
        entries: The files, those used last first.
        partial: Bytes of files that have not come whole.
    """

    entries: tuple[Entry, ...]
    partial: int

    @property
    def bytes(self) -> int:
        """How many bytes there are."""
        return sum(entry.size for entry in self.entries) + self.partial


class Removed(Frozen):
    """What was removed from a cache, or would be.

    Attributes:
        files: How many files.
        bytes: How many bytes these had.
        in_use: How many files were left because somebody is using them.
    """

    files: int
    bytes: int
    in_use: int


class Verified(Frozen):
    """What a verification of a cache found.

    Attributes:
        files: How many files were hashed.
        bytes: How many bytes these have.
        damaged: Those that are not what their names say.
    """

    files: int
    bytes: int
    damaged: tuple[Entry, ...]


def usage(cache: Cache) -> Usage:
    """Return what is in a cache.

    Raises:
        StorageError: It cannot be read.
    """
    with told(cache, "read"):
        entries = sorted(cache.entries(), key=lambda entry: (-entry.used, entry.sha256))
        return Usage(tuple(entries), sum(entry.size for entry in _partial(cache)))


def prune(cache: Cache, limit: int, *, dry_run: bool = False) -> Removed:
    """Remove what was not used for longest until no more bytes are left than the limit; never what is in use.

    Raises:
        StorageError: The folder cannot be written.
    """
    if not os.path.isdir(cache.folder):
        return Removed(0, 0, 0)
    with told(cache, "written"), nobody_comes(cache) as used:
        entries = sorted((*cache.entries(), *_partial(cache)), key=lambda entry: entry.used)
        excess = sum(entry.size for entry in entries) - limit
        removed: list[Entry] = []
        spared = 0
        for entry in entries:
            if excess <= 0 and limit:  # to remove all is to remove empty files too
                break
            if entry.sha256 in used:
                spared += 1
            elif dry_run or _remove(cache, entry.sha256):
                removed.append(entry)
                excess -= entry.size
        if not dry_run:
            _remove_trees(cache, used)
    return Removed(len(removed), sum(entry.size for entry in removed), spared)


def keep_within(cache: Cache) -> None:
    """Remove what was not used for longest if there is more in the cache than it is to hold.

    Raises:
        StorageError: The folder cannot be written.
    """
    if usage(cache).bytes > cache.limit:
        prune(cache, cache.limit)


def tidy(cache: Cache) -> None:
    """Keep within the limit where that can be done; where not, the cache is too large, no more."""
    with contextlib.suppress(StorageError):
        keep_within(cache)


def clear(cache: Cache, *, dry_run: bool = False) -> Removed:
    """Remove everything but what is in use, and forget what references meant.

    Raises:
        StorageError: The folder cannot be written.
    """
    removed = prune(cache, 0, dry_run=dry_run)
    if not dry_run:
        for name in listed(cache.place("resolved")):
            with told(cache, "written"), contextlib.suppress(FileNotFoundError):
                os.unlink(cache.place("resolved", name))
    return removed


def verify(cache: Cache, *, dry_run: bool = False, reporter: Reporter = SILENT) -> Verified:
    """Hash every file; those that are damaged are thrown away.

    Raises:
        StorageError: The folder cannot be read, or a damaged file not be removed.
    """
    entries = usage(cache).entries
    progress = reporter.step("verify the cache", sum(entry.size for entry in entries))
    store = LocalStore(cache.folder)
    files = [(f"{entry.sha256[:2]}/{entry.sha256}", entry.size) for entry in entries]
    digests = {digest.name[3:]: digest.sha256 for digest in store.digests("files", files, progress)}
    wrong = (entry for entry in entries if digests[entry.sha256] != entry.sha256)
    damaged = tuple(entry for entry in wrong if os.path.lexists(cache.path(entry.sha256)))  # else it was pruned
    if not dry_run:
        stuck = [entry for entry in damaged if not cache.discard(entry.sha256)]
        if stuck:
            raise StorageError(f"{cache.path(stuck[0].sha256)} is damaged", hint="remove it: artreg cannot")
    return Verified(len(entries), sum(entry.size for entry in entries), damaged)


def _partial(cache: Cache) -> Iterator[Entry]:
    for name in listed(cache.place("partial")):
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(cache.place("partial", name))
            yield Entry(f"partial/{name}", status.st_size, status.st_mtime)


def _remove(cache: Cache, name: str) -> bool:
    """Remove a file, or what has come of one if nobody is fetching it; return whether it is gone."""
    if not name.startswith("partial/"):
        return cache.discard(name)
    path = cache.place(name)
    with contextlib.suppress(OSError):
        descriptor = os.open(path, _PARTIAL)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(descriptor)
        return True
    return False


def _remove_trees(cache: Cache, used: set[str]) -> None:
    """Remove the folders of versions of which a file is no longer in the cache: they alone would keep its bytes."""
    names = [name for name in listed(cache.place("trees")) if name not in used]
    there = _inodes(cache.path(entry.sha256) for entry in cache.entries()) if names else set()
    for name in names:
        tree = cache.place("trees", name)
        own = {os.path.join(tree, RUN), os.path.join(tree, MANIFEST)}  # they are no second names
        paths = (os.path.join(parent, file) for parent, _, files in os.walk(tree) for file in files)
        if not _inodes(path for path in paths if path not in own) <= there:
            remove_tree(tree)


def _inodes(paths: Iterable[str]) -> set[int]:
    found = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # somebody has just thrown it away
            found.add(os.lstat(path).st_ino)
    return found


@contextlib.contextmanager
def told(cache: Cache, doing: str) -> Iterator[None]:
    """Say of an error of the system that it is the cache's.

    Raises:
        StorageError: There was one.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the cache {cache.folder} cannot be {doing}: {(error.strerror or str(error)).lower()}",
            hint="name another folder: the setting cache, or ARTREG_CACHE",
        ) from error
