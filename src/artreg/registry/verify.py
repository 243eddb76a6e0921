"""Verification: versions byte for byte, and the histories that say which of them count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from enum import Enum

from artreg.core import canonical, keys
from artreg.core.allowed_signers import SignedBy
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import Alias, ModelName, Reference, is_alias
from artreg.core.selection import EVERYTHING, Selection
from artreg.core.verification import Seen
from artreg.core.version import Version, is_version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen, replace
from artreg.registry.check import Checked, Problem, check_version
from artreg.registry.check_history import check_history, check_policies
from artreg.registry.handle import Registry
from artreg.registry.history import require_head
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import resolve
from artreg.registry.signatures import signature_problem, signature_problems
from artreg.registry.signed_moves import InForce
from artreg.registry.verifications import remember, remembered
from artreg.registry.version_log import events, list_logs
from artreg.registry.versions import (
    list_aliases,
    list_entries,
    list_models,
    list_numbers,
    read_manifest,
    read_seal,
    require_model,
)
from artreg.store.interface import NO_PROGRESS, Entry, Kind
from artreg.workers import ALONE, Workers, collect, share_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from artreg.registry.crosscheck import Crossed


class Report(Frozen):
    """What a verification found.

    Attributes:
        checked: Versions and histories, in order.
        unfinished: Versions that somebody may be publishing just now; they do not exist yet.
        left_out: How many versions, or numbers that are taken, were not to be verified this time.
        notes: What a deep look found that is no damage, but may surprise.
    """

    checked: tuple[Checked, ...]
    unfinished: tuple[str, ...] = ()
    left_out: int = 0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong anywhere."""
        return all(checked.ok for checked in self.checked)


def verify(
    registry: Registry,
    scope: Reference | ModelName | str | None = None,
    *,
    quick: bool = False,
    deep: bool = False,
    only: Selection = EVERYTHING,
    record: bool = False,
    signed_by: SignedBy | None = None,
    workers: Workers = ALONE,
    reporter: Reporter = SILENT,
) -> Report:
    """Verify a version, an alias with its history, a model, a project, or the whole registry.

    Args:
        registry: The registry.
        scope: A reference, a model, the name of a project, or None for everything.
        quick: Look only at the presence and size of files, not at their content.
        deep: Cross histories, logs, marks, policies and data with one another too; of a reference, nothing more.
        only: Which versions; histories and logs are always checked.
        record: Remember in the registry when each version was verified, and what came of it.
        signed_by: Whose signature each version must bear.
        workers: Who does it; it makes no difference to what is found.
        reporter: Told of the bytes that were hashed.

    Returns:
        What was found; damage is in there, and raises nothing.

    Raises:
        NotFound: There is no such thing.
        InvalidInput: There is no ssh-keygen to check signatures with.
        StorageError: Storage cannot be read, or the workers keep dying.
    """
    registry.store.require_root()
    check = _Check(registry, quick, reporter, signed_by)
    in_force, policies = check_policies(registry)
    if isinstance(scope, Reference):
        return Report((*policies, *_check_reference(scope, check, in_force)))
    if isinstance(scope, ModelName):
        require_model(registry, scope)
        models = [scope]
    else:
        models = list_models(registry.store, scope)
        if scope is not None and not models:
            from artreg.registry.absent import no_project  # noqa: PLC0415  # only errors need it

            raise no_project(registry, scope)
    surveys = collect(workers, _Survey(registry, only, in_force), models)
    due = [one for survey in surveys for one in survey.due]
    found = _check_all(check, due, record=record and not quick, workers=workers)
    snapshots = _check_snapshots(registry, quick, reporter) if scope is None and only.everything else ()
    crossed = _crosscheck(registry, models, whole=scope is None) if deep else None
    return Report(
        (
            *policies,
            *(checked for survey in surveys for checked in survey.with_versions(found)),
            *snapshots,
            *(crossed.checked if crossed else ()),
        ),
        tuple(name for survey in surveys for name in survey.unfinished),
        sum(survey.left_out for survey in surveys),
        crossed.notes if crossed else (),
    )


def _crosscheck(registry: Registry, models: Sequence[ModelName], *, whole: bool) -> Crossed:
    from artreg.registry.crosscheck import crosscheck  # noqa: PLC0415  # only a deep look needs it

    return crosscheck(registry, models, whole=whole)


