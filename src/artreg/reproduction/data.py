"""Provides the data of a version to a training, and says which rows differ where both tables are at hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from artreg.core.comparison import Axis, Difference
from artreg.core.comparison.facts import section
from artreg.core.snapshot import SnapshotRef
from artreg.errors import ArtregError, NotFound
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.snapshot_data import pieces, pull
from artreg.registry.snapshot_taking import take
from artreg.registry.snapshots import find
from artreg.reproduction.recorded import Recorded
from artreg.store.factory import open_store
from artreg.training.rows import RowChanges, compare_rows
from artreg.training.source import table_file
from artreg.training.table import parse_table

LARGEST = 256 * 2**20
"""Bytes of a table beyond which rows are not compared."""

_SHOWN = 3


def provide_data(before: Recorded, root: Path, base: Path, aside: Path, *, here: Path) -> tuple[str, ...]:
    """Put the data where a training finds them, checked.

    What the registry keeps is taken from there. What it does not keep is looked for where it was; whether that is
    still the same the comparison tells.

    Args:
        before: The version.
        root: The root of the registry that the training publishes into; a snapshot that the config names goes there.
        base: The folder that is trained in; data that lie there already are left as they are.
        aside: A folder for data for which the config has no place below `base`.
        here: The present folder.

    Returns:
        What to say to the training besides the config: `key=value` texts.

    Raises:
        NotFound: The data are nowhere.
        IntegrityError: They are not what they were; the message names the snapshot.
        StorageError: They cannot be read.
    """
    config, axis = section(section(before.facts.axis(Axis.CONFIG), "document"), "data"), before.facts.axis(Axis.DATA)
    path, snapshot = config.get("path"), axis.get("snapshot")
    if isinstance(config.get("snapshot"), str):
        _copy_snapshot(before.registry, SnapshotRef.parse(str(config["snapshot"])), root, aside)
        return ()
    if not isinstance(path, str) or path.startswith("sklearn:"):
        return ()  # the library brings its table along
    place = _place(path, axis)
    if place is not None and (base / place).exists():
        return ()
    if isinstance(snapshot, str):
        target = aside / "table" if place is None else base / place
        _fetch(before.registry, SnapshotRef.parse(snapshot), target)
        return (f"data.path={target}", f"data.name={SnapshotRef.parse(snapshot).name}") if place is None else ()
    if place is not None:
        _bring(here / place, base / place, before)
    return ()


def compare_tables(before: Recorded, after: Recorded) -> tuple[Difference, ...]:
    """Return how many rows differ and which, where both tables are kept and not too large; else nothing."""
    id_column = (before.facts.data or {}).get("id_column")
    try:
        tables = [_table(side) for side in (before, after)]
        if tables[0] is None or tables[1] is None or not isinstance(id_column, str):
            return ()
        frames = [parse_table(table, str(before), id_column) for table in tables if table is not None]
        return tuple(_told(compare_rows(frames[0], frames[1], id_column)))
    except (ArtregError, KeyError, ValueError, TypeError):
        return ()  # it is an explanation, and whatever keeps it from being made is no reason to fail


def _told(changes: RowChanges) -> list[Difference]:
    changed = [f"{row} ({', '.join(columns)})" for row, columns in changes.changed]
    kinds = (("changed", changed), ("added", list(changes.added)), ("removed", list(changes.removed)))
    return [
        Difference(f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} {kind}", note=_some(rows))
        for kind, rows in kinds
        if rows
    ]


def _some(rows: list[str]) -> str:
    return ", ".join(rows[:_SHOWN]) + (", …" if len(rows) > _SHOWN else "")


def _place(path: str, axis: Mapping[str, object]) -> str | None:
    """Return where the data lay, relative to the folder that was trained in, or None if they lay elsewhere."""
    dvc = section(section(axis, "lineage"), "dvc").get("path")
    place = dvc if isinstance(dvc, str) else path
    parts = PurePosixPath(place)
    return None if ":" in place or parts.is_absolute() or ".." in parts.parts else place


def _fetch(registry: Registry, ref: SnapshotRef, target: Path) -> None:
    snapshot = find(registry, ref)
    if snapshot.copied:
        pull(snapshot, pieces(registry, snapshot), target)
        return
    with table_file(snapshot.source, Path()) as table, table.path.open("rb") as file:
        pull(snapshot, iter(lambda: file.read(2**20), b""), target)


def _bring(source: Path, target: Path, version: Recorded) -> None:
    if not source.is_file():
        raise NotFound(
            f"the data of {version} are not kept in the registry, and {source} is not there", hint="put them back there"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_snapshot(registry: Registry, ref: SnapshotRef, root: Path, aside: Path) -> None:
    snapshot = find(registry, ref)
    _fetch(registry, ref, aside / "table")
    own = replace(registry, store=open_store(str(root)))
    take(own, snapshot.name, snapshot.table, snapshot.source, aside / "table")


def _table(version: Recorded) -> bytes | None:
    ref = version.facts.axis(Axis.DATA).get("snapshot")
    if not isinstance(ref, str):
        return None
    snapshot = find(version.registry, SnapshotRef.parse(ref))
    if not snapshot.copied or snapshot.table.size > LARGEST:
        return None
    return b"".join(bytes(piece) for piece in pieces(version.registry, snapshot))
