"""Data snapshots: tables kept under the digest of their own bytes, or only known by it.

A snapshot lies in `.artreg/data/<name>/<sha256>/` and appears whole, as a version does: its manifest claims the place,
its `checksum.txt` makes it exist. Whoever takes the same data again finds it there, or finishes what a writer that
died has left; so nothing of a snapshot is ever removed, and nobody's number can be spent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from artreg.core import keys
from artreg.core.manifest import MANIFEST, Manifest
from artreg.core.names import is_name
from artreg.core.snapshot import Snapshot, SnapshotRef, parse_snapshot
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.registry.handle import Registry
from artreg.registry.versions import list_entries
from artreg.store.interface import Kind

SNAPSHOT = "data_manifest.json"
"""The name of a snapshot's manifest."""

_LEAST_DIGITS = 8
_SHA256_DIGITS = 64


def find(registry: Registry, ref: SnapshotRef) -> Snapshot:
    """Return a snapshot; where its bytes are kept and it is referred to as well, the one with the bytes.

    Raises:
        NotFound: There is no such snapshot.
        IntegrityError: Its manifest is damaged.
    """
    found = look(registry, ref, copied=True) or look(registry, ref, copied=False)
    if found is None:
        raise _absent(registry, str(ref), ref.name)
    return found


def match(registry: Registry, text: str) -> Snapshot:
    """Return the snapshot that a person means: `name`, which is its newest, or `name@sha256:` and some of the digits.

    Raises:
        InvalidInput: It is no such text, or several snapshots begin like that.
        NotFound: There is none.
        IntegrityError: A manifest is damaged.
    """
    registry.store.require_root()
    name, at, target = text.partition("@")
    digits = target.removeprefix("sha256:")
    wrong = at and (digits == target or len(digits) < _LEAST_DIGITS or set(digits) - set("0123456789abcdef"))
    if not is_name(name) or wrong:
        raise InvalidInput(
            f"{text[:100]!r} is not a snapshot",
            hint=f"write churn for its newest, or churn@sha256:… with at least {_LEAST_DIGITS} digits",
        )
    if len(digits) == _SHA256_DIGITS:
        return find(registry, SnapshotRef(name, digits))
    found = [snapshot for snapshot in list_snapshots(registry, name) if snapshot.table.sha256.startswith(digits)]
    if not found:
        raise _absent(registry, text, name)
    if at and len(found) > 1:
        raise InvalidInput(
            f"{text} may be any of {', '.join(str(each.ref) for each in found)}", hint="write more digits"
        )
    return found[-1]


def list_snapshots(registry: Registry, name: str | None = None) -> list[Snapshot]:
    """Return the snapshots of a dataset, or of all, by name and then oldest first.

    Raises:
        IntegrityError: A manifest is damaged.
    """
    names = _datasets(registry) if name is None else [name]
    found = [snapshot for dataset in names for snapshot in _snapshots(registry, dataset)]
    return sorted(found, key=lambda each: (each.name, each.created_at, each.table.sha256))


def places(registry: Registry) -> Iterator[tuple[SnapshotRef, bool]]:
    """Yield the places where snapshots lie or are being made, and whether they hold the bytes."""
    for name in _datasets(registry):
        yield from _places(registry, name)


def look(registry: Registry, ref: SnapshotRef, *, copied: bool) -> Snapshot | None:
    """Return a snapshot that was taken whole, or None: only with its checksum.txt does it exist.

    Args:
        registry: The registry.
        ref: Which snapshot.
        copied: Whether the one is meant of which the registry keeps the bytes, or the reference.

    Raises:
        IntegrityError: Its manifest is damaged.
    """
    prefix = keys.snapshot_prefix(ref.name, ref.sha256, copied=copied)
    try:
        seal = registry.store.read(f"{prefix}/{MANIFEST}")
    except NotFound:
        return None
    try:
        data = registry.store.read(f"{prefix}/{SNAPSHOT}")
    except NotFound as error:
        raise IntegrityError(f"{SNAPSHOT} of {ref.short} is missing") from error
    snapshot = parse_snapshot(data, ref)
    if seal != manifest_of(snapshot, data).encode():
        raise IntegrityError(f"{MANIFEST} of {ref.short} does not belong to its {SNAPSHOT}")
    return snapshot


def manifest_of(snapshot: Snapshot, encoded: bytes) -> Manifest:
    files = {SNAPSHOT: hashlib.sha256(encoded).hexdigest()}
    return Manifest.of({**files, snapshot.data_file: snapshot.table.sha256} if snapshot.copied else files)


def _datasets(registry: Registry) -> list[str]:
    entries = list_entries(registry.store, keys.snapshots_prefix())
    return sorted(entry.name for entry in entries if entry.kind is Kind.FOLDER and is_name(entry.name))


def _places(registry: Registry, name: str) -> Iterator[tuple[SnapshotRef, bool]]:
    """Yield the places where snapshots of a dataset lie or are being made, and whether they hold the bytes."""
    for entry in list_entries(registry.store, keys.snapshots_prefix(name)):
        sha256, copied = entry.name.removesuffix(keys.REFERENCE), not entry.name.endswith(keys.REFERENCE)
        if entry.kind is Kind.FOLDER and len(sha256) == _SHA256_DIGITS and not set(sha256) - set("0123456789abcdef"):
            yield SnapshotRef(name, sha256), copied


def _snapshots(registry: Registry, name: str) -> Iterator[Snapshot]:
    places = list(_places(registry, name)) if is_name(name) else []
    for ref, copied in places:
        snapshot = look(registry, ref, copied=copied)
        if snapshot is not None and (copied or (ref, True) not in places):
            yield snapshot


def _absent(registry: Registry, what: str, name: str) -> NotFound:
    from artreg.core.near import did_you_mean, near  # noqa: PLC0415  # only errors need it

    found = [each.ref.short for each in _snapshots(registry, name)]
    names = _datasets(registry)
    suggestions = found[:3] or near(name, names)
    hint = did_you_mean(suggestions) or f"there are datasets {', '.join(names[:10]) or '(none)'}"
    if found:
        hint = f"of {name} there are {', '.join(found[:5])}"
    return NotFound(f"there is no snapshot {what} in {registry.store.url}", hint=hint, suggestions=suggestions)


def prefix_of(snapshot: Snapshot) -> str:
    return keys.snapshot_prefix(snapshot.name, snapshot.table.sha256, copied=snapshot.copied)
