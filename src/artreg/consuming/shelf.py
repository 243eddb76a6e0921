"""A version that lies in the cache, read as its registry is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from artreg.consuming.gathering import Gathered, find_manifest
from artreg.consuming.handle import Consumer
from artreg.consuming.using import use
from artreg.core import keys
from artreg.core.manifest import MANIFEST, RUN
from artreg.errors import NotFound, StorageError
from artreg.frozen import replace
from artreg.plainfile import read_plain
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.store.interface import READ_LIMIT, Entry, Kind

if TYPE_CHECKING:
    from artreg.store.interface import Store

T = TypeVar("T")


def work_on(
    consumer: Consumer,
    found: Resolved,
    work: Callable[[Registry], T],
    *,
    only: Collection[str] | None = None,
    fills: bool = True,
    reporter: Reporter = SILENT,
) -> tuple[T, str]:
    """Do some work that reads a version, through the cache if there is one.

    Args:
        consumer: Whose cache is used, and which registry.
        found: The version.
        work: Takes the registry that it reads the version in, and verifies what it reads; it may be done again.
        only: The names of the files that it reads; by default any.
        fills: Whether the work fills a disk.
        reporter: Told of the bytes that are fetched.

    Returns:
        What the work returned, and a note where something was wrong with the cache, else ''.

    Raises:
        NotFound: There is no such version; or, offline, the cache has not all of it.
        IntegrityError: It is damaged.
        StorageError: The registry cannot be read; or, offline, something else of it is needed.
    """
    registry = consumer.registry
    cache = consumer.require_cache() if consumer.offline else consumer.cache
    if cache is None:
        return work(registry), ""

    def read_there(gathered: Gathered | None) -> T:
        if gathered is None:
            return work(registry)
        shelf = _Shelf(registry.store, keys.version_prefix(found.model, found.version), gathered, consumer.offline)
        return work(replace(registry, store=cast("Store", shelf)))

    manifest = find_manifest(registry, cache, found, offline=consumer.offline)
    names = None if only is None else {*only, RUN, MANIFEST}
    done, _, trouble = use(consumer, cache, found, manifest, read_there, only=names, fills=fills, reporter=reporter)
    return done, f"warning: done without the cache {cache.folder}: {trouble}" if trouble else ""


class _Shelf:
    """A store that is only read, and has the files of one version on this machine, too; offline no others."""

    def __init__(self, store: Store, prefix: str, gathered: Gathered, offline: bool) -> None:
        self._store = store
        self._prefix = prefix
        self._files = {f"{prefix}/{file.name}": file for file in gathered.files}
        self._offline = offline

    @property
    def url(self) -> str:
        """The root of the registry."""
        return self._store.url

    def __getattr__(self, name: str) -> Any:
        if self._offline:
            raise StorageError("this takes asking the registry, which --offline forbids", hint="leave out --offline")
        return getattr(self._store, name)

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return the bytes of a small file."""
        file = self._files.get(key)
        if file is not None and isinstance(file.source, bytes):
            return file.source
        path = self.local_path(key)
        if path is None:
            return cast("bytes", self.__getattr__("read")(key, limit))
        try:
            return read_plain(path, limit)
        except OSError as error:
            raise NotFound(f"{key} is not there") from error

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield the files of the version."""
        if prefix != self._prefix:
            yield from self.__getattr__("walk")(prefix, sized=sized)
            return
        for key, file in self._files.items():
            yield Entry(key.removeprefix(f"{prefix}/"), Kind.FILE, file.size, 0.0)

    def local_path(self, key: str) -> Path | None:
        """Return the file in the cache."""
        file = self._files.get(key)
        return file.source if file is not None and isinstance(file.source, os.PathLike) else None
