"""Pulling through the cache: what it has is not fetched, what it has not is fetched into it, and all is verified.

The files are put in their place by sharing blocks with those of the cache where the file system can, by a second name
where that is wished, and by copying otherwise. Each is hashed on the way unless it was fetched, and hashed, just now;
so a file that was altered in the cache is found, thrown away, and fetched again. Whatever is wrong with the cache, a
pull that could do without it does.
"""

from __future__ import annotations

from artreg.consuming.gathering import Gathered, find_manifest
from artreg.consuming.handle import Consumer
from artreg.consuming.using import use
from artreg.frozen import replace
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.pull import Pulled, already_there, put, put_files
from artreg.registry.resolve import Resolved
from artreg.store.interface import Store


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
    manifest = find_manifest(registry, cache, found, offline=offline)
    there = already_there(found, manifest, into, name)
    if there is not None:
        return replace(there, fetched=0)

    def take(gathered: Gathered | None) -> Pulled:
        if gathered is None:
            return put(registry, found, into, name, reporter=reporter)
        return put_files(found, gathered.files, into, name, dry_run=dry_run, reporter=reporter)

    done, gathered, trouble = use(consumer, cache, found, manifest, take, link=link, reporter=reporter)
    notes = (f"warning: pulled without the cache {cache.folder}: {trouble}",) if trouble else ()
    if gathered is None:
        return replace(done, notes=notes)
    fetched = 0 if offline else None if gathered.trouble else gathered.fetched
    return replace(done, fetched=fetched, notes=notes)
