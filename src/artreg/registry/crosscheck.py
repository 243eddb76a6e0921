"""Crossing what a registry says in one place with what it says in others: the deep part of verification.

That every version is what records and logs pin, and that each chain is whole, `verify` sees in any case. Here every
generation of every alias is held against the logs, and the logs against the histories, marks, policies and data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from artreg.core import canonical, keys
from artreg.core.manifest import DATA_MANIFEST
from artreg.core.names import Alias, ModelName, is_alias, is_name
from artreg.core.policy_record import PolicyRecord
from artreg.core.record import MOVES, Action, PromotionRecord
from artreg.core.snapshot import SnapshotRef
from artreg.core.version import Version, is_version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.errors import ArtregError, IntegrityError, InvalidInput
from artreg.frozen import Frozen
from artreg.registry.chain import Chain, Document, Link, history_of, last_number, log_of, policies
from artreg.registry.check import Checked, Problem
from artreg.registry.handle import Registry
from artreg.registry.history import moment
from artreg.registry.snapshots import SNAPSHOT, look
from artreg.registry.version_log import list_logs
from artreg.registry.versions import find_manifest, list_aliases, list_entries, list_numbers, read_file
from artreg.store.interface import Kind

_OWN_FOLDERS = ("damaged/", "data/", "hooks/", "policy/", "verified/", "probe-")
_OWN_FILES = ("conditional-writes",)


class Crossed(Frozen):
    """What crossing found.

    Attributes:
        checked: Of each model, and of the registry as such, what contradicts itself.
        notes: What is no damage, but may surprise.
    """

    checked: tuple[Checked, ...]
    notes: tuple[str, ...]


class _Said(Frozen):
    """Everything that histories and logs of a model say, as far as they are whole: of others `verify` says so.

    Attributes:
        records: The records of each alias, oldest first.
        events: The events of each version, oldest first.
        broken: The versions whose logs are not whole.
        marked: The versions that bear the mark of a yank.
    """

    records: Mapping[Alias, Sequence[PromotionRecord]]
    events: Mapping[Version, Sequence[VersionEvent]]
    broken: frozenset[Version]
    marked: frozenset[Version]


def crosscheck(registry: Registry, models: Sequence[ModelName], *, whole: bool) -> Crossed:
    """Cross what models say of themselves, and, if the whole registry is meant, what lies beside them.

    Args:
        registry: The registry.
        models: The models.
        whole: Whether unknown files are looked at too.
    """
    notes: list[str] = []
    pushed = {policy_digest(link) for link in chain_links(registry, policies())}
    checked = [_cross(registry, model, pushed, notes) for model in models]
    if whole:
        notes += [f"{name} is nothing that artreg knows" for name in _unknown(registry)]
    return Crossed(tuple(checked), tuple(notes))


def chain_links(registry: Registry, chain: Chain) -> Iterator[Link]:
    """Yield the documents of a chain, oldest first, as far as it is whole."""
    numbers = range(1, last_number(registry.store, chain) + 1)
    before: str | None = None
    try:
        found = registry.store.read_each([chain.key(number) for number in numbers])
        for number, data in zip(numbers, found, strict=True):
            link = Link(number, data, chain.parse(data, number))
            if link.previous != before:
                return
            before = link.sha256
            yield link
    except ArtregError:
        return  # whoever verifies the chain says what is wrong


def policy_digest(link: Link) -> str:
    """Return the digest by which records name a pushed policy."""
    assert isinstance(link.document, PolicyRecord)
    return canonical.digest(canonical.dumps(dict(link.document.policy)))


def _cross(registry: Registry, model: ModelName, pushed: set[str], notes: list[str]) -> Checked:
    said = _said(registry, model)
    problems = list(_contradictions(said))
    if problems:  # somebody may be at work: what is so a moment later too is damage
        problems = [problem for problem in _contradictions(_said(registry, model)) if problem in problems]
    for alias, history in said.records.items():
        notes += _odd_moves(alias, history, model, pushed)
    for version in list_numbers(registry.store, model):
        problems += _check_data(registry, model, version, notes)
    count = sum(map(len, said.records.values())) + sum(map(len, said.events.values()))
    return Checked(f"{model}, crossed", count, 0, tuple(problems))


def _contradictions(said: _Said) -> Iterator[Problem]:
    for alias, history in said.records.items():
        yield from _check_moves(alias, history, said)
    for version, log in said.events.items():
        yield from _check_marks(version, log, said)


def _said(registry: Registry, model: ModelName) -> _Said:
    # The logs come last: whatever led to a record is in them then, also while aliases move.
    aliases = list(map(Alias, list_aliases(registry.store, model)))
    histories = {alias: _documents(registry, history_of(model, alias)) for alias in aliases}
    logs = {version: _documents(registry, log_of(model, version)) for version in list_logs(registry.store, model)}
    marked = {
        version
        for version in logs
        if any(entry.name == keys.YANKED for entry in list_entries(registry.store, keys.log_prefix(model, version)))
    }
    records = {alias: found for alias, found in histories.items() if found is not None}
    events = {version: found for version, found in logs.items() if found is not None}
    broken = frozenset(logs.keys() - events.keys())
    return _Said(records, events, broken, frozenset(marked))  # type: ignore[arg-type]  # each holds its own kind


def _documents(registry: Registry, chain: Chain) -> list[Document] | None:
    """Return the documents of a chain, oldest first; None if it is not whole."""
    found = [link.document for link in chain_links(registry, chain)]
    return found if len(found) >= last_number(registry.store, chain) else None


def _check_moves(alias: Alias, history: Sequence[PromotionRecord], said: _Said) -> Iterator[Problem]:
    """Each generation: where it points follows from what it is, and its version's log speaks of it."""
    since_logs = False
    for place, record in enumerate(history):
        before = history[place - 1] if place else None
        file = f"{keys.HISTORY}/{alias}/{keys.record_name(record.generation)}"
        yield from (Problem(file, problem) for problem in _misplaced(record, before, history[:place]))
        if record.version is None or record.version in said.broken:
            continue
        log = said.events.get(record.version, ())
        meant = record.action in MOVES and any(
            event.kind is EventKind.INTENT and (event.alias, event.generation) == (alias, record.generation)
            for event in log
        )
        since_logs = since_logs or meant
        if record.action in MOVES and since_logs and not meant:
            yield Problem(file, f"the log of {record.version} does not say that it was to come: it lost its end")
        if record.yanked and not any(event.kind is EventKind.YANK for event in log):
            yield Problem(file, f"says that {record.version} was yanked, of which its log knows nothing")
    head = history[-1] if history else None
    if head is not None and head.version is not None and not head.yanked:
        newest = said.events.get(head.version, ())
        if newest and newest[-1].standing.yanked is not None:
            yield Problem(f"{keys.HISTORY}/{alias}", f"does not say yet that {head.version} is yanked")


