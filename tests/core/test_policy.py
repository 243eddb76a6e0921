"""Policies: what is refused, by name, and what changes their digest."""

from __future__ import annotations

import pytest

from artreg.core.names import Alias
from artreg.core.policy import DEFAULT_POLICY, parse_policy
from artreg.errors import InvalidInput

METRIC = {"gate": "metric", "key": "auc", "min": 0.5}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "must be a mapping"),
        ([], "must be a mapping"),
        ({}, "aliases: missing"),
        ({"aliases": {}}, "aliases: "),
        ({"alias": {}, "aliases": {"prod": {}}}, "alias: unknown key; did you mean aliases?"),
        ({"aliases": {"Prod": {}}}, "'Prod' is not an alias"),
        ({"aliases": {"latest": {}}}, "reserved word"),
        ({"aliases": {"prod": {"gate": []}}}, "aliases.prod.gate: unknown key; did you mean gates?"),
        ({"aliases": {"prod": {"gates": [{"gate": "metrc"}]}}}, "metrc"),
        ({"aliases": {"prod": {"gates": [{"key": "auc"}]}}}, "gate"),
        ({"aliases": {"prod": {"gates": [{**METRIC, "mn": 1}]}}}, "mn: unknown key; did you mean min?"),
        ({"aliases": {"prod": {"gates": [{"gate": "metric", "key": "auc"}]}}}, "needs min, max, or both"),
        ({"aliases": {"prod": {"gates": [{**METRIC, "max": 0.1}]}}}, "nothing could pass"),
        ({"aliases": {"prod": {"gates": [{**METRIC, "min": "0.5"}]}}}, "min: must be a valid number, not '0.5'"),
        ({"aliases": {"prod": {"gates": [{**METRIC, "min": float("nan")}]}}}, "min: must be a finite number"),
        ({"aliases": {"prod": {"gates": [{"gate": "from", "alias": "staging"}]}}}, "which the policy does not name"),
        ({"aliases": {"prod": {"gates": [{"gate": "from", "alias": "prod"}]}}}, "cannot take from itself"),
        ({"aliases": {"prod": {"require_reason": "yes"}}}, "require_reason: must be a valid boolean"),
    ],
)
def test_refuses_by_name(document: object, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_policy(document, "policy.yaml")
    assert said in str(caught.value)
    assert caught.value.details["problems"]


def test_its_digest_follows_its_meaning() -> None:
    reordered = {"aliases": {"prod": {"require_reason": False, "gates": [dict(reversed(METRIC.items()))]}}}
    plain = {"aliases": {"prod": {"gates": [METRIC]}}}
    other = {"aliases": {"prod": {"gates": [{**METRIC, "min": 0.6}]}}}
    assert parse_policy(plain).digest == parse_policy(reordered).digest
    assert parse_policy(plain).digest != parse_policy(other).digest


def test_names_its_aliases_when_asked_for_another() -> None:
    policy = parse_policy(DEFAULT_POLICY)
    assert len(policy.of(Alias("prod")).gates) == 2
    with pytest.raises(InvalidInput) as caught:
        policy.of(Alias("canary"))
    assert "staging, prod" in caught.value.hint
