"""What a registry holds: models, their versions, and where their aliases point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from artreg.core import keys
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import Alias, ModelName, Reference, is_name
from artreg.core.run_record import RunRecord
from artreg.core.version import Version, is_version
from artreg.errors import NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.resolve import Resolved, resolve
from artreg.registry.version_log import find_yank
from artreg.registry.versions import list_aliases, no_model, read_manifest, read_metrics, read_run
from artreg.store.interface import Entry


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
    """

    found: Resolved
    files: Mapping[str, int]
    metrics: Mapping[str, object] | None
    run: RunRecord
    aliases: tuple[str, ...]


class _Tally:
    def __init__(self) -> None:
        self.created = 0.0
        self.sealed = False
        self.spoken_of = False
        self.sizes: list[int] = []


def catalog(registry: Registry, scope: ModelName | str | None = None) -> list[ModelSummary]:
    """Return the models of a registry, of one project, or one model, in order of their names.

    The whole is read by one listing, a request a page; beyond it each alias costs a constant number.

    Raises:
        NotFound: There is no such model, project or registry.
    """
    registry.store.require_root()
    prefix = "" if scope is None else scope if isinstance(scope, str) else keys.model_prefix(scope)
    tallies = _tally(prefix, registry.store.walk(prefix))
    if isinstance(scope, ModelName) and scope not in tallies:
        raise no_model(registry, scope)
    if isinstance(scope, str) and not tallies:
        raise NotFound(f"there is no project {scope!r} in {registry.store.url}")
    return [_summary(registry, model, versions) for model, versions in sorted(tallies.items())]


def details(registry: Registry, reference: Reference) -> VersionDetails:
    """Return everything that is known of a version.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its documents do not match their checksums.
    """
    found = resolve(registry, reference)
    manifest = read_manifest(registry, found.model, found.version)
    entries = registry.store.walk(keys.version_prefix(found.model, found.version))
    return VersionDetails(
        found,
        {entry.name: entry.size for entry in entries},
        read_metrics(registry, found.model, found.version, manifest),
        read_run(registry, found.model, found.version, manifest),
        tuple(name for name, version in alias_targets(registry, found.model).items() if version == found.version),
    )


def alias_targets(registry: Registry, model: ModelName) -> dict[str, Version]:
    """Return where each alias of a model points."""
    heads = {name: find_head(registry, model, Alias(name)) for name in list_aliases(registry.store, model)}
    targets = {name: head.record.version for name, head in heads.items() if head is not None}
    return {name: version for name, version in targets.items() if version is not None}


def _tally(prefix: str, entries: Iterable[Entry]) -> dict[ModelName, dict[Version, _Tally]]:
    tallies: dict[ModelName, dict[Version, _Tally]] = defaultdict(lambda: defaultdict(_Tally))
    for entry in entries:
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        project, _, rest = path.partition("/")
        name, _, rest = rest.partition("/")
        number, _, file = rest.partition("/")
        if not (is_name(project) and is_name(name)):
            continue
        versions = tallies[ModelName(project, name)]
        log = file.partition("/")[0]
        if number == keys.HISTORY and is_version(log):
            versions[Version.parse(log)].spoken_of = True
        elif file and is_version(number):
            tally = versions[Version.parse(number)]
            tally.sizes.append(entry.size)
            if file == MANIFEST and entry.size != len(TOMBSTONE):
                tally.sealed, tally.created = True, entry.modified
    return tallies


def _summary(registry: Registry, model: ModelName, tallies: Mapping[Version, _Tally]) -> ModelSummary:
    aliases = alias_targets(registry, model)
    versions = tuple(
        VersionSummary(
            version,
            datetime.fromtimestamp(tally.created, UTC),
            len(tally.sizes),
            sum(tally.sizes),
            tuple(name for name, target in aliases.items() if target == version),
            _yank_reason(registry, model, version) if tally.spoken_of else "",
        )
        for version, tally in sorted(tallies.items(), reverse=True)
        if tally.sealed
    )
    return ModelSummary(model, versions, aliases)


def _yank_reason(registry: Registry, model: ModelName, version: Version) -> str:
    yank = find_yank(registry, model, version)
    return "" if yank is None else yank.why
