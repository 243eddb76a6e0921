"""Every gate with its edges: equal to the limit, missing, no number, no incumbent."""

from __future__ import annotations

from typing import Any

import pytest

from artreg.core.gates import Evidence, evaluate
from artreg.core.names import Alias, ModelName
from artreg.core.policy import FromGate, MetricGate
from artreg.core.record import Action, PromotionRecord
from artreg.core.version import Version

STAGING = Alias("staging")


def head(version: str, digest: str = "d") -> PromotionRecord:
    return PromotionRecord(
        ModelName("demo", "churn"), STAGING, 3, Action.PROMOTE, Version.parse(version), digest,
        None, None, None, "w", "t", "ada", "", None, (),
    )  # fmt: skip


def evidence(metrics: Any = None, staging: PromotionRecord | None = None) -> Evidence:
    return Evidence(Version(1, 0, 0), "d", 3, 300, metrics, {STAGING: staging})


METRIC_CASES = {
    "above the minimum": ({"min": 0.8}, {"auc": 0.81}, True, "auc is 0.81, ≥ 0.8"),
    "equal to the minimum": ({"min": 0.8}, {"auc": 0.8}, True, "auc is 0.8, ≥ 0.8"),
    "just below the minimum": ({"min": 0.8}, {"auc": 0.7999999}, False, "auc is 0.8, which is not ≥ 0.8"),
    "equal to the maximum": ({"max": 0.5}, {"auc": 0.5}, True, "auc is 0.5, ≤ 0.5"),
    "above the maximum": ({"max": 0.5}, {"auc": 0.6}, False, "auc is 0.6, which is not ≤ 0.5"),
    "within both": ({"min": 0.1, "max": 0.5}, {"auc": 0.3}, True, "auc is 0.3, ≥ 0.1 and ≤ 0.5"),
    "missing": ({"min": 0.8}, {"other": 1}, False, "no such number"),
    "no metrics at all": ({"min": 0.8}, None, False, "it has no metrics.json"),
    "not a number": ({"min": 0.8}, {"auc": float("nan")}, False, "no such number"),
    "infinite": ({"min": 0.8}, {"auc": float("inf")}, False, "no such number"),
    "text": ({"min": 0.8}, {"auc": "0.9"}, False, "no such number"),
    "a Boolean": ({"min": 0}, {"auc": True}, False, "no such number"),
    "null": ({"min": 0.8}, {"auc": None}, False, "no such number"),
    "an integer": ({"min": 1}, {"auc": 1}, True, "auc is 1, ≥ 1"),
    "zero": ({"max": 0}, {"auc": 0.0}, True, "auc is 0, ≤ 0"),
}


@pytest.mark.parametrize("case", METRIC_CASES)
def test_metric(case: str) -> None:
    limits, metrics, passed, message = METRIC_CASES[case]
    _, verdict = evaluate([MetricGate(gate="metric", key="auc", **limits)], evidence(metrics))
    assert verdict.passed is passed
    assert message in verdict.message
    assert set(verdict.figures) == {"key", "value", "min", "max"}


@pytest.mark.parametrize(
    ("key", "metrics", "passed"),
    [
        ("test.rows", {"test": {"rows": 10}}, True),
        ("test.rows", {"test.rows": 10}, True),
        ("test.rows", {"test": {"columns": 10}}, False),
        ("test", {"test": {"rows": 10}}, False),
        ("test.rows", {"test": [10]}, False),
        ("a.b.c", {"a": {"b.c": 10}}, True),
    ],
)
def test_a_metric_is_found_by_its_dotted_key(key: str, metrics: Any, passed: bool) -> None:
    _, verdict = evaluate([MetricGate(gate="metric", key=key, min=1)], evidence(metrics))
    assert verdict.passed is passed


FROM_CASES = {
    "the same version": (head("1.0.0"), True, "staging holds 1.0.0"),
    "another version": (head("1.1.0"), False, "staging holds 1.1.0; 1.0.0 must stand there first"),
    "never set": (None, False, "staging holds nothing"),
    "the same number with other bytes": (head("1.0.0", "other"), False, "with other bytes"),
}


@pytest.mark.parametrize("case", FROM_CASES)
def test_from(case: str) -> None:
    staging, passed, message = FROM_CASES[case]
    _, verdict = evaluate([FromGate(gate="from", alias="staging")], evidence({}, staging))
    assert verdict.passed is passed
    assert message in verdict.message


def test_integrity_is_always_there_and_nothing_is_left_out_after_a_refusal() -> None:
    gates = [MetricGate(gate="metric", key="a", min=1), FromGate(gate="from", alias="staging")]
    verdicts = evaluate(gates, evidence({"a": 0}, head("1.0.0")))
    assert [(verdict.gate, verdict.passed) for verdict in verdicts] == [
        ("integrity", True),
        ("metric", False),
        ("from", True),
    ]
