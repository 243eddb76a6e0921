"""Data snapshots checked, as versions are."""

from __future__ import annotations

from collections.abc import Iterator

from artreg.core.manifest import MANIFEST, Manifest
from artreg.core.snapshot import Snapshot
from artreg.errors import IntegrityError, NotFound
from artreg.registry.check import Checked, Problem, misplaced_files
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.snapshot_data import pieces, verified
from artreg.registry.snapshots import SNAPSHOT, look, manifest_of, places, prefix_of
from artreg.store.interface import Kind


def check_snapshot(
    registry: Registry, snapshot: Snapshot, *, quick: bool = False, reporter: Reporter = SILENT
) -> Checked:
    """Check a snapshot byte for byte: manifest and data; of a reference, only the manifest.

    Args:
        registry: The registry.
        snapshot: The snapshot.
        quick: Look only at the presence and size of files.
        reporter: Told of the bytes that were hashed.
    """
    prefix = prefix_of(snapshot)
    ref = f"{snapshot.ref.short}{'' if snapshot.copied else ' (reference)'}"
    entries = {entry.name: entry for entry in registry.store.walk(prefix)}
    try:
        manifest = Manifest.parse(registry.store.read(f"{prefix}/{MANIFEST}"), snapshot.ref.short)
        stored = registry.store.read(f"{prefix}/{SNAPSHOT}")
    except (IntegrityError, NotFound) as error:
        return Checked(ref, 0, 0, (Problem(MANIFEST, error.message),))
    problems = list(misplaced_files(manifest, entries))
    if manifest != manifest_of(snapshot, stored):
        problems.append(Problem(MANIFEST, "does not belong to the data and the manifest"))
    size = sum(entry.size for entry in entries.values() if entry.kind is Kind.FILE)
    if snapshot.copied and snapshot.data_file in entries:
        if entries[snapshot.data_file].size != snapshot.table.size:
            problems.append(Problem(snapshot.data_file, f"has not the {snapshot.table.size} bytes of its manifest"))
        elif not quick:
            problems += _wrong_bytes(registry, snapshot, reporter)
    return Checked(ref, len(entries), size, tuple(problems))


def check_snapshots(registry: Registry, *, quick: bool = False, reporter: Reporter = SILENT) -> tuple[Checked, ...]:
    """Check every snapshot of a registry; damage is in what is returned, and raises nothing."""
    checked = []
    for ref, copied in places(registry):
        try:
            snapshot = look(registry, ref, copied=copied)
        except IntegrityError as error:
            checked.append(Checked(ref.short, 0, 0, (Problem(SNAPSHOT, error.message),)))
            continue
        if snapshot is not None:
            checked.append(check_snapshot(registry, snapshot, quick=quick, reporter=reporter))
    return tuple(checked)


def _wrong_bytes(registry: Registry, snapshot: Snapshot, reporter: Reporter) -> Iterator[Problem]:
    progress = reporter.step(f"verify {snapshot.ref.short}", snapshot.table.size)
    try:
        for piece in verified(snapshot, pieces(registry, snapshot)):
            progress.advance(len(piece))
    except IntegrityError:
        yield Problem(snapshot.data_file, "does not match its checksum")
    except NotFound as error:
        yield Problem(snapshot.data_file, error.message)
