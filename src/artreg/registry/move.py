"""Moving an alias: commit the record, then let the pointer converge to it.

The record is the move: creating it if absent is the only moment at which the alias changes. The pointer is a view for
people and other tools; whoever comes next heals one that a crash left behind.
"""

from __future__ import annotations

from artreg.core import keys
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, Freeze, PromotionRecord, Verdict
from artreg.core.version import Version
from artreg.errors import AlreadyExists, Conflict, IntegrityError, StorageError
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head, newest_generation
from artreg.registry.intent import intend
from artreg.registry.version_log import VersionLog
from artreg.store.commit import commit
from artreg.store.interface import Pointer


class Moved(Frozen):
    """Where an alias stands after a command.

    Attributes:
        record: The newest record, or the one that would have been written.
        changed: Whether this call moved the alias; False if it stood there already.
        dry_run: Whether nothing was written on purpose.
    """

    record: PromotionRecord
    changed: bool
    dry_run: bool


class Destination(Frozen):
    """What an alias is to point at."""

    model: ModelName
    alias: Alias
    version: Version
    digest: str


def draft(
    registry: Registry,
    head: Head | None,
    to: Destination,
    *,
    action: Action,
    fallback: int | None,
    reason: str,
    policy: str | None,
    gates: tuple[Verdict, ...],
) -> PromotionRecord:
    """Return the record that would follow `head`, with a write id of its own; a freeze that lasts is handed on."""
    here = draft_in_place(registry, head, to.model, to.alias, action=action, reason=reason)
    return replace(
        here,
        version=to.version,
        digest=to.digest,
        fallback=fallback,
        policy=policy,
        gates=gates,
        yanked=False,
    )


def draft_in_place(
    registry: Registry, head: Head | None, model: ModelName, alias: Alias, *, action: Action, reason: str
) -> PromotionRecord:
    """Return the record that would follow `head` and leave the alias where it is."""
    last = head.record if head else None
    time = registry.timestamp()
    return PromotionRecord(
        model=model,
        alias=alias,
        generation=last.generation + 1 if last else 1,
        action=action,
        version=last.version if last else None,
        digest=last.digest if last else None,
        previous_version=last.version if last else None,
        previous_record=head.sha256 if head else None,
        fallback=last.fallback if last else None,
        write_id=registry.new_id(),
        time=time,
        who=registry.actor,
        why=reason,
        policy=None,
        gates=(),
        frozen=_lasting(last.frozen, time) if last else None,
        yanked=last.yanked if last else False,
    )


def fallback_on(head: Head | None) -> int | None:
    """Return what a promotion that replaces `head` falls back on: its generation, if it points anywhere."""
    return None if head is None or head.record.version is None else head.record.generation


def commit_move(registry: Registry, record: PromotionRecord, log: VersionLog) -> None:
    """Write a record that points an alias at a version, and set the pointer.

    Args:
        registry: The registry.
        record: The record.
        log: The log of the version, as it was before the move was judged.

    Raises:
        Conflict: Since they were read somebody moved the alias, yanked the version, or took an approval of it back;
            nothing was changed.
        IntegrityError: The log is damaged, or speaks of other bytes.
        OutcomeUnknown: The record may or may not have been written; the same command run again settles it.
        StorageError: It was not written, or it was and the pointer could not be set; the message says which.
    """
    intend(registry, log, record)
    commit_in_place(registry, record)


def stay(registry: Registry, head: Head, *, dry_run: bool) -> Moved:
    """Leave an alias as its head says: that is, durably, and with its pointer set.

    Raises:
        StorageError: Storage failed; the same command run again goes on.
    """
    record = head.record
    if not dry_run:
        heal(registry, record.model, record.alias)
        model, alias = record.model, record.alias
        registry.store.persist([keys.record_key(model, alias, record.generation), keys.pointer_key(model, alias)])
    return Moved(record, changed=False, dry_run=dry_run)


def commit_in_place(registry: Registry, record: PromotionRecord) -> None:
    """Write a record that leaves the alias at its version, and set the pointer; raises what `commit_move` does."""
    append_record(registry, record)
    model, alias = record.model, record.alias
    try:
        converge(registry, record)
    except (StorageError, IntegrityError) as error:
        raise StorageError(
            f"{alias} of {model} is moved to {record.version} (generation {record.generation}), "
            f"but its pointer could not be set: {error.message}",
            hint="artreg itself goes by the history, so the move holds; artreg gc sets the pointer",
            generation=record.generation,
        ) from error


def append_record(registry: Registry, record: PromotionRecord) -> None:
    """Create a record; the pointer stays as it is.

    Raises:
        Conflict: Somebody else created the record of that number; nothing was changed.
        OutcomeUnknown: It may or may not have been written.
        StorageError: It was not written.
    """
    registry.store.prepare_writing()
    model, alias = record.model, record.alias
    try:
        commit(registry.store, keys.record_key(model, alias, record.generation), record.encode())
    except AlreadyExists as error:
        raise Conflict(
            f"somebody else moved {alias} of {model} meanwhile; nothing was changed",
            hint="look at artreg history, and run the command again if it is still wanted",
        ) from error
    if registry.noted is not None:
        registry.noted.append(record)


def converge(registry: Registry, newest: PromotionRecord) -> None:
    """Set the pointer of an alias to its head, and again until nobody has moved the alias meanwhile.

    Args:
        registry: The registry.
        newest: The newest record as far as the caller knows.
    """
    model, alias = newest.model, newest.alias
    while True:
        if newest.version is not None:
            registry.store.point(keys.pointer_key(model, alias), Pointer(str(newest.version), newest.generation))
        if newest_generation(registry, model, alias) <= newest.generation:
            return
        head = find_head(registry, model, alias)
        assert head is not None
        newest = head.record


def pointer_problem(registry: Registry, newest: PromotionRecord) -> str:
    """Say how the pointer of an alias differs from its head, or '' if it does not."""
    pointer = registry.store.pointer(keys.pointer_key(newest.model, newest.alias))
    if newest.version is None:
        return f"the pointer says {pointer.target}, the history says nothing" if pointer and pointer.target else ""
    if pointer is None:
        return f"the pointer is missing; the history says {newest.version}"
    if pointer.target != str(newest.version) or pointer.generation not in {None, newest.generation}:
        return f"the pointer says {pointer.target or 'nothing that makes sense'}, the history says {newest.version}"
    return ""


def heal(registry: Registry, model: ModelName, alias: Alias) -> bool:
    """Set the pointer of an alias if it differs from its head; return whether it did."""
    head = find_head(registry, model, alias)
    if head is None or head.record.version is None or not pointer_problem(registry, head.record):
        return False
    converge(registry, head.record)
    return True


def _lasting(frozen: Freeze | None, time: str) -> Freeze | None:
    """Return a freeze unless it is over; both times are written alike, so that they compare as text."""
    return frozen if frozen is not None and frozen.until > time else None
