"""Promotion: verify the candidate, ask the gates, move the alias."""

from __future__ import annotations

from artreg.core.gates import Evidence, evaluate
from artreg.core.names import Alias, ModelName
from artreg.core.policy import AliasPolicy, FromGate, Policy
from artreg.core.record import Action, PromotionRecord, Verdict
from artreg.core.version import Version
from artreg.errors import GateRejected, InvalidInput
from artreg.registry.check import verified_manifest
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head
from artreg.registry.move import Destination, Moved, commit_move, draft, heal
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.versions import read_metrics


def promote(
    registry: Registry,
    model: ModelName,
    version: Version,
    alias: Alias,
    policy: Policy,
    *,
    reason: str = "",
    dry_run: bool = False,
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
        dry_run: Verify and ask the gates, but move nothing.
        reporter: Told of the bytes that were verified.

    Raises:
        NotFound: There is no such version.
        IntegrityError: The version, or the alias's history, is damaged.
        GateRejected: A gate said no; `details["gates"]` holds every verdict.
        Conflict: Somebody else moved the alias meanwhile; nothing was changed.
        InvalidInput: The policy names no such alias, or demands a reason.
        StorageError: Storage failed; the message says what was done.
    """
    rules = policy.of(alias)
    head = find_head(registry, model, alias)
    manifest, checked = verified_manifest(registry, model, version, reporter=reporter)
    if head is not None and (head.record.version, head.record.digest) == (version, manifest.digest):
        if not dry_run:
            heal(registry, model, alias)
        return Moved(head.record, changed=False, dry_run=dry_run)
    require_reason(rules, alias, reason)
    evidence = Evidence(
        version=version,
        digest=manifest.digest,
        files=checked.files,
        bytes=checked.bytes,
        metrics=read_metrics(registry, model, version, manifest),
        heads={name: _record(find_head(registry, model, name)) for name in _asked_for(rules)},
    )
    verdicts = evaluate(rules.gates, evidence)
    _require_all(verdicts, f"{model}@{version}", alias)
    record = draft(
        registry,
        head,
        Destination(model, alias, version, manifest.digest),
        action=Action.PROMOTE,
        fallback=head.record.generation if head else None,
        reason=reason,
        policy=policy.digest,
        gates=verdicts,
    )
    if not dry_run:
        commit_move(registry, record)
    return Moved(record, changed=True, dry_run=dry_run)


def require_reason(rules: AliasPolicy, alias: Alias, reason: str) -> None:
    """Return if the policy is content with the reason given.

    Raises:
        InvalidInput: It demands one, and there is none.
    """
    if rules.require_reason and not reason.strip():
        raise InvalidInput(f"the policy demands a reason for every move of {alias}", hint="add --reason '…'")


def _asked_for(rules: AliasPolicy) -> list[Alias]:
    return [Alias(gate.alias) for gate in rules.gates if isinstance(gate, FromGate)]


def _record(head: Head | None) -> PromotionRecord | None:
    return head.record if head else None


def _require_all(verdicts: tuple[Verdict, ...], candidate: str, alias: Alias) -> None:
    refused = [verdict for verdict in verdicts if not verdict.passed]
    if refused:
        raise GateRejected(
            f"{candidate} may not become {alias}: {'; '.join(verdict.message for verdict in refused)}",
            hint="nothing was changed; the policy says what a version must show",
            gates=[verdict.document() for verdict in verdicts],
        )
