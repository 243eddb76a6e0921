"""Work on files that come from the cache: what it lacks is fetched into it first, and kept for the next.

Whoever works hashes what he reads, so that a file that was altered in the cache is found, thrown away, and fetched
again; for that the work is done again. Whatever is wrong with the cache, work that could do without it does.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeVar

from artreg.consuming.cache import Cache
from artreg.consuming.gathering import Gathered, gather
from artreg.consuming.handle import Consumer
from artreg.consuming.keeping import keep_within
from artreg.consuming.leases import leased
from artreg.core.manifest import Manifest
from artreg.errors import IntegrityError, OutcomeUnknown, StorageError
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved

T = TypeVar("T")

TRIES = 3
"""Times that damaged files of the cache are thrown away and fetched again before it is done without."""


def use(
    consumer: Consumer,
    cache: Cache,
    found: Resolved,
    manifest: Manifest,
    work: Callable[[Gathered | None], T],
    *,
    only: Container[str] | None = None,
    link: bool = False,
    fills: bool = True,
    reporter: Reporter = SILENT,
) -> tuple[T, Gathered | None, str]:
    """Do some work on the files of a version.

    Args:
        consumer: Which registry they are from.
        cache: Where they are looked for first, and kept.
        found: The version.
        manifest: Its manifest.
        work: Takes the files, or None to take them from the registry itself; it may be done again after it failed.
        only: The names of those that are wanted; by default all are.
        link: Whether they may be used as they are, by a second name.
        fills: Whether the work fills a disk, so that it may fail for want of the room that the cache takes.
        reporter: Told of the bytes that are fetched.

    Returns:
        What the work returned; the files, None if it was done without the cache; and what was wrong with that, or ''.

    Raises:
        NotFound: Offline, and the cache has not all of it.
        IntegrityError: It is damaged.
        StorageError: The registry cannot be read.
    """
    trouble = "its files change while they are used"
    for _ in range(TRIES):
        with leased(cache, (found.digest, *manifest.files.values())):
            gathered = gather(
                consumer.registry,
                cache,
                found,
                manifest,
                only=only,
                offline=consumer.offline,
                link=link,
                reporter=reporter,
            )
            try:
                done = work(gathered)
            except OutcomeUnknown:
                raise
            except IntegrityError:
                _weed(cache, manifest)  # which somebody else may have done by now
                continue
            except StorageError as error:
                if consumer.offline or not fills:
                    raise
                _make_room(cache, gathered)
                trouble = error.message
                break
        return done, gathered, gathered.trouble or _keep_within(cache, gathered)
    if consumer.offline:
        raise IntegrityError(f"the cache cannot be used: {trouble}", hint="see artreg cache verify")
    return work(None), None, trouble


def _weed(cache: Cache, manifest: Manifest) -> None:
    """Throw away what is damaged in the cache."""
    for sha256 in set(manifest.files.values()):
        cache.check(sha256)


def _make_room(cache: Cache, gathered: Gathered) -> None:
    """Throw away what was put into the cache just now: it may be what the disk has no room for."""
    for sha256 in gathered.brought:
        cache.discard(sha256)


def _keep_within(cache: Cache, gathered: Gathered) -> str:
    try:
        if gathered.brought:
            keep_within(cache)
    except StorageError as error:
        return error.message
    return ""
