"""Gates: each is a pure rule, from values to a verdict with the figures that it judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from artreg.core.names import Alias
from artreg.core.policy import FromGate, Gate, MetricGate
from artreg.core.record import PromotionRecord, Verdict
from artreg.core.version import Version


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gates judge by.

    Attributes:
        version: The candidate.
        digest: The candidate's digest.
        files: How many of its files were verified.
        bytes: How many bytes these have.
        metrics: Its `metrics.json`, or None if it has none.
        heads: The newest record of each alias that a gate asks for; None where the alias was never set.
    """

    version: Version
    digest: str
    files: int
    bytes: int
    metrics: Mapping[str, object] | None
    heads: Mapping[Alias, PromotionRecord | None]


def evaluate(gates: Sequence[Gate], evidence: Evidence) -> tuple[Verdict, ...]:
    """Return every gate's verdict, that of integrity first; none is left out after a refusal.

    The candidate must have been verified before: damage is an error of its own, not a matter of policy.
    """
    return (_integrity(evidence), *(_judge(gate, evidence) for gate in gates))


def _judge(gate: Gate, evidence: Evidence) -> Verdict:
    match gate:
        case MetricGate():
            return _metric(gate, evidence)
        case FromGate():
            return _from(gate, evidence)


def _integrity(evidence: Evidence) -> Verdict:
    figures = {"files": evidence.files, "bytes": evidence.bytes, "digest": evidence.digest}
    return Verdict("integrity", True, f"all {evidence.files} files match their checksums", figures)


def _metric(gate: MetricGate, evidence: Evidence) -> Verdict:
    value = _lookup(evidence.metrics, gate.key)
    wanted = " and ".join(
        f"{sign} {limit:g}" for sign, limit in (("≥", gate.min), ("≤", gate.max)) if limit is not None
    )
    figures: dict[str, object] = {"key": gate.key, "value": value, "min": gate.min, "max": gate.max}
    if value is None:
        where = "it has no metrics.json" if evidence.metrics is None else "its metrics.json has no such number"
        return Verdict("metric", False, f"{gate.key} must be {wanted}, but {where}", figures)
    too_low = gate.min is not None and value < gate.min
    too_high = gate.max is not None and value > gate.max
    if too_low or too_high:
        return Verdict("metric", False, f"{gate.key} is {value:.6g}, which is not {wanted}", figures)
    return Verdict("metric", True, f"{gate.key} is {value:.6g}, {wanted}", figures)


def _lookup(metrics: Mapping[str, object] | None, key: str) -> float | None:
    """Find a finite number under a dotted key; a key that itself holds dots is found too."""
    if metrics is None:
        return None
    if key in metrics:
        value = metrics[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number and math.isfinite(value) else None  # type: ignore[arg-type]  # checked above
    head, _, rest = key.partition(".")
    inner = metrics.get(head)
    return _lookup(inner, rest) if rest and isinstance(inner, Mapping) else None


def _from(gate: FromGate, evidence: Evidence) -> Verdict:
    head = evidence.heads[Alias(gate.alias)]
    holds = None if head is None else str(head.version)
    figures = {"alias": gate.alias, "holds": holds, "generation": None if head is None else head.generation}
    if head is None:
        return Verdict("from", False, f"{gate.alias} holds nothing; {evidence.version} must stand there first", figures)
    if head.version != evidence.version:
        message = f"{gate.alias} holds {holds}; {evidence.version} must stand there first"
        return Verdict("from", False, message, figures)
    if head.digest != evidence.digest:
        message = f"{gate.alias} holds {holds} with other bytes: the version was changed since"
        return Verdict("from", False, message, figures)
    return Verdict("from", True, f"{gate.alias} holds {holds}", figures)
