"""Every gate with its edges: equal to the limit, just off, missing, no number, no incumbent, damaged, hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from artreg.core.gates import KINDS, evaluate
from artreg.core.gates.evidence import Evidence, WayBack
from artreg.core.gates.interface import Gate
from artreg.core.policy import parse_policy
from artreg.core.record import Verdict
from artreg.frozen import replace
from core.gates import comparisons, contents, numbers, people
from core.gates.build import PROD, STAGING, Case, against, candidate, evidence, head, old

TABLES: dict[str, dict[str, Case]] = {
    "metric": numbers.METRIC,
    "from": people.FROM,
    "no_regression": numbers.NO_REGRESSION,
    "significant": comparisons.SIGNIFICANT,
    "drift": comparisons.DRIFT,
    "provenance": contents.PROVENANCE,
    "reproduced": contents.REPRODUCED,
    "approvals": people.APPROVALS,
    "signed": people.SIGNED,
    "soak": people.SOAK,
    "fresh": people.FRESH,
    "size": numbers.SIZE,
    "latency": numbers.LATENCY,
    "rollback_plan": people.ROLLBACK_PLAN,
    "model_card": contents.MODEL_CARD,
    "no_pickle": contents.NO_PICKLE,
    "inspected": contents.INSPECTED,
    "command": contents.COMMAND,
    "plugin": contents.PLUGIN,
}


def gate_of(kind: str, settings: Any) -> Gate:
    signers = dict.fromkeys(("bob", "cid"), "ssh-ed25519 AAAA")
    policy = parse_policy(
        {"aliases": {"staging": {}, "prod": {"gates": [{"gate": kind, **settings}]}}, "signers": signers}
    )
    return policy.aliases["prod"].gates[0]


def judge(gate: Gate, given: Evidence, measured: object) -> Verdict:
    """Ask a gate; it is shown nothing but what it asked for."""
    needs = gate.needs(PROD)
    asked = replace(
        given,
        heads={alias: given.heads[alias] for alias in needs.heads | needs.since},
        held_since={alias: given.held_since.get(alias) for alias in needs.heads | needs.since},
        incumbents={alias: given.incumbents[alias] for alias in needs.incumbents},
        signers=given.signers if needs.signers else (),
        way_back=given.way_back if needs.way_back else WayBack(None, "it was not looked for"),
        measured={0: measured} if needs.measured else {},
    )
    integrity, verdict = evaluate([gate], asked)
    assert integrity.passed
    for one in (integrity, verdict):
        json.dumps(one.document(), allow_nan=False)
    return verdict


def test_every_kind_has_a_table() -> None:
    assert set(TABLES) == set(KINDS)
    for kind, table in TABLES.items():
        assert {case.passed for case in table.values()} == {True, False}, kind


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table])
def test_a_gate(kind: str, name: str) -> None:
    case = TABLES[kind][name]
    verdict = judge(gate_of(kind, case.gate), evidence(**case.given), case.measured)
    assert (verdict.gate, verdict.passed) == (kind, case.passed), verdict.message
    assert case.says in verdict.message
    assert "\n" not in verdict.message
    assert {key: verdict.figures[key] for key in case.figures} == dict(case.figures)
    off = verdict.figures.get("off_by")
    assert off == (None if case.off_by is None else pytest.approx(case.off_by, rel=0.02, abs=1e-18))
    assert off is None or not verdict.passed


def test_drift_judges_whatever_a_data_manifest_holds() -> None:
    gate = gate_of("drift", {})
    verdicts = [judge(gate, evidence(**comparisons.data(hostile)), None) for hostile in comparisons.HOSTILE]
    reverse = [judge(gate, evidence(**comparisons.data(comparisons.PLAIN, bad)), None) for bad in comparisons.HOSTILE]
    for said in (verdicts, reverse):
        refused = sum("cannot be compared" in verdict.message for verdict in said)
        assert refused > 0.9 * len(comparisons.HOSTILE)
        assert all(verdict.message for verdict in said)


@pytest.mark.parametrize("kind", TABLES)
def test_no_gate_passes_a_version_that_brings_nothing(kind: str) -> None:
    """An empty candidate against an incumbent of which everything is known, and no instrument at all."""
    settings = next(iter(TABLES[kind].values())).gate
    bare: dict[str, Any] = {"sizes": {}, "metrics": {}, "run": {}, "data": {}, "card": ""}
    given = {
        **against(old(), **bare),
        "heads": {STAGING: head("1.0.0", "e" * 64)},
        "way_back": WayBack(old().version, "gone"),
    }
    assert not judge(gate_of(kind, settings), evidence(**given), None).passed


def test_integrity_is_always_there_and_nothing_is_left_out_after_a_refusal() -> None:
    gates = [gate_of("metric", {"key": "a", "min": 1}), gate_of("from", {"alias": "staging"})]
    verdicts = evaluate(gates, evidence(**candidate(metrics={"a": 0}), heads={STAGING: head("1.1.0")}))
    assert [(verdict.gate, verdict.passed) for verdict in verdicts] == [
        ("integrity", True),
        ("metric", False),
        ("from", True),
    ]


def test_each_gate_is_given_its_own_measurement() -> None:
    gate = gate_of("latency", numbers.FAST)
    slow, fast = numbers.Latency(1.0, 20.0, 50, 1), numbers.Latency(1.0, 5.0, 50, 1)
    _, first, second = evaluate([gate, gate], evidence(measured={0: slow, 1: fast}))
    assert (first.passed, second.passed) == (False, True)