def _misplaced(
    record: PromotionRecord, before: PromotionRecord | None, earlier: Sequence[PromotionRecord]
) -> Iterator[str]:
    place = (record.version, record.digest)
    if not (record.follows(before) if before else record.action in MOVES or record.version is None):
        yield f"this {record.action.value} starts where the alias did not stand, or points elsewhere without a move"
    if record.action is Action.ROLLBACK and place not in {(one.version, one.digest) for one in earlier}:
        yield f"is a rollback to {record.version}, which the alias never held"
    fallback = record.fallback
    if fallback is not None and not (0 < fallback < record.generation and earlier[fallback - 1].version is not None):
        yield f"falls back on record {fallback}, which holds no version"


def _odd_moves(alias: Alias, history: Sequence[PromotionRecord], model: ModelName, pushed: set[str]) -> Iterator[str]:
    strange = sorted({record.policy for record in history if record.policy and record.policy not in pushed})
    if pushed and strange:
        yield f"{model}@{alias}: judged by policies that were never pushed: {', '.join(one[:12] for one in strange)}"
    for before, after in pairwise(history):
        try:
            back = moment(after.time) < moment(before.time)
        except IntegrityError as error:
            yield f"{model}@{alias}: record {after.generation}: {error.message}"
            continue
        if back:
            yield f"{model}@{alias}: record {after.generation} is older than the one before it: see to the clocks"


