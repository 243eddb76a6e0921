"""Verification: versions byte for byte, and the histories that say which of them count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from artreg.core import keys
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import Alias, ModelName, Reference, is_alias
from artreg.core.version import Version, is_version
from artreg.errors import IntegrityError, NotFound
from artreg.registry.check import Checked, Problem, check_version
from artreg.registry.handle import Registry
from artreg.registry.history import records, require_head
from artreg.registry.move import pointer_problem
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import resolve
from artreg.registry.versions import (
    list_aliases,
    list_entries,
    list_models,
    list_numbers,
    read_manifest,
    read_seal,
    require_model,
)
from artreg.store.interface import Entry, Kind


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found.

    Attributes:
        checked: Versions and histories, in order.
        unfinished: Versions that somebody may be publishing just now; they do not exist yet.
    """

    checked: tuple[Checked, ...]
    unfinished: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong anywhere."""
        return all(checked.ok for checked in self.checked)


def verify(
    registry: Registry,
    scope: Reference | ModelName | str | None = None,
    *,
    quick: bool = False,
    reporter: Reporter = SILENT,
) -> Report:
    """Verify a version, an alias with its history, a model, a project, or the whole registry.

    Args:
        registry: The registry.
        scope: A reference, a model, the name of a project, or None for everything.
        quick: Look only at the presence and size of files, not at their content.
        reporter: Told of the bytes that were hashed.

    Returns:
        What was found; damage is in there, and raises nothing.

    Raises:
        NotFound: There is no such thing.
        StorageError: Storage cannot be read.
    """
    registry.store.require_root()
    if isinstance(scope, Reference):
        return Report(tuple(_check_reference(registry, scope, quick, reporter)))
    if isinstance(scope, ModelName):
        require_model(registry, scope)
        models = [scope]
    else:
        models = list_models(registry.store, scope)
        if scope is not None and not models:
            raise NotFound(f"there is no project {scope!r} in {registry.store.url}")
    reports = [_check_model(registry, model, quick, reporter) for model in models]
    return Report(
        tuple(checked for report in reports for checked in report.checked),
        tuple(name for report in reports for name in report.unfinished),
    )


def _check_reference(registry: Registry, reference: Reference, quick: bool, reporter: Reporter) -> Iterator[Checked]:
    model, target = reference.model, reference.target
    pins: dict[str, str] = {}
    if isinstance(target, Alias):
        head = require_head(registry, model, target).record
        checked, _ = _check_history(registry, model, target)
        yield checked
        pins = {head.digest: f"record {head.generation} of {target}"}
        version = head.version
    else:
        version = resolve(registry, reference).version if not isinstance(target, Version) else target
        if read_seal(registry, model, version) in {None, TOMBSTONE}:
            read_manifest(registry, model, version)  # says which versions there are
    yield check_version(registry, model, version, pins=pins, quick=quick, reporter=reporter)


def _check_model(registry: Registry, model: ModelName, quick: bool, reporter: Reporter) -> Report:
    entries = list(list_entries(registry.store, keys.model_prefix(model)))
    checked: list[Checked] = []
    unfinished: list[str] = []
    pins: dict[Version, dict[str, str]] = {}
    for name in sorted({*list_aliases(registry.store, model), *_pointers(registry, model, entries)}):
        history, pinned = _check_history(registry, model, Alias(name))
        checked.append(history)
        for version, digest, record in pinned:
            pins.setdefault(version, {}).setdefault(digest, record)
    for version in sorted({*list_numbers(registry.store, model), *pins}):
        state = _state(registry, model, version)
        if state is _State.ABSENT and version not in pins:
            continue
        if state is _State.UNFINISHED and version not in pins and not registry.store.whole_trees:
            unfinished.append(f"{model}@{version}")
            continue
        checked.append(check_version(registry, model, version, pins=pins.get(version), quick=quick, reporter=reporter))
    return Report((*checked, *_misshapen(model, entries)), tuple(unfinished))


class _State(Enum):
    THERE = "something that should be a manifest stands in its place"
    ABSENT = "a tombstone does"
    UNFINISHED = "nothing does"


def _state(registry: Registry, model: ModelName, version: Version) -> _State:
    try:
        seal = read_seal(registry, model, version)
    except IntegrityError:
        return _State.THERE  # damaged: the check of the version says how
    return _State.UNFINISHED if seal is None else _State.ABSENT if seal == TOMBSTONE else _State.THERE


def _pointers(registry: Registry, model: ModelName, entries: list[Entry]) -> Iterator[str]:
    """Yield the names of what looks like pointers, whether they have histories or not."""
    for entry in entries:
        if entry.kind is Kind.LINK and is_alias(entry.name):
            yield entry.name
        elif entry.kind is Kind.FILE and is_alias(entry.name):
            pointer = registry.store.pointer(keys.pointer_key(model, Alias(entry.name)))
            if pointer is not None and pointer.target:
                yield entry.name


def _misshapen(model: ModelName, entries: list[Entry]) -> Iterator[Checked]:
    for entry in entries:
        if is_version(entry.name) and entry.kind is not Kind.FOLDER:
            problem = Problem(MANIFEST, f"missing: the version is a {entry.kind.value} instead of a folder")
            yield Checked(f"{model}@{entry.name}", 0, 0, (problem,))


def _check_history(
    registry: Registry, model: ModelName, alias: Alias
) -> tuple[Checked, list[tuple[Version, str, str]]]:
    problems: list[Problem] = []
    pinned: list[tuple[Version, str, str]] = []
    size = 0
    try:
        for head in records(registry, model, alias):
            record = head.record
            size += len(record.encode())
            pinned.append((record.version, record.digest, f"record {record.generation} of {alias}"))
        problem = _settled_pointer_problem(registry, model, alias) if pinned else "the pointer has no history"
        if problem:
            problems.append(Problem(str(alias), problem))
    except IntegrityError as error:
        problems.append(Problem(f"{keys.HISTORY}/{alias}", error.message))
    return Checked(f"{model}@{alias}", len(pinned), size, tuple(problems)), pinned


def _settled_pointer_problem(registry: Registry, model: ModelName, alias: Alias) -> str:
    """Say what is wrong with a pointer; one that is being set just now is looked at again."""
    problem, seen = "", -1
    while True:
        record = require_head(registry, model, alias).record
        problem = pointer_problem(registry, record)
        if not problem or record.generation == seen:
            return problem
        seen = record.generation
