"""A release: several models in one move, all judged before any is moved, and put back if one cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from artreg.core.names import Alias, ModelName
from artreg.core.policy import Policy
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import ArtregError, GateRejected, InvalidInput
from artreg.frozen import Frozen
from artreg.registry.assess import Assessment, assess
from artreg.registry.evidence import Instrument
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, read_record
from artreg.registry.move import Destination, Moved, commit_move, draft, stay
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.promote import move_to, require_permission, require_reason
from artreg.registry.signed_moves import Signers, require_key, sign_move
from artreg.registry.version_log import read_log, require_not_yanked


class Step(Frozen):
    """One move of a release.

    Attributes:
        model: The model.
        version: The version.
        alias: The alias that is to point at it.
    """

    model: ModelName
    version: Version
    alias: Alias

    def __str__(self) -> str:
        return f"{self.model}@{self.version} to {self.alias}"


def release(
    registry: Registry,
    steps: Sequence[Step],
    policy: Policy,
    *,
    reason: str,
    dry_run: bool = False,
    instruments: Mapping[str, Instrument] | None = None,
    policy_now: Callable[[], str] | None = None,
    reporter: Reporter = SILENT,
) -> list[Moved]:
    """Move several aliases, or none.

    Every gate of every step is asked before anything is moved. The moves themselves are one after the other: where one
    of them fails, those made before are rolled back, and the error says which were and which could not be.

    Args:
        registry: The registry.
        steps: The moves, in order; no alias may stand twice.
        policy: What the versions must show.
        reason: Why; stands in every record.
        dry_run: Verify and ask the gates, but move nothing.
        instruments: What measures for gates, by their kinds.
        policy_now: Gives the digest of the policy that holds at this moment; asked before each move.
        reporter: Told of the bytes that were verified.

    Raises:
        GateRejected: A gate said no; nothing was moved.
        Conflict: Somebody else was faster; what had been moved was put back, as far as the message does not say else.
        InvalidInput: The steps contradict each other, or the policy does not allow one.
        IntegrityError: Something that matters is damaged.
        StorageError: Storage failed; the message says what was done.
    """
    _require_distinct(steps)
    judged = []
    for step in steps:
        rules = policy.of(step.model, step.alias)
        require_permission(rules, registry.actor, step.alias)
        require_key(registry, Signers(rules, policy.signers), Action.PROMOTE)
        require_reason(rules, step.alias, reason)
        judged.append(
            assess(registry, step.model, step.version, step.alias, policy, instruments=instruments, reporter=reporter)
        )
    _require_all(judged)
    moved: list[Moved] = []
    for found in judged:
        try:
            moved.append(_move(registry, found, reason, dry_run, policy_now))
        except ArtregError as error:
            _put_back(registry, moved, policy, error)
            raise
    return moved


def _move(
    registry: Registry, found: Assessment, reason: str, dry_run: bool, policy_now: Callable[[], str] | None
) -> Moved:
    if found.stands_there:
        assert found.head is not None
        return stay(registry, found.head, dry_run=dry_run)
    return move_to(registry, found, reason=reason, dry_run=dry_run, policy_now=policy_now)


def _put_back(registry: Registry, moved: Sequence[Moved], policy: Policy, error: ArtregError) -> None:
    """Roll back what was moved, the last first, and add to the error what came of it."""
    done = [step for step in moved if step.changed and not step.dry_run]
    put_back: list[str] = []
    left: list[str] = []
    for step in reversed(done):
        name = f"{step.record.model}@{step.record.alias}"
        try:
            (put_back if _undo(registry, step, policy, error.message) else left).append(name)
        except ArtregError as failure:
            left.append(f"{name} ({failure.message})")
    if put_back:
        error.message += f"; put back: {', '.join(put_back)}"
    if left:
        error.message += f"; moved and NOT put back: {', '.join(left)}"
    error.details |= {"put_back": put_back, "not_put_back": left}


def _undo(registry: Registry, step: Moved, policy: Policy, why: str) -> bool:
    """Point an alias back at what it held before; False if that was nothing, or somebody has moved it since."""
    record = step.record
    head = find_head(registry, record.model, record.alias)
    if head is None or head.record.write_id != record.write_id or record.fallback is None:
        return False
    before = read_record(registry, record.model, record.alias, record.fallback).record
    if before.version is None or before.digest is None:
        return False
    log = read_log(registry, record.model, before.version)
    require_not_yanked(log)
    back = draft(
        registry,
        head,
        Destination(record.model, record.alias, before.version, before.digest),
        action=Action.ROLLBACK,
        fallback=before.fallback,
        reason=f"the release failed: {why}",
        policy=record.policy,
        gates=(),
    )
    signers = Signers(policy.of(record.model, record.alias), policy.signers)
    commit_move(registry, sign_move(registry, back, signers), log)
    return True


def _require_distinct(steps: Sequence[Step]) -> None:
    if not steps:
        raise InvalidInput("the release has no moves", hint="list them under moves:")
    places = [(step.model, step.alias) for step in steps]
    twice = sorted({f"{model}@{alias}" for model, alias in places if places.count((model, alias)) > 1})
    if twice:
        raise InvalidInput(f"the release moves {', '.join(twice)} more than once")


def _require_all(judged: Sequence[Assessment]) -> None:
    refused = [(found, verdict) for found in judged for verdict in found.refusals]
    if refused:
        raise GateRejected(
            "; ".join(f"{found.model}@{found.version}: {verdict.message}" for found, verdict in refused),
            hint="nothing was moved, of no model",
            gates=[
                {**verdict.document(), "model": str(found.model), "version": str(found.version)}
                for found in judged
                for verdict in found.verdicts
            ],
        )
