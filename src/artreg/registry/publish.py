"""Publishing: a folder becomes an immutable version, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from artreg.core import canonical, keys
from artreg.core.manifest import MANIFEST, RUN, TOMBSTONE, Manifest
from artreg.core.names import ModelName
from artreg.core.run_record import RunRecord, parse_run
from artreg.core.version import FIRST, Part, Version
from artreg.errors import AlreadyExists, Conflict, IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.parcel import Parcel, packed, small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.versions import list_numbers, read_run, read_seal
from artreg.store.interface import Progress


class Taking(Enum):
    """How files get into a registry.

    COPY leaves the source as it is. LINK gives them a second name where both lie on one disk, so that nothing is
    copied; they become read-only, and whoever writes to them all the same damages the version. MOVE does the same and
    then removes the source. Where a link cannot be, in a bucket above all, both copy.
    """

    COPY = "copy"
    LINK = "link"
    MOVE = "move"


class Published(Frozen):
    """A version that is there now.

    Attributes:
        model: The model.
        version: The version.
        digest: The version's digest.
        path: Where it lies.
        created: Whether this call made it; False if it was there already with the same content.
        metrics: What its metrics.json says.
    """

    model: ModelName
    version: Version
    digest: str
    path: str
    created: bool
    metrics: Mapping[str, object]


def publish(
    registry: Registry,
    model: ModelName,
    folder: Path,
    target: Version | Part,
    *,
    run: Mapping[str, Any] | None = None,
    taking: Taking = Taking.COPY,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Published:
    """Publish a folder as a version.

    The same content again (every file but run.json) changes nothing. Where the number is to be found (`target` is a
    `Part`), a run with the same content and the same axes as the newest version is that version; and when somebody
    else takes the number meanwhile, the next one is tried.

    Args:
        registry: Where to.
        model: The model.
        folder: Holds `model.<ext>` or `model/`, and may hold metrics.json, run.json and whatever else belongs to it.
        target: The version, or which part of the newest one to raise.
        run: What is known of the run; by default what the folder's own run.json says.
        taking: How its files get into the registry.
        dry_run: Check and say what would happen, but write nothing.
        reporter: Told of the bytes that were hashed and stored.

    Raises:
        InvalidInput: The folder is not fit to be a version.
        AlreadyExists: The version is there with other content, or its number is spent.
        Conflict: Somebody else is publishing this version.
        IntegrityError: A file changed while it was published, or does not match the folder's own checksum.txt.
        StorageError: Storage failed; nothing is visible.
    """
    registry.store.require_root()
    link = taking is not Taking.COPY
    with packed(registry, model, folder, run, reporter, link=link, dry_run=dry_run) as parcel:
        if isinstance(target, Version):
            published = _publish_as(registry, parcel, target, dry_run=dry_run, reporter=reporter)
        else:
            published = _publish_next(registry, parcel, target, dry_run=dry_run, reporter=reporter)
    if taking is Taking.MOVE and not dry_run:
        _remove_sources(folder, parcel)
    return published


def _publish_next(registry: Registry, parcel: Parcel, part: Part, *, dry_run: bool, reporter: Reporter) -> Published:
    while True:
        numbers = list_numbers(registry.store, parcel.model)
        same = _same_run(registry, parcel, numbers)
        if same is not None:
            return _publish_as(registry, parcel, same, dry_run=dry_run, reporter=reporter)
        version = next_version(numbers, part)
        try:
            return _publish_as(registry, parcel, version, dry_run=dry_run, reporter=reporter)
        except (AlreadyExists, Conflict):
            if version not in list_numbers(registry.store, parcel.model):
                raise


def next_version(numbers: list[Version], part: Part) -> Version:
    """Return the first free number after the highest release, with `part` raised."""
    releases = [number for number in numbers if not number.prerelease]
    candidate = releases[-1].bumped(part) if releases else FIRST
    while candidate in numbers:
        candidate = candidate.bumped(part)
    return candidate


def _same_run(registry: Registry, parcel: Parcel, numbers: list[Version]) -> Version | None:
    """Return the newest release if it came, or was about to come, from this very run with these very bytes."""
    for version in reversed(numbers):
        seal = None if version.prerelease else read_seal(registry, parcel.model, version)
        if version.prerelease or seal == TOMBSTONE:
            continue
        if seal is None:
            claim = _claim(registry, parcel.model, version)
            if claim is not None and (claim.content, claim.axes) == (parcel.content, parcel.axes):
                return version
            continue
        manifest = Manifest.parse(seal, f"{parcel.model}@{version}")
        same_bytes = manifest.content == parcel.content
        return (
            version if same_bytes and read_run(registry, parcel.model, version, manifest).axes == parcel.axes else None
        )
    return None


def _publish_as(
    registry: Registry, parcel: Parcel, version: Version, *, dry_run: bool, reporter: Reporter
) -> Published:
    existing = _existing(registry, parcel, version, dry_run=dry_run)
    if existing is not None:
        return existing
    record = RunRecord(
        model=parcel.model,
        version=version,
        write_id=registry.new_id(),
        content=parcel.content,
        sizes={file.name: file.size for file in parcel.files},
        published_at=registry.timestamp(),
        published_by=registry.actor,
        run=parcel.run,
    )
    if dry_run:
        manifest = _manifest(parcel, record.encode())
        return _published(registry, parcel, version, manifest.digest, True)
    registry.store.prepare_writing()
    progress = reporter.step(f"publish {parcel.model}@{version}", sum(file.size for file in parcel.files))
    try:
        digest = _put(registry, parcel, version, record.encode(), progress)
    except AlreadyExists:
        return _settle(registry, parcel, version, progress)
    return _published(registry, parcel, version, digest, True)


def _settle(registry: Registry, parcel: Parcel, version: Version, progress: Progress) -> Published:
    """Say what it means that somebody else's tree lies under the version: done, taken, or to be taken up."""
    existing = _existing(registry, parcel, version)
    if existing is not None:
        return existing
    claim = _claim(registry, parcel.model, version)
    if claim is not None and claim.content == parcel.content:
        try:
            digest = _put(registry, parcel, version, claim.encode(), progress)
        except AlreadyExists:
            existing = _existing(registry, parcel, version)
            if existing is not None:
                return existing
        else:
            return _published(registry, parcel, version, digest, False)
    since = f", begun {claim.published_at} by {claim.published_by}" if claim else ""
    raise Conflict(
        f"somebody else is publishing {parcel.model}@{version}{since}",
        hint="wait and look again, or take another number; if that publisher died, artreg gc ends its attempt",
    )


