"""Promotion: judge the candidate, and move the alias if nothing is against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from artreg.core.names import Alias, ModelName
from artreg.core.policy import AliasPolicy, Policy
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import Conflict, GateRejected, InvalidInput
from artreg.registry.assess import Assessment, assess
from artreg.registry.evidence import Instrument
from artreg.registry.handle import Registry
from artreg.registry.move import Destination, Moved, commit_move, draft, fallback_on, stay
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.signed_moves import Signers, require_key, sign_move

UNFORCEABLE = {"integrity", "yanked", "frozen"}
"""Verdicts that nobody can override."""


def promote(
    registry: Registry,
    model: ModelName,
    version: Version,
    alias: Alias,
    policy: Policy,
    *,
    reason: str = "",
    force: bool = False,
    expect: Version | None = None,
    dry_run: bool = False,
    instruments: Mapping[str, Instrument] | None = None,
    policy_now: Callable[[], str] | None = None,
    reporter: Reporter = SILENT,
) -> Moved:
    """Point an alias at a version, if the version is whole and every gate of the policy lets it pass.

    An alias that stands there already stays as it is, without a new record, so that a command that was cut off can
    simply be run again.

    Args:
        registry: The registry.
        model: The model.
        version: The candidate.
        alias: The alias to move.
        policy: What the version must show.
        reason: Why; stands in the record.
        force: Move although gates say no, where the policy allows it to the actor; the record keeps their verdicts.
        expect: The version that the alias must hold now, unless it holds the candidate already.
        dry_run: Verify and ask the gates, but move nothing.
        instruments: What measures for gates, by their kinds.
        policy_now: Gives the digest of the policy that holds at this moment; asked just before the move.
        reporter: Told of the bytes that were verified.

    Raises:
        NotFound: There is no such version.
        IntegrityError: The version, or the alias's history, is damaged.
        GateRejected: A gate said no; `details["gates"]` holds every verdict.
        Conflict: Somebody else moved the alias, spoke of the version, or changed the policy meanwhile, or the alias
            does not hold what was expected; nothing was changed.
        InvalidInput: The policy names no such alias, demands a reason or a signature, or does not let the actor do
            this.
        StorageError: Storage failed; the message says what was done.
    """
    rules = policy.of(model, alias)
    require_permission(rules, registry.actor, alias)
    require_key(registry, Signers(rules, policy.signers), Action.PROMOTE)
    found = assess(registry, model, version, alias, policy, instruments=instruments, reporter=reporter)
    if found.stands_there:
        assert found.head is not None
        return stay(registry, found.head, dry_run=dry_run)
    _require_expected(found, expect)
    require_reason(found.rules, alias, reason)
    if force:
        _require_force(found, registry.actor, reason)
    else:
        require_all(found)
    return move_to(registry, found, reason=reason, dry_run=dry_run, policy_now=policy_now)


def move_to(
    registry: Registry,
    found: Assessment,
    *,
    reason: str,
    dry_run: bool = False,
    policy_now: Callable[[], str] | None = None,
) -> Moved:
    """Move an alias to a candidate that was judged.

    Raises:
        Conflict: Something that it was judged by changed meanwhile; nothing was changed.
        StorageError: Storage failed; the message says what was done.
    """
    record = draft(
        registry,
        found.head,
        Destination(found.model, found.alias, found.version, found.digest),
        action=Action.PROMOTE,
        fallback=fallback_on(found.head),
        reason=reason,
        policy=found.policy,
        gates=found.verdicts,
    )
    if not dry_run:
        if policy_now is not None and policy_now() != found.policy:
            raise Conflict(
                "the policy was changed after the gates were asked; nothing was changed",
                hint="run the command again: the gates are then asked by the new one",
            )
        record = sign_move(registry, record, found.signers)
        commit_move(registry, record, found.log)
    return Moved(record, changed=True, dry_run=dry_run)


def require_permission(rules: AliasPolicy, actor: str, alias: Alias) -> None:
    """Return if the policy lets the actor move the alias.

    Raises:
        InvalidInput: It does not.
    """
    if not rules.may_move(actor):
        raise InvalidInput(
            f"the policy does not let {actor} move {alias}",
            hint=f"it lets {', '.join(rules.who)}; --actor or ARTREG_ACTOR says who acts",
        )


def require_reason(rules: AliasPolicy, alias: Alias, reason: str) -> None:
    """Return if the policy is content with the reason given.

    Raises:
        InvalidInput: It demands one, and there is none.
    """
    if rules.require_reason and not reason.strip():
        raise InvalidInput(f"the policy demands a reason for every move of {alias}", hint="add --reason '…'")


def require_all(found: Assessment) -> None:
    """Return if every gate lets the candidate pass.

    Raises:
        GateRejected: One does not; `details["gates"]` holds every verdict.
    """
    _refuse(found, [verdict.message for verdict in found.refusals])


def _require_force(found: Assessment, actor: str, reason: str) -> None:
    if not found.rules.may_force(actor):
        allowed = ", ".join(found.rules.force) or "nobody"
        raise InvalidInput(f"the policy does not let {actor} force {found.alias}", hint=f"it lets {allowed}")
    if not reason.strip():
        raise InvalidInput("a forced promotion needs a reason", hint="add --reason '…'")
    _refuse(found, [verdict.message for verdict in found.refusals if verdict.gate in UNFORCEABLE])


def _refuse(found: Assessment, messages: list[str]) -> None:
    if messages:
        raise GateRejected(
            f"{found.model}@{found.version} may not become {found.alias}: {'; '.join(messages)}",
            hint="nothing was changed; the policy says what a version must show",
            gates=[verdict.document() for verdict in found.verdicts],
        )


def _require_expected(found: Assessment, expect: Version | None) -> None:
    holds = found.head.record.version if found.head else None
    if expect is not None and holds != expect:
        raise Conflict(
            f"{found.alias} of {found.model} holds {holds or 'nothing'}, not {expect}; nothing was changed",
            hint="look at artreg history, and run the command again if it is still wanted",
        )
