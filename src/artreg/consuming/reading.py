"""Versions and their files for use where they lie: in the cache, read-only, and verified each time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from artreg.consuming.gathering import find_manifest, gather
from artreg.consuming.handle import Consumer
from artreg.consuming.keeping import tidy, told
from artreg.consuming.leases import leased, take
from artreg.consuming.pull import pull
from artreg.consuming.remembering import resolve
from artreg.consuming.using import TRIES
from artreg.core.manifest import MANIFEST, RUN
from artreg.core.names import Reference
from artreg.errors import AlreadyExists, NotFound
from artreg.registry.contents import Contents, contents_of, private_copy
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.store.folders import remove_tree
from artreg.store.interface import Chunk
from artreg.store.local import LocalStore

_PIECE = 2**20

_in_use: dict[tuple[str, str], int] = {}
"""The leases of folders that were handed out; they end with the process."""


def open_file(consumer: Consumer, found: Resolved, name: str, reporter: Reporter = SILENT) -> IO[bytes]:
    """Open a file of a version for reading; its bytes are verified before the first is read.

    Args:
        consumer: Whose cache is used, and which registry.
        found: The version.
        name: The file.
        reporter: Told of the bytes that were fetched.

    Raises:
        NotFound: There is no such version or file; or, offline, the cache has it not.
        IntegrityError: It is damaged.
        StorageError: It cannot be read.
    """
    cache = consumer.require_cache() if consumer.offline else consumer.cache
    for _ in range(TRIES if cache is not None else 0):
        assert cache is not None
        manifest = find_manifest(consumer.registry, cache, found, offline=consumer.offline)
        if name == MANIFEST:
            return io.BytesIO(manifest.encode())
        if name not in manifest.files:
            raise _no_file(found, name)
        sha256 = manifest.files[name]
        with leased(cache, (sha256,)):
            descriptor = cache.open(sha256)
            if descriptor is None and consumer.offline:
                raise NotFound(
                    f"the cache lacks {name} of {found}", hint="pull it once while the registry can be asked"
                )
            there = descriptor is not None
            if descriptor is None:
                gather(consumer.registry, cache, found, manifest, only=(name,), reporter=reporter)
                descriptor = cache.open(sha256)
        if descriptor is not None:
            if not there:
                tidy(cache)
            return os.fdopen(descriptor, "rb")
    return _without(consumer, found, name)


def version_folder(consumer: Consumer, found: Resolved, reporter: Reporter = SILENT) -> Path:
    """Return a folder in the cache that holds a version, verified just now; it is to be read, never written to.

    It stays there at least as long as this process lives.

    Raises:
        NotFound: There is no such version; or, offline, the cache has not all of it.
        IntegrityError: It is damaged.
        InvalidInput: There is no cache.
        StorageError: It cannot be read, or the cache cannot be written.
    """
    cache = consumer.require_cache()
    manifest = find_manifest(consumer.registry, cache, found, offline=consumer.offline)
    trees = LocalStore(cache.place("trees"))
    with told(cache, "written"):
        cache.make()
        if (cache.folder, found.digest) not in _in_use:
            _, _in_use[cache.folder, found.digest] = take(cache, (found.digest, *manifest.files.values()))
    try:
        pull(consumer, found, trees, found.digest, link=True, reporter=reporter)
    except AlreadyExists:  # it was altered
        remove_tree(cache.place("trees", found.digest))
        pull(consumer, found, trees, found.digest, link=True, reporter=reporter)
    return Path(cache.place("trees", found.digest))


class CachedContents(Contents):
    """A version whose files are read through the cache.

    Attributes:
        consumer: Whose cache.
    """

    consumer: Consumer

    def read(self, name: str) -> tuple[int, Iterator[Chunk]]:
        """Return how many bytes a file has, and the bytes."""
        file = open_file(self.consumer, self.found, name)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return size, _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[Chunk]:
    with file:
        yield from iter(lambda: file.read(_PIECE), b"")


def find_contents(consumer: Consumer, reference: Reference) -> Contents:
    """Return what a reference means, its files being in the cache or fetched into it; tidy it when they were read.

    Raises:
        NotFound: There is no such version; or, offline, the cache has not all of it.
        IntegrityError: It is damaged, or is not what its alias was pointed at.
    """
    found = resolve(consumer, reference).found
    cache = consumer.require_cache() if consumer.offline else consumer.cache
    if cache is None:
        return contents_of(consumer.registry, found)
    manifest = find_manifest(consumer.registry, cache, found, offline=consumer.offline)
    with leased(cache, manifest.files.values()):
        files = gather(consumer.registry, cache, found, manifest, offline=consumer.offline).files
    run = next(file.source for file in files if file.name == RUN)
    assert isinstance(run, bytes)
    sizes = {file.name: file.size for file in files}
    return CachedContents(consumer.registry, found, manifest, run, sizes, consumer)


def _without(consumer: Consumer, found: Resolved, name: str) -> IO[bytes]:
    contents = contents_of(consumer.registry, found)
    if name == MANIFEST:
        return io.BytesIO(contents.manifest.encode())
    if name not in contents.manifest.files:
        raise _no_file(found, name)
    return private_copy(contents, name)


def _no_file(found: Resolved, name: str) -> NotFound:
    return NotFound(f"{found} has no file {name!r}", hint="artreg show lists its files")