def _existing(registry: Registry, parcel: Parcel, version: Version, *, dry_run: bool = False) -> Published | None:
    """Return the version if it is there with the same content, None if its number is free."""
    seal = read_seal(registry, parcel.model, version)
    if seal is None:
        return None
    if seal == TOMBSTONE:
        raise AlreadyExists(
            f"the number {version} of {parcel.model} is spent: an unfinished version was given up under it",
            hint="publish under another number",
        )
    manifest = Manifest.parse(seal, f"{parcel.model}@{version}")
    if manifest.content != parcel.content:
        raise AlreadyExists(
            f"{parcel.model}@{version} is there already, with other content",
            hint="a version never changes: publish under another number",
            differing=_differing(manifest, parcel),
        )
    if not dry_run:  # whoever published it may have died before it was durable
        registry.store.persist([keys.version_prefix(parcel.model, version)])
    return _published(registry, parcel, version, manifest.digest, False)


def _differing(manifest: Manifest, parcel: Parcel) -> list[str]:
    ours = {(file.name, file.sha256) for file in parcel.files}
    theirs = {(name, sha256) for name, sha256 in manifest.files.items() if name != RUN}
    return sorted({name for name, _ in ours ^ theirs})


def _claim(registry: Registry, model: ModelName, version: Version) -> RunRecord | None:
    try:
        return parse_run(registry.store.read(keys.version_file(model, version, RUN)), model, version)
    except (NotFound, IntegrityError):
        return None


def _put(registry: Registry, parcel: Parcel, version: Version, run: bytes, progress: Progress) -> str:
    manifest = _manifest(parcel, run)
    files = (*parcel.files, small_file(RUN, run), small_file(MANIFEST, manifest.encode()))
    prefix = keys.version_prefix(parcel.model, version)
    registry.store.put_tree(prefix, files, claim=RUN, seal=MANIFEST, progress=progress)
    return manifest.digest


def _manifest(parcel: Parcel, run: bytes) -> Manifest:
    return Manifest.of({RUN: canonical.digest(run), **{file.name: file.sha256 for file in parcel.files}})


def _published(registry: Registry, parcel: Parcel, version: Version, digest: str, created: bool) -> Published:
    path = f"{registry.store.url}/{keys.version_prefix(parcel.model, version)}"
    return Published(parcel.model, version, digest, path, created, parcel.metrics)


def _remove_sources(folder: Path, parcel: Parcel) -> None:
    """Remove the files that were published, and the folders that this empties; anything else there stays."""
    names = [*(file.name for file in parcel.files), RUN, MANIFEST]
    for name in names:
        (folder / name).unlink(missing_ok=True)
    inner = {parent for name in names for parent in (folder / name).parents if parent.is_relative_to(folder)}
    for parent in sorted(inner, reverse=True):
        with suppress(OSError):
            parent.rmdir()
