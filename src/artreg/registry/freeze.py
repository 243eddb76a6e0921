"""Freezing an alias: until a given time nobody moves it but by rollback."""

from __future__ import annotations

from datetime import datetime

from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, Freeze, PromotionRecord, Verdict
from artreg.errors import GateRejected, InvalidInput
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.history import Head, moment, require_head
from artreg.registry.move import Moved, commit_in_place, draft_in_place, heal


def freeze(
    registry: Registry, model: ModelName, alias: Alias, until: datetime, reason: str, *, dry_run: bool = False
) -> Moved:
    """Keep everybody from moving an alias for a while but by rollback, which leaves it frozen.

    It is a record like any other, so that a promotion that was judged before it gets a conflict.

    Args:
        registry: The registry.
        model: The model.
        alias: The alias.
        until: When it ends by itself.
        reason: Why; it is shown to whoever is kept from moving the alias.
        dry_run: Say what would be done, but write nothing.

    Raises:
        InvalidInput: There is no reason, or the time has passed or has no zone.
        NotFound: The alias points nowhere.
        Conflict: Somebody else moved the alias meanwhile; nothing was changed.
        IntegrityError: The history is damaged.
        StorageError: Storage failed; the message says what was done.
    """
    _require_reason(reason, "a freeze")
    if until.tzinfo is None:
        raise InvalidInput(f"{until.isoformat()} has no time zone", hint="add one, such as Z for UTC")
    if until <= registry.now():
        raise InvalidInput(f"{until.isoformat()} has passed already", hint="name a time to come")
    head = require_head(registry, model, alias)
    frozen = Freeze(replace(registry, now=lambda: until).timestamp(), registry.actor, reason.strip())
    there = head.record.frozen
    if there is not None and (there.until, there.why) == (frozen.until, frozen.why):
        _heal(registry, head, dry_run=dry_run)
        return Moved(head.record, changed=False, dry_run=dry_run)
    return _write(registry, _draft(registry, head, frozen, Action.FREEZE, reason), dry_run=dry_run)


def unfreeze(registry: Registry, model: ModelName, alias: Alias, reason: str, *, dry_run: bool = False) -> Moved:
    """Let an alias be moved again before its freeze is over.

    Raises:
        InvalidInput: There is no reason.
        NotFound: The alias points nowhere.
        Conflict: Somebody else moved the alias meanwhile; nothing was changed.
        IntegrityError: The history is damaged.
        StorageError: Storage failed; the message says what was done.
    """
    _require_reason(reason, "ending a freeze")
    head = require_head(registry, model, alias)
    if frozen_now(head, registry.now()) is None:
        _heal(registry, head, dry_run=dry_run)
        return Moved(head.record, changed=False, dry_run=dry_run)
    return _write(registry, _draft(registry, head, None, Action.UNFREEZE, reason), dry_run=dry_run)


def frozen_now(head: Head | None, now: datetime) -> Freeze | None:
    """Return the freeze that holds of an alias at a moment, or None.

    Raises:
        IntegrityError: The time until which it holds makes no sense.
    """
    frozen = head.record.frozen if head is not None else None
    return frozen if frozen is not None and moment(frozen.until) > now else None


def freeze_verdict(head: Head | None, now: datetime) -> Verdict:
    """Return whether an alias may be moved at a moment, as a gate's verdict."""
    frozen = frozen_now(head, now)
    if frozen is None:
        return Verdict("frozen", True, "is not frozen", {})
    assert head is not None
    message = f"{head.record.alias} is frozen until {frozen.until} by {frozen.who}: {frozen.why}"
    return Verdict("frozen", False, message, frozen.document())


def require_not_frozen(head: Head | None, now: datetime) -> None:
    """Return if an alias may be moved at a moment.

    Raises:
        GateRejected: It is frozen; `details["gates"]` holds the verdict.
    """
    verdict = freeze_verdict(head, now)
    if not verdict.passed:
        raise GateRejected(
            verdict.message,
            hint="only a rollback may move it meanwhile; artreg unfreeze ends it",
            gates=[verdict.document()],
        )


def _draft(registry: Registry, head: Head, frozen: Freeze | None, action: Action, reason: str) -> PromotionRecord:
    last = head.record
    here = draft_in_place(registry, head, last.model, last.alias, action=action, reason=reason.strip())
    return replace(here, frozen=frozen)


def _heal(registry: Registry, head: Head, *, dry_run: bool) -> None:
    """Set a pointer that was not, when this very command died after its record was there."""
    if not dry_run:
        heal(registry, head.record.model, head.record.alias)


def _write(registry: Registry, record: PromotionRecord, *, dry_run: bool) -> Moved:
    if not dry_run:
        commit_in_place(registry, record)
    return Moved(record, changed=True, dry_run=dry_run)


def _require_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise InvalidInput(f"{what} needs a reason", hint="add --reason '…'")
