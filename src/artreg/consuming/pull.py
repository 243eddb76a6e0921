"""Pulling through the cache: what it has is not fetched, what it has not is fetched into it, and all is verified.

The files are put in their place by sharing blocks with those of the cache where the file system can, by a second name
where that is wished, and by copying otherwise. Each is hashed on the way unless it was fetched, and hashed, just now;
so a file that was altered in the cache is found, thrown away, and fetched again. Whatever is wrong with the cache, a
pull that could do without it does.
"""

from __future__ import annotations

from artreg.consuming.cache import Cache
from artreg.consuming.gathering import Gathered, find_manifest, gather
from artreg.consuming.handle import Consumer
from artreg.consuming.keeping import keep_within
from artreg.consuming.leases import leased
from artreg.core.manifest import Manifest
from artreg.errors import IntegrityError, OutcomeUnknown, StorageError
from artreg.frozen import replace
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.pull import Pulled, already_there, put, put_files
from artreg.registry.resolve import Resolved
from artreg.store.interface import Store

TRIES = 3
"""Times that damaged files of the cache are thrown away and fetched again before it is done without."""


def pull(
    consumer: Consumer,
    found: Resolved,
    into: Store,
    name: str,
    *,
    link: bool = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Pulled:
    """Copy a version into the folder `name` of a store; it appears there whole and verified, or not at all.

    Args:
        consumer: Whose cache is used, and which registry.
        found: The version, as a reference was resolved or as somebody pinned it: its digest decides.
        into: Where to.
        name: The folder to make there.
        link: Give the cache's files a second name where that can be, instead of copying them: they must then never be
            written to.
        dry_run: Only look whether it can be done.
        reporter: Told of the bytes that were fetched and put in their place.

    Raises:
        NotFound: There is no such version; or, offline, the cache has not all of it.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something else.
        StorageError: It cannot be read or written.
    """
    registry, offline = consumer.registry, consumer.offline
    cache = consumer.require_cache() if offline else consumer.cache
    if cache is None or (dry_run and not offline):
        return put(registry, found, into, name, dry_run=dry_run, reporter=reporter)
    trouble = "its files change while they are used"
    for _ in range(TRIES):
        manifest = find_manifest(registry, cache, found, offline=offline)
        there = already_there(found, manifest, into, name)
        if there is not None:
            return replace(there, fetched=0)
        with leased(cache, (found.digest, *manifest.files.values())):
            gathered = gather(registry, cache, found, manifest, offline=offline, link=link, reporter=reporter)
            try:
                done = put_files(found, gathered.files, into, name, dry_run=dry_run, reporter=reporter)
            except OutcomeUnknown:
                raise
            except IntegrityError:
                _weed(cache, manifest)  # which somebody else may have done by now
                continue
            except StorageError as error:
                if offline:
                    raise
                _make_room(cache, gathered)
                trouble = error.message
                break
        return _finished(done, gathered, cache, offline=offline)
    if offline:
        raise IntegrityError(f"the cache cannot be used: {trouble}", hint="see artreg cache verify")
    done = put(registry, found, into, name, reporter=reporter)
    return replace(done, notes=(_note(cache, trouble),))


def _weed(cache: Cache, manifest: Manifest) -> None:
    """Throw away what is damaged in the cache."""
    for sha256 in set(manifest.files.values()):
        cache.check(sha256)


def _make_room(cache: Cache, gathered: Gathered) -> None:
    """Throw away what was put into the cache just now: it may be what the disk has no room for."""
    for sha256 in gathered.brought:
        cache.discard(sha256)


def _finished(done: Pulled, gathered: Gathered, cache: Cache, *, offline: bool) -> Pulled:
    trouble = gathered.trouble
    if gathered.brought and not trouble:
        try:
            keep_within(cache)
        except StorageError as error:
            trouble = error.message
    fetched = 0 if offline else None if gathered.trouble else gathered.fetched
    return replace(done, fetched=fetched, notes=(_note(cache, trouble),) if trouble else ())


def _note(cache: Cache, trouble: str) -> str:
    return f"warning: pulled without the cache {cache.folder}: {trouble}"
