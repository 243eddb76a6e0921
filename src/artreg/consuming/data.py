"""Data snapshots through the cache, as versions are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from artreg.consuming.cache import Cache
from artreg.consuming.filling import fill
from artreg.consuming.handle import Consumer
from artreg.consuming.keeping import tidy
from artreg.consuming.leases import leased
from artreg.consuming.remembering import keep, kept
from artreg.core import canonical
from artreg.core.snapshot import Snapshot, SnapshotRef, parse_snapshot
from artreg.errors import IntegrityError, NotFound
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.snapshot_data import pieces
from artreg.registry.snapshots import match
from artreg.store.disk import pieces as file_pieces
from artreg.store.interface import Chunk


def find(consumer: Consumer, text: str) -> Snapshot:
    """Return the snapshot that a person means; offline, the one that was meant when it was last asked about.

    Raises:
        InvalidInput: It is no such text, or several snapshots begin like that.
        NotFound: There is none; or, offline, nothing is remembered of it.
        IntegrityError: A manifest is damaged.
    """
    if not consumer.offline:
        found = match(consumer.registry, text)
        if consumer.cache is not None:
            for meant in {text, str(found.ref)}:
                keep(consumer.cache, consumer.place, f"data {meant}", found.encode())
        return found
    try:
        data = kept(consumer.require_cache(), consumer.place, f"data {text}")
        document = canonical.loads(data, "what is remembered")
        return parse_snapshot(data, SnapshotRef(str(document.get("name")), str(document.get("content_hash"))))
    except (OSError, IntegrityError) as error:
        raise NotFound(
            f"nothing is remembered of the data {text}", hint="pull them once while the registry can be asked"
        ) from error


def cached_pieces(
    consumer: Consumer, snapshot: Snapshot, reporter: Reporter = SILENT
) -> AbstractContextManager[Iterator[Chunk]] | None:
    """Return the bytes of a snapshot that the registry keeps, from the cache; None where the cache cannot be used.

    Raises:
        NotFound: Offline, and the cache has them not.
        StorageError: The registry cannot be read.
    """
    cache = consumer.require_cache() if consumer.offline else consumer.cache
    if cache is None:
        return None
    with leased(cache, (snapshot.table.sha256,)):
        descriptor = cache.open(snapshot.table.sha256)
        if descriptor is None and consumer.offline:
            raise NotFound(
                f"the cache does not have {snapshot.ref.short}", hint="pull it once while the registry can be asked"
            )
        if descriptor is None:
            descriptor = _fetch(consumer, cache, snapshot, reporter)
    tidy(cache)
    return None if descriptor is None else _pieces(descriptor)


def _fetch(consumer: Consumer, cache: Cache, snapshot: Snapshot, reporter: Reporter) -> int | None:
    table = snapshot.table
    progress = reporter.step(f"fetch {snapshot.ref.short}", table.size)
    try:
        fill(cache, table.sha256, table.size, partial(pieces, consumer.registry, snapshot), progress)
    except (OSError, IntegrityError):  # whoever takes them from the registry itself says what is wrong with them
        return None
    return cache.open(table.sha256)


@contextmanager
def _pieces(descriptor: int) -> Iterator[Iterator[Chunk]]:
    try:
        yield file_pieces(os.dup(descriptor))
    finally:
        os.close(descriptor)
