"""Garbage: ending what dead writers left behind, and setting the pointers that they did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from artreg.core import keys
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.errors import AlreadyExists
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, records
from artreg.registry.move import heal, pointer_problem
from artreg.registry.version_log import VersionLog, list_logs, read_log
from artreg.registry.versions import list_aliases, list_entries, list_models, list_numbers, read_seal
from artreg.registry.yank import mark, mark_version
from artreg.store.commit import commit
from artreg.store.interface import Entry


class Removed(Frozen):
    """One leftover that was removed.

    Attributes:
        what: What it was.
        bytes: How many bytes it took.
    """

    what: str
    bytes: int


class Collected(Frozen):
    """What a collection did, or with a dry run would do.

    Attributes:
        removed: Leftovers and unfinished versions.
        healed: Aliases whose pointers were set, and aliases and versions of which it was marked that they were yanked.
        dry_run: Whether nothing was written on purpose.
    """

    removed: tuple[Removed, ...]
    healed: tuple[str, ...]
    dry_run: bool


def collect(registry: Registry, *, older_than: timedelta, dry_run: bool = False) -> Collected:
    """Remove what nobody has written to for a while and no reader can see, and set stale pointers.

    An unfinished version is ended by a tombstone in the place of its manifest before anything of it is deleted, so
    that a publisher that was only slow cannot complete it; its number is spent. A version that a record pins, or that
    has a log, is never touched, nor is a folder without a manifest on a disk: no publisher leaves one there, so it is
    damage to look at.

    Args:
        registry: The registry.
        older_than: Whoever wrote something more recently than that may still be at work.
        dry_run: Say what would be done, but write nothing.

    Raises:
        StorageError: Storage failed; the same command run again goes on.
        IntegrityError: A history is damaged, so that nobody can say what it pins.
    """
    registry.store.require_root()
    before = registry.now().timestamp() - older_than.total_seconds()
    if not dry_run:
        registry.store.prepare_writing()
    removed = [*end_leftovers(registry, before, dry_run)]
    healed = []
    for model in list_models(registry.store):
        removed += end_unfinished(registry, model, before, dry_run)
        healed += [
            f"{model}@{name}"
            for name in list_aliases(registry.store, model)
            if heal_alias(registry, model, Alias(name), dry_run)
        ]
        logs = list_logs(registry.store, model)
        healed += [f"{model}@{version}" for version in logs if heal_mark(registry, model, version, dry_run)]
    return Collected(tuple(removed), tuple(healed), dry_run)


def unfinished_versions(registry: Registry, model: ModelName) -> Iterator[tuple[Version, bytes | None, list[Entry]]]:
    """Yield each number without a manifest, with what stands in its place and with the files that lie there.

    One listing tells which versions have one; only what stands in the place of the others is read.
    """
    sealed = set(_sealed(registry, model))
    for version in list_numbers(registry.store, model):
        if str(version) in sealed:
            continue
        seal = read_seal(registry, model, version)
        if seal is None or seal == TOMBSTONE:
            yield version, seal, list(registry.store.walk(keys.version_prefix(model, version)))


def _sealed(registry: Registry, model: ModelName) -> Iterator[str]:
    for entry in registry.store.walk(keys.model_prefix(model)):
        number, _, file = entry.name.partition("/")
        if file == MANIFEST and entry.size != len(TOMBSTONE):
            yield number


def end_leftovers(registry: Registry, before: float, dry_run: bool) -> Iterator[Removed]:
    """Remove what dead writers left outside of versions, as far as nobody has written to it since `before`."""
    for leftover in list(registry.store.leftovers()):
        if leftover.modified < before:
            if not dry_run:
                registry.store.discard(leftover)
            yield Removed(leftover.key, leftover.size)


def end_unfinished(registry: Registry, model: ModelName, before: float, dry_run: bool) -> Iterator[Removed]:
    """End versions of a model that were begun and not finished, as far as nobody has written to them since `before`."""
    pinned: set[Version] | None = None
    for version, seal, entries in unfinished_versions(registry, model):
        files = [
            entry
            for entry in entries
            if keys.version_file(model, version, entry.name) != keys.manifest_key(model, version)
        ]
        if not files or (
            seal is None and (registry.store.whole_trees or max(file.modified for file in files) >= before)
        ):
            continue
        if pinned is None:
            pinned = _pinned(registry, model)
        if version in pinned or not (dry_run or _bury(registry, model, version)):
            continue
        if not dry_run:
            registry.store.delete([keys.version_file(model, version, file.name) for file in files])
        yield Removed(f"unfinished version {model}@{version}", sum(file.size for file in files))


def _bury(registry: Registry, model: ModelName, version: Version) -> bool:
    """Take the place of the manifest; return False if the publisher was faster after all."""
    try:
        commit(registry.store, keys.manifest_key(model, version), TOMBSTONE)
    except AlreadyExists:
        return False
    return True


def _pinned(registry: Registry, model: ModelName) -> set[Version]:
    held = {
        head.record.version
        for name in list_aliases(registry.store, model)
        for head in records(registry, model, Alias(name))
        if head.record.version is not None
    }
    return held | set(list_logs(registry.store, model))


def heal_alias(registry: Registry, model: ModelName, alias: Alias, dry_run: bool) -> bool:
    """Set the pointer of an alias, and the mark that what it holds was yanked; return whether one was not so."""
    head = find_head(registry, model, alias)
    if head is None or head.record.version is None:
        return False
    unmarked = None if head.record.yanked else _yanked(registry, model, head.record.version)
    stale = bool(pointer_problem(registry, head.record))
    if not dry_run and unmarked is not None:
        mark(registry, unmarked, alias)
    elif not dry_run and stale:
        heal(registry, model, alias)
    return stale or unmarked is not None


def _yanked(registry: Registry, model: ModelName, version: Version) -> VersionLog | None:
    log = read_log(registry, model, version)
    return None if log.yank is None else log


def heal_mark(registry: Registry, model: ModelName, version: Version, dry_run: bool) -> bool:
    """Mark a version that an older artreg yanked, or somebody who died over it."""
    names = {entry.name for entry in list_entries(registry.store, keys.log_prefix(model, version))}
    if keys.YANKED in names or _yanked(registry, model, version) is None:
        return False
    return dry_run or mark_version(registry, model, version)
