"""Rollback: a move like any other, to a version that the alias held before."""

from __future__ import annotations

from artreg.core.names import Alias, ModelName
from artreg.core.policy import Policy
from artreg.core.record import Action, PromotionRecord
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound, OutcomeUnknown
from artreg.frozen import Frozen
from artreg.registry.check import verified
from artreg.registry.handle import Registry
from artreg.registry.history import Head, read_record, records_from, require_head
from artreg.registry.move import Destination, Moved, commit_move, draft, stay
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.promote import require_permission, require_reason
from artreg.registry.signed_moves import Signers, require_key, sign_move
from artreg.registry.version_log import VersionLog, read_log, require_not_yanked


def rollback(
    registry: Registry,
    model: ModelName,
    alias: Alias,
    policy: Policy,
    *,
    to: Version | None = None,
    reason: str = "",
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Moved:
    """Point an alias back at what it held before.

    Each record names the generation that a rollback from it restores, so that rolling back twice goes one further
    back, never forward again, and costs the same however long the history is.

    Args:
        registry: The registry.
        model: The model.
        alias: The alias to move.
        policy: Says whether a reason is demanded; its gates are not asked, for the version passed them before.
        to: A version that the alias held before; by default the one before the present one that is not yanked.
        reason: Why; stands in the record.
        dry_run: Verify the target, but move nothing.
        reporter: Told of the bytes that were verified.

    Raises:
        NotFound: The alias points nowhere, never held such a version, or held nothing before that is not yanked.
        GateRejected: The version that was named is yanked.
        IntegrityError: The target or the history is damaged; nothing was changed.
        Conflict: Somebody else moved the alias, or yanked the target, meanwhile; nothing was changed.
        InvalidInput: The policy names no such alias, demands a reason or a signature, or does not let the actor move
            it.
        StorageError: Storage failed; the message says what was done.
    """
    rules = policy.of(model, alias)
    require_permission(rules, registry.actor, alias)
    signers = Signers(rules, policy.signers)
    require_key(registry, signers, Action.ROLLBACK)
    head = require_head(registry, model, alias)
    if to is not None and head.record.version == to:
        return stay(registry, head, dry_run=dry_run)
    require_reason(rules, alias, reason)
    target = _before(registry, head) if to is None else _held(registry, head, to)
    whole = verified(registry, model, target.version, reporter=reporter)
    if whole.manifest.digest != target.digest:
        raise IntegrityError(
            f"{model}@{target.version} is not what {alias} held in generation {target.generation}: "
            "its checksum.txt was changed since; nothing was moved",
            hint="name another version that the alias held with --to; artreg history lists them",
        )
    record = draft(
        registry,
        head,
        Destination(model, alias, target.version, target.digest),
        action=Action.ROLLBACK,
        fallback=target.fallback,
        reason=reason,
        policy=policy.digest,
        gates=(),
    )
    if not dry_run:
        record = sign_move(registry, record, signers)
        _commit(registry, record, target)
    return Moved(record, changed=True, dry_run=dry_run)


def _commit(registry: Registry, record: PromotionRecord, target: _Target) -> None:
    """Write the record; where nobody can say whether it stands, advise what may be done in either case."""
    try:
        commit_move(registry, record, target.log)
    except OutcomeUnknown as error:
        # The same command would go one further back if this one did take effect; with a version it stays there.
        ask_again = f"artreg rollback {record.model.model}@{record.alias} --to {target.version}"
        hint = f"{ask_again} finds out, and goes no further back"
        raise OutcomeUnknown(error.message, hint=hint, **error.details) from error


class _Target(Frozen):
    """What an alias held in some generation, and what was said of it since."""

    generation: int
    version: Version
    digest: str
    fallback: int | None
    log: VersionLog


def _before(registry: Registry, head: Head) -> _Target:
    """Find what the alias held before and may hold again, past whatever was yanked meanwhile."""
    record, yanked = head.record, list[str]()
    here, _ = head.held()
    while (past := _fallback(registry, record)) is not None:
        target = _target(registry, past)
        if target.log.yank is None and target.version != here:
            return target
        if target.log.yank is not None:
            yanked.append(str(target.version))
        record = past.record
    but = f" but {', '.join(yanked)}, which was yanked since" if yanked else ""
    raise NotFound(
        f"{record.alias} of {record.model} held nothing before {here} that it could go back to{but}",
        hint="artreg history shows what it held; artreg promote points it at something else",
    )


def _fallback(registry: Registry, record: PromotionRecord) -> Head | None:
    if record.fallback is None:
        return None
    if not 0 < record.fallback < record.generation:
        raise IntegrityError(f"record {record.generation} of {record.alias} of {record.model} falls back on no record")
    past = read_record(registry, record.model, record.alias, record.fallback)
    return None if past.record.version is None else past


def _held(registry: Registry, head: Head, version: Version) -> _Target:
    record = head.record
    for past in records_from(registry, head):
        if past.record.version == version:
            target = _target(registry, past)
            require_not_yanked(target.log)
            return target
    raise NotFound(
        f"{record.alias} of {record.model} never held {version}",
        hint="artreg history shows what it held; a version that is new to it must be promoted",
    )


def _target(registry: Registry, past: Head) -> _Target:
    version, digest = past.held()
    log = read_log(registry, past.record.model, version)
    return _Target(past.record.generation, version, digest, past.record.fallback, log)
