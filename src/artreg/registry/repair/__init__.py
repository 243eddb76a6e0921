"""Repair: what verification names is healed where that can be done without guessing, and explained where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput
from artreg.frozen import Frozen
from artreg.registry.chain import history_of, log_of, policies
from artreg.registry.check import Problem
from artreg.registry.check_history import POLICIES
from artreg.registry.crosscheck import chain_links
from artreg.registry.gc import Removed, end_leftovers, end_unfinished, heal_alias, heal_mark
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.repair.restore import (
    move_extra_aside,
    restore_chain,
    restore_signatures,
    restore_snapshot,
    restore_version,
)
from artreg.registry.snapshots import places
from artreg.registry.verify import Report, verify
from artreg.registry.version_log import list_logs
from artreg.registry.versions import list_aliases, list_models

_POINTER = "the pointer "
_NO_HISTORY = "the pointer has no history"
_MARKS = ("missing: the version was yanked", "does not say yet")
_EXTRA = "extra: "
_LOOK = "nothing that can be restored by itself: look at what it contradicts"
_FROM = "restore it from a mirror or a backup: artreg repair --from OTHER"


class Fault(Frozen):
    """Something that is not as it should be.

    Attributes:
        ref: What it is about, as verification names it.
        file: Which file of it.
        problem: What is wrong.
        remedy: What heals it, or ''.
        hint: What to do where nothing heals it.
        healed: Whether it was healed.
    """

    ref: str
    file: str
    problem: str
    remedy: str
    hint: str = ""
    healed: bool = False


class Repaired(Frozen):
    """What a repair did, or would do.

    Attributes:
        faults: What is wrong, or was.
        removed: What dead writers had left behind.
        applied: Whether anything was to be changed.
    """

    faults: tuple[Fault, ...]
    removed: tuple[Removed, ...]
    applied: bool

    @property
    def hopeless(self) -> tuple[Fault, ...]:
        """What cannot be healed, or could not."""
        return tuple(fault for fault in self.faults if not (fault.healed if self.applied else fault.remedy))


def repair(
    registry: Registry,
    scope: ModelName | None = None,
    *,
    spare: Registry | None = None,
    apply: bool = False,
    older_than: timedelta = timedelta(days=1),
    reporter: Reporter = SILENT,
) -> Repaired:
    """Heal what can be healed, and name what cannot.

    Pointers and marks follow from histories and logs, and what dead writers left is nobody's. Bytes that are damaged or
    missing come from another registry, such as a mirror, and only where something here pins what they were. Whatever
    something else takes the place of is kept in `.artreg/damaged/`.

    Args:
        registry: The registry.
        scope: A model, or None for everything.
        spare: Another registry to restore from.
        apply: Do it; otherwise only say what would be done.
        older_than: Whoever wrote something more recently than that may still be at work.
        reporter: Told of the bytes that were hashed.

    Raises:
        NotFound: There is no such registry or model.
        StorageError: Storage failed; the same call goes on.
    """
    if spare is not None:
        spare.store.require_root()
    report = verify(registry, scope, deep=True, reporter=reporter)
    models = [scope] if scope is not None else list_models(registry.store)
    if apply:
        registry.store.prepare_writing()
    reasons = _restore(registry, spare, report, dry_run=not apply) if spare is not None else {}
    removed = tuple(_heal(registry, models, older_than, whole=scope is None, dry_run=not apply))
    if apply:
        _move_extra_aside(registry, report)
    left = verify(registry, scope, deep=True, reporter=reporter) if apply else report
    after = {(ref, problem) for ref, problem in _problems(left)}
    before = dict.fromkeys(_problems(report))
    faults = [
        _fault(ref, problem, spare, reasons.get(ref), healed=apply and (ref, problem) not in after)
        for ref, problem in (*before, *(one for one in _problems(left) if one not in before))
    ]
    return Repaired(tuple(faults), removed, apply)


def _problems(report: Report) -> Iterator[tuple[str, Problem]]:
    for checked in report.checked:
        for problem in checked.problems:
            yield checked.ref, problem


def _fault(ref: str, problem: Problem, spare: Registry | None, reason: str | None, *, healed: bool) -> Fault:
    text = problem.problem
    remedy, hint = "", _FROM if spare is None else _LOOK
    if text.startswith(_POINTER) and text != _NO_HISTORY:
        remedy = "set by the history"
    elif text.startswith(_MARKS):
        remedy = "marked by the log"
    elif text.startswith(_EXTRA):
        remedy = "moved aside"
    elif reason is not None:
        hint = f"cannot be restored: {reason}" if reason else ""
        remedy = "" if reason else f"restored from {spare.store.url if spare else ''}"
    return Fault(ref, problem.file, text, remedy, "" if remedy else hint, healed)


def _restore(registry: Registry, spare: Registry, report: Report, *, dry_run: bool) -> dict[str, str]:
    """Restore from another registry what is damaged; return for each thing why it could not be, or ''."""
    damaged = [checked.ref for checked in report.checked if not checked.ok]
    reasons: dict[str, str] = {}
    subjects = {ref: target for ref in damaged if (target := _subject(ref)) is not None}
    if POLICIES in damaged:
        reasons[POLICIES] = _tried(restore_chain, registry, spare, policies(), dry_run=dry_run)
    # Chains come first: they say what the bytes of the versions are.
    for ref, target in subjects.items():
        model, alias = target.model, target.target
        if isinstance(alias, Alias):
            reasons[ref] = _tried(restore_chain, registry, spare, history_of(model, alias), dry_run=dry_run)
    for ref, target in subjects.items():
        if isinstance(target.target, Version):
            reasons[ref] = _restore_version(registry, spare, target.model, target.target, dry_run=dry_run)
    for snapshot, copied in places(registry):
        ref = f"{snapshot.short}{'' if copied else ' (reference)'}"
        if ref in damaged or snapshot.short in damaged:
            reason = _tried(restore_snapshot, registry, spare, snapshot, copied=copied, dry_run=dry_run)
            reasons[ref] = reasons[snapshot.short] = reason
    return reasons


def _restore_version(registry: Registry, spare: Registry, model: ModelName, version: Version, *, dry_run: bool) -> str:
    log = log_of(model, version)
    whole = version not in list_logs(registry.store, model) and version not in list_logs(spare.store, model)
    reason = "" if whole else _tried(restore_chain, registry, spare, log, dry_run=dry_run)
    pins = _pins(registry, model, version)
    reason = reason or _tried(restore_version, registry, spare, model, version, pins, dry_run=dry_run)
    return reason or _tried(restore_signatures, registry, spare, model, version, dry_run=dry_run)


def _pins(registry: Registry, model: ModelName, version: Version) -> set[str]:
    """Return the digests that records and events say a version has."""
    chains = [log_of(model, version), *(history_of(model, Alias(name)) for name in list_aliases(registry.store, model))]
    documents = [link.document for chain in chains for link in chain_links(registry, chain)]
    return {
        str(digest)
        for document in documents
        if (digest := getattr(document, "digest", None)) and getattr(document, "version", None) == version
    }


def _subject(ref: str) -> Reference | None:
    try:
        return Reference.parse(ref, "") if "/" in ref.partition("@")[0] else None
    except InvalidInput:
        return None


def _tried(action: Callable[..., object], *arguments: object, **settings: object) -> str:
    """Do something; return why it could not be done, or ''."""
    try:
        action(*arguments, **settings)
    except ArtregError as error:
        return error.message
    return ""


def _heal(
    registry: Registry, models: list[ModelName], older_than: timedelta, *, whole: bool, dry_run: bool
) -> Iterator[Removed]:
    """Set pointers and marks, and end what dead writers left; a damaged history keeps no other from being healed."""
    before = registry.now().timestamp() - older_than.total_seconds()
    if whole:
        yield from end_leftovers(registry, before, dry_run)
    for model in models:
        for alias in list_aliases(registry.store, model):
            _tried(heal_alias, registry, model, Alias(alias), dry_run)
        for version in list_logs(registry.store, model):
            _tried(heal_mark, registry, model, version, dry_run)
        try:
            yield from end_unfinished(registry, model, before, dry_run)
        except IntegrityError:
            continue  # a history is damaged, so that nobody can say what it pins


def _move_extra_aside(registry: Registry, report: Report) -> None:
    for ref, problem in _problems(report):
        subject = _subject(ref)
        if problem.problem.startswith(_EXTRA) and subject is not None and isinstance(subject.target, Version):
            _tried(move_extra_aside, registry, subject.model, subject.target)