def _check_snapshots(registry: Registry, quick: bool, reporter: Reporter) -> tuple[Checked, ...]:
    from artreg.registry.snapshot_check import check_snapshots  # noqa: PLC0415  # only the whole registry needs it

    return check_snapshots(registry, quick=quick, reporter=reporter)


def _check_reference(reference: Reference, check: _Check, in_force: InForce) -> Iterator[Checked]:
    registry, model, target = check.registry, reference.model, reference.target
    pins: dict[str, str] = {}
    if isinstance(target, Alias):
        head = require_head(registry, model, target)
        version, digest = head.held()
        checked, _ = check_history(registry, model, target, in_force)
        yield checked
        pins = {digest: f"record {head.record.generation} of {target}"}
    else:
        version = resolve(registry, reference).version if not isinstance(target, Version) else target
        if read_seal(registry, model, version) in {None, TOMBSTONE}:
            read_manifest(registry, model, version)  # says which versions there are
    log = _check_log(registry, model, version)
    yield check(_Due(model, version, log.pins() | pins, log.problem))[0]


class _Due(Frozen):
    """A version that is to be checked.

    Attributes:
        model: The model.
        version: The version.
        pins: What its digest must be, and who says so.
        problem: What is wrong with its log, or ''.
    """

    model: ModelName
    version: Version
    pins: Mapping[str, str]
    problem: str

    @property
    def ref(self) -> str:
        """Its name."""
        return f"{self.model}@{self.version}"


class _Surveyed(Frozen):
    """What a model's histories, logs and folders say, before any of its bytes are looked at.

    Attributes:
        before: What was found of its histories.
        due: The versions that are to be checked now.
        after: What was found of things that are no versions.
        unfinished: Versions that are being published.
        left_out: How many versions are not to be checked this time.
    """

    before: tuple[Checked, ...]
    due: tuple[_Due, ...]
    after: tuple[Checked, ...]
    unfinished: tuple[str, ...]
    left_out: int

    def with_versions(self, found: Mapping[str, Checked]) -> tuple[Checked, ...]:
        """Return what was found of everything."""
        return (*self.before, *(found[one.ref] for one in self.due), *self.after)


class _Survey(Frozen):
    """The task of surveying a model."""

    registry: Registry
    only: Selection
    in_force: InForce

    def __call__(self, model: ModelName) -> _Surveyed:
        registry = self.registry
        entries = list(list_entries(registry.store, keys.model_prefix(model)))
        # The logs come first: whatever they say of a history is there when that is read, also while aliases move.
        logs = {version: _check_log(registry, model, version) for version in list_logs(registry.store, model)}
        checked: list[Checked] = []
        pins: dict[Version, dict[str, str]] = {version: log.pins() for version, log in logs.items()}
        for name in sorted(
            {*list_aliases(registry.store, model), *_pointers(registry, model, entries), *_moved_by(logs)}
        ):
            history, pinned = check_history(registry, model, Alias(name), self.in_force, _least(logs, Alias(name)))
            checked.append(history)
            for version, digest, said_by in pinned:
                pins.setdefault(version, {}).setdefault(digest, said_by)
        known, problem = _remembered(registry, model)
        checked += [problem] if problem else []
        due: list[_Due] = []
        unfinished: list[str] = []
        left_out = 0
        for version in sorted({*list_numbers(registry.store, model), *pins}):
            if not self.only.draws(f"{model}@{version}"):
                left_out += 1
                continue
            state = _state(registry, model, version)
            if version not in pins and (
                state is _State.ABSENT or (state is _State.UNFINISHED and _is_empty(registry, model, version))
            ):
                continue
            if state is _State.UNFINISHED and version not in pins and not registry.store.whole_trees:
                unfinished.append(f"{model}@{version}")
            elif self.only.everything or _is_due(registry, model, version, self.only, known):
                log = logs.get(version)
                due.append(_Due(model, version, pins.get(version, {}), log.problem if log else ""))
            else:
                left_out += 1
        misshapen = tuple(_misshapen(model, entries))
        return _Surveyed(tuple(checked), tuple(due), misshapen, tuple(unfinished), left_out)


