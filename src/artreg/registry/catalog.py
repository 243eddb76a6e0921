"""What a registry holds: models, their versions, and where their aliases point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from artreg.core import keys
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import Alias, ModelName, Reference, is_alias, is_name
from artreg.core.record import parse_record
from artreg.core.run_record import RunRecord
from artreg.core.verification import Seen
from artreg.core.version import Version, stored_version
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, newest_generation
from artreg.registry.resolve import Resolved, resolve
from artreg.registry.verifications import remembered
from artreg.registry.version_log import find_yank
from artreg.registry.versions import list_aliases, read_manifest, read_metrics, read_run
from artreg.store.interface import Entry

_DEPTH = 3  # slashes in front of a file's name inside a version
_LAST_SECOND = 253_402_300_799.0  # of the year 9999; a disk can hold later ones
_GAP = -1
"""In place of the number of records where one is missing."""


class VersionSummary(Frozen):
    """A version as a listing shows it.

    Attributes:
        version: The version.
        created: When its manifest was written, by the storage's clock.
        files: How many files it has.
        bytes: How many bytes these have.
        aliases: Which aliases point at it.
        yanked: Why it was yanked, if it is; else ''.
    """

    version: Version
    created: datetime
    files: int
    bytes: int
    aliases: tuple[str, ...]
    yanked: str = ""


class ModelSummary(Frozen):
    """A model as a listing shows it.

    Attributes:
        model: The model.
        versions: Its versions, newest first.
        aliases: Where each alias points.
    """

    model: ModelName
    versions: tuple[VersionSummary, ...]
    aliases: Mapping[str, Version]


class VersionDetails(Frozen):
    """Everything that is known of a version.

    Attributes:
        found: The version.
        files: Its files with their sizes.
        metrics: What its metrics.json says, if it has one.
        run: Its run record.
        aliases: Which aliases point at it.
        verified: Its last verification that was recorded, if it was of these very bytes.
    """

    found: Resolved
    files: Mapping[str, int]
    metrics: Mapping[str, object] | None
    run: RunRecord
    aliases: tuple[str, ...]
    verified: Seen | None


class _Tally:
    """What a listing tells of one version."""

    def __init__(self) -> None:
        self.created = 0.0
        self.sealed = False
        self.marked = False
        self.files = 0
        self.bytes = 0


class _Model:
    """What a listing tells of one model: its versions, and how many records each alias and each log has."""

    def __init__(self) -> None:
        self.versions: dict[str, _Tally] = defaultdict(_Tally)
        self.records: dict[str, int] = {}


def catalog(registry: Registry, scope: ModelName | str | None = None) -> list[ModelSummary]:
    """Return the models of a registry, of one project, or one model, in order of their names.

    The whole is read by one listing, a request a page; beyond it one record for each alias, and one event for each
    version that was ever yanked, several at a time.

    Raises:
        NotFound: There is no such model, project or registry.
    """
    registry.store.require_root()
    prefix = "" if scope is None else scope if isinstance(scope, str) else keys.model_prefix(scope)
    found = _tally(prefix, registry.store.walk(prefix))
    if isinstance(scope, ModelName) and scope not in found:
        from artreg.registry.absent import no_model  # noqa: PLC0415  # only errors need it

        raise no_model(registry, scope)
    if isinstance(scope, str) and not found:
        from artreg.registry.absent import no_project  # noqa: PLC0415  # only errors need it

        raise no_project(registry, scope)
    heads, yanks = _heads(registry, found), _yanks(registry, found)
    return [_summary(model, found[model], heads[model], yanks[model]) for model in sorted(found)]


def details(registry: Registry, reference: Reference) -> VersionDetails:
    """Return everything that is known of a version.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its documents do not match their checksums.
    """
    found = resolve(registry, reference)
    manifest = read_manifest(registry, found.model, found.version)
    entries = registry.store.walk(keys.version_prefix(found.model, found.version))
    seen = remembered(registry, found.model).seen.get(str(found.version))
    return VersionDetails(
        found,
        {entry.name: entry.size for entry in entries},
        read_metrics(registry, found.model, found.version, manifest),
        read_run(registry, found.model, found.version, manifest),
        tuple(name for name, version in alias_targets(registry, found.model).items() if version == found.version),
        seen if seen is not None and seen.digest == manifest.digest else None,
    )


def alias_targets(registry: Registry, model: ModelName) -> dict[str, Version]:
    """Return where each alias of a model points."""
    heads = {name: find_head(registry, model, Alias(name)) for name in list_aliases(registry.store, model)}
    targets = {name: head.record.version for name, head in heads.items() if head is not None}
    return {name: version for name, version in targets.items() if version is not None}


def _tally(prefix: str, entries: Iterable[Entry]) -> dict[ModelName, _Model]:
    found: dict[tuple[str, str], _Model] = defaultdict(_Model)
    lead = f"{prefix}/" if prefix else ""
    for entry in entries:
        match f"{lead}{entry.name}".split("/", _DEPTH):
            case [project, name, keys.HISTORY, file]:
                _tally_history(found[project, name], file)
            case [project, name, number, file]:
                tally = found[project, name].versions[number]
                tally.files += 1
                tally.bytes += entry.size
                if file == MANIFEST and entry.size != len(TOMBSTONE):
                    tally.sealed, tally.created = True, entry.modified
            case [project, name, *_]:
                found[project, name]  # a pointer, or something of a model that has no version yet
    return {ModelName(*place): model for place, model in found.items() if all(map(is_name, place))}


def _tally_history(model: _Model, file: str) -> None:
    """Count a record of an alias, or an event of a version; a listing shows them in order, and one after a gap too."""
    of, _, name = file.partition("/")
    record = keys.parse_record_name(name)
    if record is not None:
        complete = record == model.records.get(of, 0) + 1
        model.records[of] = record if complete else _GAP
    elif name == keys.YANKED:
        model.versions[of].marked = True


def _heads(registry: Registry, found: Mapping[ModelName, _Model]) -> dict[ModelName, dict[str, Version]]:
    """Return where each alias of each model points."""
    wanted = [
        (model, alias, newest if newest != _GAP else newest_generation(registry, model, alias))  # looks again
        for model, told in found.items()
        for alias, newest in ((Alias(name), newest) for name, newest in told.records.items() if is_alias(name))
    ]
    read = registry.store.read_each([keys.record_key(*place) for place in wanted])
    targets: dict[ModelName, dict[str, Version]] = {model: {} for model in found}
    for (model, alias, newest), data in zip(wanted, read, strict=True):
        version = parse_record(data, model, alias, newest).version
        if version is not None:
            targets[model][alias.name] = version
    return targets


def _yanks(registry: Registry, found: Mapping[ModelName, _Model]) -> dict[ModelName, dict[str, str]]:
    """Return why versions are yanked, of those that bear the mark."""
    marked = [
        (model, version)
        for model, told in found.items()
        for name, tally in told.versions.items()
        if tally.marked and (version := stored_version(name)) is not None
    ]
    reasons: dict[ModelName, dict[str, str]] = {model: {} for model in found}
    for model, version in marked:
        yank = find_yank(registry, model, version)
        if yank is not None:
            reasons[model][str(version)] = yank.why
    return reasons


def _summary(model: ModelName, told: _Model, aliases: Mapping[str, Version], yanks: Mapping[str, str]) -> ModelSummary:
    held: dict[str, tuple[str, ...]] = {}
    for alias, target in aliases.items():
        held[str(target)] = (*held.get(str(target), ()), alias)
    versions = [
        VersionSummary(
            version,
            datetime.fromtimestamp(min(max(tally.created, 0.0), _LAST_SECOND), UTC),
            tally.files,
            tally.bytes,
            held.get(name, ()),
            yanks.get(name, ""),
        )
        for name, tally in told.versions.items()
        if tally.sealed and (version := stored_version(name)) is not None
    ]
    versions.sort(key=lambda summary: summary.version.precedence(), reverse=True)
    return ModelSummary(model, tuple(versions), aliases)
