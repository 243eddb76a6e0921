"""Judging a candidate: is it whole, may it, and what does every gate say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from artreg.core.gates import evaluate
from artreg.core.gates.evidence import Approval
from artreg.core.gates.interface import Gate
from artreg.core.names import Alias, ModelName
from artreg.core.policy import AliasPolicy, Policy
from artreg.core.record import Verdict
from artreg.core.version import Version
from artreg.frozen import Frozen
from artreg.registry.approvals import standing_approvals
from artreg.registry.check import Verified, verified
from artreg.registry.evidence import Candidate, Instrument, gather
from artreg.registry.freeze import freeze_verdict
from artreg.registry.handle import Registry
from artreg.registry.history import Head, trusted_head
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.signed_moves import Signers
from artreg.registry.version_log import VersionLog, read_log, yank_verdict


class Assessment(Frozen):
    """What is to be said of a candidate.

    Attributes:
        model: The model.
        alias: The alias that is to move.
        version: The candidate.
        digest: Its digest.
        head: The alias's newest record when the candidate was judged.
        log: The candidate's log when it was judged.
        rules: What the policy says of the alias.
        policy: The policy's digest.
        verdicts: What every gate said.
        signers: Who must sign the move, and by which keys.
    """

    model: ModelName
    alias: Alias
    version: Version
    digest: str
    head: Head | None
    log: VersionLog
    rules: AliasPolicy
    policy: str
    verdicts: tuple[Verdict, ...]
    signers: Signers

    @property
    def stands_there(self) -> bool:
        """Whether the alias holds the candidate already."""
        return self.head is not None and (self.head.record.version, self.head.record.digest) == (
            self.version,
            self.digest,
        )

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """The verdicts that are against it."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)


def assess(
    registry: Registry,
    model: ModelName,
    version: Version,
    alias: Alias,
    policy: Policy,
    *,
    instruments: Mapping[str, Instrument] | None = None,
    reporter: Reporter = SILENT,
) -> Assessment:
    """Verify a candidate and ask every gate.

    Args:
        registry: The registry.
        model: The model.
        version: The candidate.
        alias: The alias that is to move.
        policy: What the candidate must show.
        instruments: What measures for gates, by their kinds; a gate whose instrument is missing refuses.
        reporter: Told of the bytes that were verified.

    Raises:
        NotFound: There is no such version.
        IntegrityError: The version, or a history that matters, is damaged.
        InvalidInput: The policy names no such alias.
    """
    rules = policy.of(model, alias)
    head = trusted_head(registry, model, alias)
    log = read_log(registry, model, version)  # before anything is judged: a later event makes the move a conflict
    whole = verified(registry, model, version, reporter=reporter)
    return judge(
        registry,
        model,
        version,
        alias,
        policy,
        head=head,
        log=log,
        whole=whole,
        gates=rules.gates,
        instruments=instruments or {},
    )


def judge(
    registry: Registry,
    model: ModelName,
    version: Version,
    alias: Alias,
    policy: Policy,
    *,
    head: Head | None,
    log: VersionLog,
    whole: Verified,
    gates: Sequence[Gate],
    instruments: Mapping[str, Instrument],
) -> Assessment:
    """Ask gates of what was read of a candidate, and of its alias, before.

    Raises:
        IntegrityError: A history that matters is damaged.
    """
    rules, digest = policy.of(model, alias), whole.manifest.digest
    approvals = tuple(Approval(who, signed) for who, signed in standing_approvals(log, alias, digest, policy.signers))
    candidate = Candidate(model, version, whole, log, approvals, policy.signers)
    evidence = gather(registry, candidate, alias, head, gates=gates, instruments=instruments)
    verdicts = [*evaluate(gates, evidence)]
    verdicts += [verdict for verdict in (yank_verdict(log), freeze_verdict(head, registry.now())) if not verdict.passed]
    signers = Signers(rules, policy.signers)
    return Assessment(model, alias, version, digest, head, log, rules, policy.digest, tuple(verdicts), signers)