class _Check(Frozen):
    """The task of checking a version."""

    registry: Registry
    quick: bool
    reporter: Reporter
    signed_by: SignedBy | None

    def __call__(self, due: _Due) -> tuple[Checked, Seen]:
        registry, model, version = self.registry, due.model, due.version
        found = check_version(registry, model, version, pins=due.pins, quick=self.quick, reporter=self.reporter)
        seen = Seen(found.digest, registry.timestamp(), registry.actor, found.ok)
        problems = [Problem(f"{keys.HISTORY}/{version}", due.problem)] if due.problem else []
        if self.signed_by is not None:
            unsigned = signature_problem(registry, model, version, found.digest, self.signed_by)
            problems += [unsigned] if unsigned else []
        return replace(found, problems=(*found.problems, *problems)), seen


def _check_all(check: _Check, due: Sequence[_Due], *, record: bool, workers: Workers) -> dict[str, Checked]:
    """Check versions, and record a model's when the last of them is checked; whatever stops it, what is done counts."""
    registry, progress = check.registry, NO_PROGRESS
    if not workers.alone:  # who works elsewhere cannot say how far it has come in a version
        progress, check = check.reporter.step("verify", len(due), unit="versions"), replace(check, reporter=SILENT)
    found: dict[str, Checked] = {}
    seen: dict[ModelName, dict[str, Seen]] = {}
    left = Counter(one.model for one in due)
    try:
        with closing(share_out(workers, check, due)) as answers:
            for number, result in answers:
                if isinstance(result, Exception):
                    raise result
                one = due[number]
                found[one.ref], seen.setdefault(one.model, {})[str(one.version)] = result
                left[one.model] -= 1
                if record and not left[one.model]:
                    _record(registry, one.model, seen.pop(one.model))
                progress.advance(1)
    finally:
        if record:
            for model, rest in seen.items():
                _record(registry, model, rest)
    return found


def _record(registry: Registry, model: ModelName, seen: Mapping[str, Seen]) -> None:
    with suppress(IntegrityError):  # what is remembered is damaged: the survey has said so
        remember(registry, model, seen)


def _remembered(registry: Registry, model: ModelName) -> tuple[Mapping[str, Seen], Checked | None]:
    try:
        return remembered(registry, model).seen, None
    except IntegrityError as error:
        where = keys.verifications_prefix(model)
        return {}, Checked(f"{model}, its verifications", 0, 0, (Problem(where, error.message),))


def _is_due(registry: Registry, model: ModelName, version: Version, only: Selection, known: Mapping[str, Seen]) -> bool:
    """Whether a version is to be verified; one whose manifest is not the one that was seen counts as never seen."""
    seen = known.get(str(version))
    if seen is not None:
        seal = read_seal(registry, model, version)
        seen = seen if seal is not None and canonical.digest(seal) == seen.digest else None
    return only.takes(f"{model}@{version}", seen, registry.now())


class _Log(Frozen):
    """What the check of one version's log found.

    Attributes:
        digest: What the log says the version's digest is, as far as it could be read.
        intents: Which records of which aliases were meant to be created, each by somebody who saw the one before.
        problem: What is wrong, or ''.
    """

    digest: str | None
    intents: tuple[tuple[Alias, int], ...]
    problem: str

    def pins(self) -> dict[str, str]:
        return {} if self.digest is None else {self.digest: "its log"}


def _check_log(registry: Registry, model: ModelName, version: Version) -> _Log:
    digest: str | None = None
    intents: tuple[tuple[Alias, int], ...] = ()
    problems = [f"{problem.file}: {problem.problem}" for problem in signature_problems(registry, model, version)]
    try:
        for event in events(registry, model, version):
            digest, intents = event.digest, event.standing.intents
    except IntegrityError as error:
        problems.insert(0, error.message)
    return _Log(digest, intents, "; ".join(problems))


def _moved_by(logs: Mapping[Version, _Log]) -> set[str]:
    """Return the aliases that must have had a record when somebody meant to move them on."""
    return {str(alias) for log in logs.values() for alias, generation in log.intents if generation > 1}


def _least(logs: Mapping[Version, _Log], alias: Alias) -> int:
    """Return how many records an alias has at least: whoever meant to create one saw the one before it."""
    return max((dict(log.intents).get(alias, 1) - 1 for log in logs.values()), default=0)


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


def _is_empty(registry: Registry, model: ModelName, version: Version) -> bool:
    """Whether there is only a folder, as when somebody died who was to spend the number: it is nothing yet."""
    return not registry.store.page(keys.version_prefix(model, version)).entries


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