def _check_marks(version: Version, log: Sequence[VersionEvent], said: _Said) -> Iterator[Problem]:
    file = f"{keys.HISTORY}/{version}/{keys.YANKED}"
    if log and log[-1].standing.yanked is not None and version not in said.marked:
        yield Problem(file, "missing: the version was yanked, and listings do not tell")
    if version in said.marked and not any(event.kind is EventKind.YANK for event in log):
        yield Problem(file, "marks a yank of which the log knows nothing: it lost its end")


def _check_data(registry: Registry, model: ModelName, version: Version, notes: list[str]) -> Iterator[Problem]:
    """The snapshot that a version names is the one that the registry keeps."""
    file = f"{version}/{DATA_MANIFEST}"
    try:
        manifest = find_manifest(registry, model, version)
        if manifest is None or DATA_MANIFEST not in manifest.files:
            return
        document = canonical.loads(read_file(registry, model, version, manifest, DATA_MANIFEST), DATA_MANIFEST)
    except IntegrityError:
        return  # the check of the version says so
    named = document.get("snapshot")
    try:
        ref = SnapshotRef.parse(named) if isinstance(named, str) else None
    except InvalidInput:
        ref = None
    if ref is None:
        return
    try:
        there = look(registry, ref, copied=True) or look(registry, ref, copied=False)
    except IntegrityError as error:
        yield Problem(file, f"names {ref.short}, whose {SNAPSHOT} is damaged: {error.message}")
        return
    if there is None:
        notes.append(f"{model}@{version} names {ref.short}, which the registry does not keep")
    elif document.get("content_hash") not in {None, ref.sha256, there.table.sha256}:
        yield Problem(file, f"names {ref.short}, but the content of another table")


def _unknown(registry: Registry) -> Iterator[str]:
    """Yield what lies in the registry and is nobody's."""
    for entry in list_entries(registry.store, ""):
        if entry.name == ".gitignore":
            continue  # a registry may lie in a checkout
        if entry.kind is not Kind.FOLDER or not is_name(entry.name):
            yield entry.name
            continue
        for model in list_entries(registry.store, entry.name):
            if model.kind is not Kind.FOLDER or not is_name(model.name):
                yield f"{entry.name}/{model.name}"
            else:
                yield from _unknown_of(registry, ModelName(entry.name, model.name))
    for entry in registry.store.walk(".artreg", sized=False):
        if not entry.name.startswith(_OWN_FOLDERS) and entry.name not in _OWN_FILES:
            yield f".artreg/{entry.name}"


def _unknown_of(registry: Registry, model: ModelName) -> Iterator[str]:
    prefix = keys.model_prefix(model)
    for entry in list_entries(registry.store, prefix):
        pointer = is_alias(entry.name) and entry.kind in {Kind.LINK, Kind.FILE}
        if not (pointer or is_version(entry.name) or (entry.name == keys.HISTORY and entry.kind is Kind.FOLDER)):
            yield f"{prefix}/{entry.name}"
    for entry in list_entries(registry.store, keys.histories_prefix(model)):
        where = f"{keys.histories_prefix(model)}/{entry.name}"
        if entry.kind is not Kind.FOLDER or not (is_alias(entry.name) or is_version(entry.name)):
            yield where
            continue
        for file in list_entries(registry.store, where):
            own = {keys.YANKED, keys.SIGNATURES} if is_version(entry.name) else set[str]()
            if keys.parse_record_name(file.name) is None and file.name not in own:
                yield f"{where}/{file.name}"
