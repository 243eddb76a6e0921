"""Taking a data snapshot: whoever comes second finds it there, or finishes what was begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from artreg.core.manifest import MANIFEST
from artreg.core.names import is_name
from artreg.core.snapshot import Snapshot, SnapshotRef, TableDescription, parse_snapshot
from artreg.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.snapshots import SNAPSHOT, look, manifest_of, prefix_of
from artreg.store.interface import Chunk, TreeFile

Data = Path | bytes | Callable[[], Iterator[Chunk]]
"""The bytes of a table, the file that holds them, or a function that yields them from the start."""


class Taken(Frozen):
    """A snapshot that is there now.

    Attributes:
        snapshot: The snapshot.
        created: Whether this call made it.
        path: Where it lies.
    """

    snapshot: Snapshot
    created: bool
    path: str


def take(
    registry: Registry,
    name: str,
    table: TableDescription,
    source: str,
    data: Path | bytes | None,
    *,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Taken:
    """Keep a table, or only what is known of it; the same table again changes nothing.

    Args:
        registry: Where to.
        name: What the dataset is called.
        table: What the table holds.
        source: Where its bytes came from, without credentials.
        data: Its bytes, or the file that holds them; None to keep only a reference.
        dry_run: Say what would happen, but write nothing.
        reporter: Told of the bytes that were stored.

    Raises:
        InvalidInput: The name is none.
        IntegrityError: The data changed meanwhile; or what lies there already is damaged.
        Conflict: Somebody is taking the same data just now.
        StorageError: Storage failed; nothing is visible.
    """
    if not is_name(name):
        raise InvalidInput(
            f"{name[:100]!r} is not the name of a dataset",
            hint="names are 1 to 64 lower-case letters, digits, and . _ - between them",
        )
    registry.store.require_root()
    ref, copied = SnapshotRef(name, table.sha256), data is not None
    there = look(registry, ref, copied=True) or (None if copied else look(registry, ref, copied=False))
    if there is not None:
        if not dry_run:  # whoever took it may have died before it was durable
            registry.store.persist([prefix_of(there)])
        return Taken(there, False, _path(registry, there))
    made = Snapshot(name, table, copied, source, registry.timestamp(), registry.actor, registry.new_id())
    if dry_run:
        return Taken(made, True, _path(registry, made))
    return keep(registry, made, data, reporter)


def keep(registry: Registry, made: Snapshot, data: Data | None, reporter: Reporter = SILENT) -> Taken:
    """Put a snapshot in its place, or finish the one that somebody else began there.

    Args:
        registry: Where to.
        made: The snapshot.
        data: Its bytes, the file that holds them, or a function that yields them; None to keep only a reference.
        reporter: Told of the bytes that were stored.

    Raises:
        IntegrityError: These are not its bytes; or what lies there already is damaged.
        Conflict: Somebody is taking the same data just now.
        StorageError: Storage failed; nothing is visible.
    """
    registry.store.prepare_writing()
    try:
        _put(registry, made, data, reporter)
    except AlreadyExists:
        return _settle(registry, made, data, reporter)
    return Taken(made, True, _path(registry, made))


def _put(registry: Registry, snapshot: Snapshot, data: Data | None, reporter: Reporter) -> None:
    encoded, table = snapshot.encode(), snapshot.table
    files = [small_file(SNAPSHOT, encoded), small_file(MANIFEST, manifest_of(snapshot, encoded).encode())]
    if data is not None:
        files.insert(0, TreeFile(snapshot.data_file, data, table.size, table.sha256))
    progress = reporter.step(f"keep {snapshot.ref.short}", sum(file.size for file in files))
    registry.store.put_tree(prefix_of(snapshot), files, claim=SNAPSHOT, seal=MANIFEST, progress=progress)


def _settle(registry: Registry, made: Snapshot, data: Data | None, reporter: Reporter) -> Taken:
    """Say what it means that somebody else's attempt lies there: it is done, or to be finished as it was begun."""
    there = look(registry, made.ref, copied=made.copied)
    if there is not None:
        return Taken(there, False, _path(registry, there))
    try:
        begun = parse_snapshot(registry.store.read(f"{prefix_of(made)}/{SNAPSHOT}"), made.ref)
        _put(registry, begun, data, reporter)
    except (NotFound, AlreadyExists) as error:
        there = look(registry, made.ref, copied=made.copied)
        if there is not None:
            return Taken(there, False, _path(registry, there))
        raise Conflict(f"somebody else is taking {made.ref.short} just now", hint="run it again in a while") from error
    return Taken(begun, False, _path(registry, begun))


def _path(registry: Registry, snapshot: Snapshot) -> str:
    return f"{registry.store.url}/{prefix_of(snapshot)}"
