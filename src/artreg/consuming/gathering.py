"""The files of a version, most of them from the cache: what it has not is fetched into it first, several at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from artreg.consuming.cache import Cache
from artreg.consuming.filling import fill
from artreg.core import keys
from artreg.core.manifest import RUN, Manifest
from artreg.errors import NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.contents import check_run, pinned_manifest, read_parts
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.registry.transfer import tree_files
from artreg.store.interface import READ_LIMIT, Chunk, Progress, TreeFile

_SMALL = 8 * 2**20
_WORKERS = 8


class Gathered(Frozen):
    """The files of a version, ready to be put somewhere.

    Attributes:
        files: They, the manifest included.
        fetched: How many bytes came from the registry.
        brought: The digests of those that were put into the cache just now.
        trouble: Why some could not be put into the cache, or ''.
    """

    files: tuple[TreeFile, ...]
    fetched: int
    brought: frozenset[str]
    trouble: str


def find_manifest(registry: Registry, cache: Cache, found: Resolved, *, offline: bool = False) -> Manifest:
    """Return the manifest of a version, from the cache if it is there.

    Raises:
        NotFound: There is no such version; or, offline, the cache has no manifest of it.
        IntegrityError: It is damaged.
    """
    data = cache.read(found.digest, READ_LIMIT)
    if data is not None:
        return Manifest.parse(data, str(found))
    if offline:
        raise NotFound(f"the cache does not have {found}", hint="pull it once while the registry can be asked")
    manifest = pinned_manifest(registry, found)
    data = manifest.encode()
    with contextlib.suppress(OSError):  # said where a file cannot be kept
        fill(cache, found.digest, len(data), lambda start: iter((data[start:],)))
    return manifest


def gather(
    registry: Registry,
    cache: Cache,
    found: Resolved,
    manifest: Manifest,
    *,
    only: Container[str] | None = None,
    offline: bool = False,
    link: bool = False,
    reporter: Reporter = SILENT,
) -> Gathered:
    """Return the files of a version; what the cache has not is fetched into it.

    What is in the cache is not verified here: whoever puts the files somewhere does that on the way.

    Args:
        registry: Where they are fetched from.
        cache: Where they are looked for first.
        found: The version.
        manifest: Its manifest.
        only: The names of the files that are wanted; by default all are.
        offline: Fetch nothing.
        link: Whether the files may be used as they are, by a second name.
        reporter: Told of the bytes that are fetched.

    Raises:
        NotFound: Offline, and the cache has not all of them.
        IntegrityError: The version is damaged.
        StorageError: The registry cannot be read.
    """
    named = {name: sha256 for name, sha256 in manifest.files.items() if only is None or name in only}
    there = cache.sizes({found.digest, *named.values()})
    missing = [name for name, sha256 in named.items() if sha256 not in there]
    run = cache.read(manifest.files[RUN], READ_LIMIT) if RUN in manifest.files and not missing else None
    if run is not None:
        check_run(run, manifest, found.model, found.version)
        sizes: Mapping[str, int] = {name: there[sha256] for name, sha256 in named.items()}
    elif offline:
        raise NotFound(
            f"the cache lacks {len(missing) or 1} of the {len(named)} files of {found}",
            hint="pull it once while the registry can be asked",
        )
    else:
        run, sizes = read_parts(registry, found.model, found.version, manifest)
        there.pop(manifest.files[RUN], None)  # it may have been thrown away just now
    files = tree_files(registry.store, keys.version_prefix(found.model, found.version), manifest, run, sizes)
    fetching = _Fetching(registry, found, cache)
    wanted = [file for file in files if only is None or file.name in only]
    fetching.all([file for file in wanted if file.sha256 not in there], reporter)
    cached = there.keys() | fetching.stamps.keys()
    return Gathered(
        tuple(
            replace(
                file,
                source=Path(cache.path(file.sha256)),
                stamp=fetching.stamps.get(file.sha256, ()),
                linked=link,
            )
            if file.sha256 in cached and not isinstance(file.source, bytes)
            else file
            for file in wanted
        ),
        fetching.bytes,
        frozenset(fetching.stamps),
        fetching.trouble,
    )


class _Fetching:
    """Fetches files into the cache until it cannot take any more."""

    def __init__(self, registry: Registry, found: Resolved, cache: Cache) -> None:
        self._store = registry.store
        self._found = found
        self._cache = cache
        self._lock = threading.Lock()
        self.stamps: dict[str, tuple[int, ...]] = {}
        self.bytes = 0
        self.trouble = ""

    def all(self, files: list[TreeFile], reporter: Reporter) -> None:
        """Fetch several small files at a time, and large ones, of which the store fetches several parts, one by one."""
        files = list({file.sha256: file for file in files}.values())
        total = sum(file.size for file in files)
        if not files or not self._has_room(total):
            return
        progress = reporter.step(f"fetch {self._found}", total)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="artreg-fetch") as workers:
            small = [workers.submit(self._fetch, file, progress) for file in files if file.size <= _SMALL]
            try:
                for future in small:
                    future.result()
            except BaseException:
                workers.shutdown(wait=True, cancel_futures=True)
                raise
        for file in files:
            if file.size > _SMALL:
                self._fetch(file, progress)

    def _fetch(self, file: TreeFile, progress: Progress) -> None:
        if self.trouble:
            return
        try:
            self.stamps[file.sha256] = fill(self._cache, file.sha256, file.size, self._source(file), progress)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.trouble = (error.strerror or str(error)).lower()

    def _source(self, file: TreeFile) -> Callable[[int], Iterator[Chunk]]:
        if isinstance(file.source, bytes):
            data = file.source
            return lambda start: self._counted(iter((data[start:],)))
        key = keys.version_file(self._found.model, self._found.version, file.name)
        return lambda start: self._counted(self._store.chunks(key, start))

    def _counted(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            with self._lock:
                self.bytes += len(chunk)
            yield chunk

    def _has_room(self, total: int) -> bool:
        """Whether the disk can take the files twice, once for the cache and once for where they are to go."""
        try:
            self._cache.make()
            figures = os.statvfs(self._cache.folder)
        except OSError as error:
            self._give_up(error)
            return False
        if figures.f_bavail * figures.f_frsize < 2 * total:
            self.trouble = "its disk has too little room"
            return False
        return True
