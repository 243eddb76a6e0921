"""Gates: each is a part of the policy and a pure rule, from evidence to a verdict with its figures.

A new kind is a class in a module here, and one more name in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from artreg.core.gates.age import FreshGate, SoakGate
from artreg.core.gates.comparison import DriftGate, SignificantGate
from artreg.core.gates.evidence import Evidence
from artreg.core.gates.external import CommandGate, PluginGate
from artreg.core.gates.from_alias import FromGate
from artreg.core.gates.inspected import InspectedGate
from artreg.core.gates.interface import Gate
from artreg.core.gates.limits import LatencyGate, SizeGate
from artreg.core.gates.metric import MetricGate
from artreg.core.gates.people import ApprovalsGate, RollbackPlanGate, SignedGate
from artreg.core.gates.provenance import ModelCardGate, NoPickleGate, ProvenanceGate, ReproducedGate
from artreg.core.gates.regression import NoRegressionGate
from artreg.core.record import Verdict

KINDS: Mapping[str, type[Gate]] = {
    "metric": MetricGate,
    "from": FromGate,
    "no_regression": NoRegressionGate,
    "significant": SignificantGate,
    "drift": DriftGate,
    "provenance": ProvenanceGate,
    "reproduced": ReproducedGate,
    "approvals": ApprovalsGate,
    "signed": SignedGate,
    "soak": SoakGate,
    "fresh": FreshGate,
    "size": SizeGate,
    "latency": LatencyGate,
    "rollback_plan": RollbackPlanGate,
    "model_card": ModelCardGate,
    "no_pickle": NoPickleGate,
    "inspected": InspectedGate,
    "command": CommandGate,
    "plugin": PluginGate,
}
"""Every kind of gate by the name that a policy gives it."""


def evaluate(gates: Sequence[Gate], evidence: Evidence) -> tuple[Verdict, ...]:
    """Return every gate's verdict, that of integrity first; none is left out after a refusal.

    The candidate must have been verified before: damage is an error of its own, not a matter of policy.
    """
    verdicts = (gate.judge(evidence, evidence.measured.get(place)) for place, gate in enumerate(gates))
    return (_integrity(evidence), *verdicts)


def _integrity(evidence: Evidence) -> Verdict:
    figures = {"files": evidence.files, "bytes": evidence.bytes, "digest": evidence.candidate.digest}
    return Verdict("integrity", True, f"all {evidence.files} files match their checksums", figures)
