"""A stored policy is checked without pydantic; what that lets pass is what pydantic lets pass."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from artreg.core.gates import KINDS
from artreg.core.policy import parse_policy, policy_of
from artreg.errors import InvalidInput
from hostile.nasty import mutated
from sizes import FULL

GATES: dict[str, dict[str, Any]] = {
    "metric": {"key": "auc", "min": 0.5, "max": None},
    "from": {"alias": "staging"},
    "no_regression": {"key": "auc", "better": "lower", "against": "staging", "relative": 0.1},
    "significant": {"metric": "brier", "claim": "not_worse", "margin": 0.1, "level": 0.9, "resamples": 500},
    "drift": {"max_psi": 0.1, "columns": {"age": 0.5}, "ignore": ["x"], "schema_changes": "report"},
    "provenance": {"clean": False},
    "reproduced": {},
    "approvals": {"count": 2, "of": ["a", "b"], "signed": True},
    "soak": {"alias": "staging", "at_least": "1h"},
    "fresh": {"at_most": "7d"},
    "size": {"max_bytes": 10},
    "latency": {"max_ms": 5, "percentile": "median", "rows": 10, "calls": 10, "timeout_s": 1.5},
    "rollback_plan": {"first": False},
    "model_card": {"sections": ["Use"]},
    "no_pickle": {},
    "command": {"name": "c", "command": ["true"], "timeout_s": 3},
    "signed": {"count": 1, "of": ["ada"]},
    "inspected": {"allow": "data"},
    "plugin": {"name": "p", "options": {"a": [1, {"b": None}]}, "timeout_s": 3},
}
RULES = {"gates": [{"gate": kind, **gate} for kind, gate in GATES.items()], "require_reason": True, "who": ["a*"]}
POLICY = {
    "aliases": {"staging": {}, "prod": RULES},
    "projects": {"demo": {"prod": {"force": ["ada"]}}},
    "models": {"demo/churn": {"prod": {"gates": []}}},
    "signers": {"ada": "ssh-ed25519 AAAA"},
}


def test_every_kind_of_gate_is_among_them() -> None:
    assert GATES.keys() == KINDS.keys()
    policy_of(POLICY).check()
    policy_of(parse_policy(POLICY).document()).check()


@pytest.mark.parametrize("kind", ["whole", *GATES])
def test_both_ways_of_checking_a_policy_agree(kind: str) -> None:
    dice, seen = random.Random(f"policies {kind}"), Counter[bool]()
    whole = {"aliases": {"staging": {}, "prod": {"gates": [{"gate": kind, **GATES.get(kind, {})}]}}}
    for _ in range(400 if FULL else 40):
        document = mutated(POLICY if kind == "whole" else whole, dice)
        try:
            parse_policy(document)
            accepted = True
        except InvalidInput:
            accepted = False
        try:
            policy_of(document).check()
            passed = True
        except (InvalidInput, ValueError):
            passed = False
        assert passed == accepted, document
        seen[accepted] += 1
    assert seen[False]
