"""Data snapshots: tables kept under the digest of their own bytes, or only known by it.

A snapshot lies in `.artreg/data/<name>/<sha256>/` and appears whole, as a version does: its manifest claims the place,
its `checksum.txt` makes it exist. Whoever takes the same data again finds it there, or finishes what a writer that
died has left; so nothing of a snapshot is ever removed, and nobody's number can be spent.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from artreg.core import keys
from artreg.core.manifest import MANIFEST, Manifest
from artreg.core.names import is_name
from artreg.core.snapshot import Snapshot, SnapshotRef, TableDescription, parse_snapshot
from artreg.errors import AlreadyExists, Conflict, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.registry.check import Checked, Problem, misplaced_files
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.versions import list_entries
from artreg.store.interface import Chunk, Kind, TreeFile

SNAPSHOT = "data_manifest.json"
"""The name of a snapshot's manifest."""

Data = Path | bytes | Callable[[], Iterator[Chunk]]
"""The bytes of a table, the file that holds them, or a function that yields them from the start."""

_LEAST_DIGITS = 8
_SHA256_DIGITS = 64


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
            registry.store.persist([_prefix(there)])
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


def pieces(registry: Registry, snapshot: Snapshot) -> Iterator[Chunk]:
    """Yield the bytes of a snapshot that the registry keeps, as they lie there.

    Raises:
        NotFound: They are not there.
    """
    return registry.store.chunks(f"{_prefix(snapshot)}/{snapshot.data_file}")


def pull(snapshot: Snapshot, data: Iterable[Chunk], target: Path) -> bool:
    """Write the bytes of a snapshot to a file, which appears whole and verified or not at all.

    Args:
        snapshot: The snapshot.
        data: Its bytes, from the registry or from where they lie.
        target: The file.

    Returns:
        Whether it was written; False if it held these very bytes already.

    Raises:
        AlreadyExists: The file is there and holds something else.
        IntegrityError: These are not the bytes of the snapshot; nothing was written.
        StorageError: The file cannot be written.
    """
    if target.exists():
        if not target.is_file() or _file_digest(target) != snapshot.table.sha256:
            raise AlreadyExists(f"{target} is there and holds something else", hint="remove it, or name another file")
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in verified(snapshot, data):
                    file.write(piece)
                os.fchmod(file.fileno(), 0o644)  # mkstemp makes it private, and data is there to be shared
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}", hint="name a file that can be") from error
    return True


def verified(snapshot: Snapshot, data: Iterable[Chunk]) -> Iterator[Chunk]:
    """Hand on the bytes of a snapshot, and fail at their end if they are others.

    Raises:
        IntegrityError: They are not the bytes of the snapshot; the message names it, and where they came from.
    """
    sha256, size = hashlib.sha256(), 0
    for piece in data:
        sha256.update(piece)
        size += len(piece)
        yield piece
    if sha256.hexdigest() != snapshot.table.sha256:
        where = "the registry's copy" if snapshot.copied else snapshot.source
        raise IntegrityError(
            f"{where} is not {snapshot.ref.short} any more: {size:,} bytes with sha256 {sha256.hexdigest()[:12]}…"
            f" instead of {snapshot.table.size:,} with {snapshot.table.sha256[:12]}…",
            hint="put the old data back; or take a new snapshot of what is there now, and train with that",
            snapshot=str(snapshot.ref),
            found=sha256.hexdigest(),
        )


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
    prefix = _prefix(snapshot)
    ref = f"{snapshot.ref.short}{'' if snapshot.copied else ' (reference)'}"
    entries = {entry.name: entry for entry in registry.store.walk(prefix)}
    try:
        manifest = Manifest.parse(registry.store.read(f"{prefix}/{MANIFEST}"), snapshot.ref.short)
        stored = registry.store.read(f"{prefix}/{SNAPSHOT}")
    except (IntegrityError, NotFound) as error:
        return Checked(ref, 0, 0, (Problem(MANIFEST, error.message),))
    problems = list(misplaced_files(manifest, entries))
    if manifest != _manifest(snapshot, stored):
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


def places(registry: Registry) -> Iterator[tuple[SnapshotRef, bool]]:
    """Yield the places where snapshots lie or are being made, and whether they hold the bytes."""
    for name in _datasets(registry):
        yield from _places(registry, name)


def _put(registry: Registry, snapshot: Snapshot, data: Data | None, reporter: Reporter) -> None:
    encoded, table = snapshot.encode(), snapshot.table
    files = [small_file(SNAPSHOT, encoded), small_file(MANIFEST, _manifest(snapshot, encoded).encode())]
    if data is not None:
        files.insert(0, TreeFile(snapshot.data_file, data, table.size, table.sha256))
    progress = reporter.step(f"keep {snapshot.ref.short}", sum(file.size for file in files))
    registry.store.put_tree(_prefix(snapshot), files, claim=SNAPSHOT, seal=MANIFEST, progress=progress)


def _settle(registry: Registry, made: Snapshot, data: Data | None, reporter: Reporter) -> Taken:
    """Say what it means that somebody else's attempt lies there: it is done, or to be finished as it was begun."""
    there = look(registry, made.ref, copied=made.copied)
    if there is not None:
        return Taken(there, False, _path(registry, there))
    try:
        begun = parse_snapshot(registry.store.read(f"{_prefix(made)}/{SNAPSHOT}"), made.ref)
        _put(registry, begun, data, reporter)
    except (NotFound, AlreadyExists) as error:
        there = look(registry, made.ref, copied=made.copied)
        if there is not None:
            return Taken(there, False, _path(registry, there))
        raise Conflict(f"somebody else is taking {made.ref.short} just now", hint="run it again in a while") from error
    return Taken(begun, False, _path(registry, begun))


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
    if seal != _manifest(snapshot, data).encode():
        raise IntegrityError(f"{MANIFEST} of {ref.short} does not belong to its {SNAPSHOT}")
    return snapshot


def _manifest(snapshot: Snapshot, encoded: bytes) -> Manifest:
    files = {SNAPSHOT: hashlib.sha256(encoded).hexdigest()}
    return Manifest.of({**files, snapshot.data_file: snapshot.table.sha256} if snapshot.copied else files)


def _wrong_bytes(registry: Registry, snapshot: Snapshot, reporter: Reporter) -> Iterator[Problem]:
    progress = reporter.step(f"verify {snapshot.ref.short}", snapshot.table.size)
    try:
        for piece in verified(snapshot, pieces(registry, snapshot)):
            progress.advance(len(piece))
    except IntegrityError:
        yield Problem(snapshot.data_file, "does not match its checksum")
    except NotFound as error:
        yield Problem(snapshot.data_file, error.message)


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


def _prefix(snapshot: Snapshot) -> str:
    return keys.snapshot_prefix(snapshot.name, snapshot.table.sha256, copied=snapshot.copied)


def _path(registry: Registry, snapshot: Snapshot) -> str:
    return f"{registry.store.url}/{_prefix(snapshot)}"


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
