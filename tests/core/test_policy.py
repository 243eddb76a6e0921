"""Policies: what is refused, by name, and what changes their digest."""

from __future__ import annotations

from typing import Any

import pytest

from artreg.core import canonical
from artreg.core.names import Alias, ModelName
from artreg.core.policy import DEFAULT_POLICY, matches, parse_policy
from artreg.errors import InvalidInput

CHURN, OTHER, ABROAD = ModelName("demo", "churn"), ModelName("demo", "other"), ModelName("abroad", "churn")
PROD = Alias("prod")
METRIC = {"gate": "metric", "key": "auc", "min": 0.5}


def prod(*gates: dict[str, Any], **rules: Any) -> dict[str, Any]:
    return {"aliases": {"staging": {}, "prod": {"gates": list(gates), **rules}}}


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
        ({"aliases": {"prod": {"who": "ada"}}}, "aliases.prod.who: "),
        ({"aliases": {"prod": {"force": [1]}}}, "aliases.prod.force.0: "),
        (
            prod({"gate": "soak", "alias": "canary", "at_least": "1h"}),
            "prod looks at canary, which the policy does not",
        ),
        (prod({"gate": "soak", "alias": "prod", "at_least": "1h"}), "prod cannot soak in itself"),
        (prod({"gate": "soak", "alias": "staging", "at_least": "1 hour"}), "is not an age"),
        (prod({"gate": "soak", "alias": "staging", "at_least": "-1h"}), "is not an age"),
        (prod({"gate": "fresh", "at_most": "1w"}), "is not an age"),
        (prod({"gate": "no_regression", "key": "auc", "against": "canary"}), "looks at canary"),
        (prod({"gate": "significant", "against": "canary"}), "looks at canary"),
        (prod({"gate": "drift", "against": "canary"}), "looks at canary"),
        (prod({"gate": "drift", "against": "Canary"}), "'Canary' is not an alias"),
        (prod({"gate": "no_regression", "key": "auc", "absolute": 0.1, "relative": 0.1}), "exclude each other"),
        (
            prod({"gate": "no_regression", "key": "auc", "absolute": -0.1}),
            "absolute: must be greater than or equal to 0",
        ),
        (prod({"gate": "no_regression", "key": ""}), "key: "),
        (prod({"gate": "significant", "metric": "auc"}), "metric: "),
        (prod({"gate": "significant", "level": 1.0}), "level: must be less than 1"),
        (prod({"gate": "significant", "resamples": 199}), "resamples: must be greater than or equal to 200"),
        (prod({"gate": "drift", "columns": {"age": -0.1}}), "columns.age: must be greater than or equal to 0"),
        (prod({"gate": "drift", "max_distance": 1.1}), "max_distance: must be less than or equal to 1"),
        (prod({"gate": "drift", "schema": "report"}), "gates.0.drift.schema: unknown key"),
        (prod({"gate": "approvals", "count": 0}), "count: must be greater than or equal to 1"),
        (prod({"gate": "approvals", "count": 2, "of": ["bob"]}), "nothing could pass"),
        (prod({"gate": "approvals", "count": 2, "of": ["bob", "bob"]}), "nothing could pass"),
        (prod({"gate": "signed", "of": ["bob"]}), "prod asks for a signature of bob, whose key is not under signers"),
        (prod({"gate": "signed", "count": 2, "of": ["bob", "bob"]}), "nothing could pass"),
        (prod({"gate": "signed", "count": 0}), "count: must be greater than or equal to 1"),
        (prod({"gate": "size", "max_bytes": 0}), "max_bytes: must be greater than 0"),
        (prod({"gate": "size", "max_bytes": 1e6}), "max_bytes: "),
        (prod({"gate": "latency", "max_ms": float("inf")}), "max_ms: must be a finite number"),
        (prod({"gate": "latency", "max_ms": 1, "calls": 4}), "calls: must be greater than or equal to 5"),
        (prod({"gate": "command", "name": "x", "command": []}), "command: "),
        (prod({"gate": "command", "name": "x", "command": "rm -r"}), "command: "),
        (prod({"gate": "command", "name": "x", "command": ["x"], "timeout_s": 0}), "timeout_s: must be greater than 0"),
        (prod({"gate": "plugin"}), "name: missing"),
        ({**prod(), "projects": {"Demo": {"prod": {}}}}, "'Demo' is not a project name"),
        ({**prod(), "projects": {"demo": {"Prod": {}}}}, "'Prod' is not an alias"),
        ({**prod(), "projects": {"demo": {"canary": {"gates": [{"gate": "from", "alias": "beta"}]}}}}, "looks at beta"),
        ({**prod(), "models": {"churn": {"prod": {}}}}, "'churn' is not project/model"),
        ({**prod(), "models": {"demo/": {"prod": {}}}}, "'demo/' is not project/model"),
        ({**prod(), "models": {"demo/churn/1": {"prod": {}}}}, "is not project/model"),
        ({**prod(), "models": {"demo/churn": {"prod": {"gates": [{"gate": "from", "alias": "prod"}]}}}}, "from itself"),
        ({**prod(), "signers": {"bob": ["ssh-ed25519 AAAA"]}}, "signers.bob: "),
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
    assert len(policy.of(CHURN, Alias("prod")).gates) == 2
    with pytest.raises(InvalidInput) as caught:
        policy.of(CHURN, Alias("canary"))
    assert "staging, prod" in caught.value.hint


OVERRIDES = {
    **prod({"gate": "metric", "key": "everywhere", "min": 1}, who=["ada"]),
    "projects": {
        "demo": {
            "canary": {},
            "prod": {"gates": [{"gate": "from", "alias": "canary"}, {"gate": "metric", "key": "project", "min": 1}]},
        }
    },
    "models": {"demo/churn": {"prod": {"gates": [{"gate": "metric", "key": "model", "min": 1}], "force": ["ada"]}}},
}


@pytest.mark.parametrize(
    ("model", "kinds", "aliases", "who", "force"),
    [
        (ABROAD, ["metric everywhere"], {"staging", "prod"}, ["ada"], []),
        (OTHER, ["from canary", "metric project"], {"staging", "prod", "canary"}, [], []),
        (CHURN, ["metric model"], {"staging", "prod", "canary"}, [], ["ada"]),
    ],
    ids=["everywhere", "of a project", "of a model"],
)
def test_a_nearer_rule_replaces_the_whole_of_a_wider_one(
    model: ModelName, kinds: list[str], aliases: set[str], who: list[str], force: list[str]
) -> None:
    policy = parse_policy(OVERRIDES)
    rules = policy.of(model, PROD)
    named = [f"{gate.gate} {getattr(gate, 'key', None) or gate.alias}" for gate in rules.gates]
    assert (named, rules.who, rules.force) == (kinds, who, force)
    assert set(policy.names(model)) == aliases
    assert policy.of(model, Alias("staging")).gates == []


def test_an_alias_of_one_project_is_unknown_in_another() -> None:
    policy = parse_policy(OVERRIDES)
    assert policy.of(CHURN, Alias("canary")).gates == []
    with pytest.raises(InvalidInput, match="no alias 'canary'"):
        policy.of(ABROAD, Alias("canary"))


@pytest.mark.parametrize(
    ("who", "actor", "may"),
    [
        ([], "anybody", True),
        (["ada"], "ada", True),
        (["ada"], "Ada", False),
        (["ada"], "ada ", False),
        (["ada"], "adam", False),
        (["ada", "bob"], "bob", True),
        (["*@example.org"], "ada@example.org", True),
        (["*@example.org"], "ada@example.org.evil.net", False),
        (["github-actions[bot]"], "github-actions[bot]", True),
        (["github-actions[bot]"], "github-actionsb", False),
        (["*[bot]"], "release[bot]", True),
        (["who?"], "whom", False),
        (["who?"], "who?", True),
        (["[!a]*"], "bob", False),
        ([""], "ada", False),
        (["*"], "", True),
    ],
)
def test_who_may_move_an_alias(who: list[str], actor: str, may: bool) -> None:
    rules = parse_policy(prod(who=who)).of(CHURN, PROD)
    assert rules.may_move(actor) is may


def test_nobody_may_force_unless_named() -> None:
    nobody = parse_policy(prod(who=["ada"])).of(CHURN, PROD)
    somebody = parse_policy(prod(force=["*@example.org"])).of(CHURN, PROD)
    assert not nobody.may_force("ada")
    assert somebody.may_force("ada@example.org")
    assert not somebody.may_force("ada")


def test_a_star_stands_for_anything_however_often() -> None:
    assert matches("a" * 5000 + "b", ["*a" * 50 + "*b"])
    assert not matches("a" * 200, ["*a" * 8 + "b"])


def test_signers_are_part_of_the_policy() -> None:
    plain, signed = prod(), {**prod(), "signers": {"bob": "ssh-ed25519 AAAA bob"}}
    assert parse_policy(signed).signers == {"bob": "ssh-ed25519 AAAA bob"}
    assert parse_policy(signed).digest != parse_policy(plain).digest


SPELT_OUT = {
    "defaults of an alias": {"aliases": {"staging": {"gates": [], "who": []}, "prod": {"force": []}}},
    "empty overrides": {**prod(), "projects": {}, "models": {}, "signers": {}},
    "another order": {"aliases": {"prod": {}, "staging": {}}},
}


@pytest.mark.parametrize("name", SPELT_OUT)
def test_its_digest_does_not_depend_on_how_it_is_written(name: str) -> None:
    assert parse_policy(SPELT_OUT[name]).digest == parse_policy(prod()).digest


CHANGED = {
    "a reason is demanded": prod(require_reason=True),
    "somebody may move it": prod(who=["ada"]),
    "somebody may force it": prod(force=["ada"]),
    "a gate more": prod({"gate": "no_pickle"}),
    "a gate twice": prod({"gate": "no_pickle"}, {"gate": "no_pickle"}),
    "an alias more": {"aliases": {**prod()["aliases"], "canary": {}}},
    "an override": {**prod(), "projects": {"demo": {"prod": {}}}},
    "an override of a model": {**prod(), "models": {"demo/churn": {"prod": {}}}},
}


def test_its_digest_changes_with_whatever_it_says() -> None:
    digests = {parse_policy(document).digest for document in [prod(), *CHANGED.values()]}
    assert len(digests) == len(CHANGED) + 1


def test_the_order_of_gates_is_part_of_it() -> None:
    one, two = {"gate": "no_pickle"}, {"gate": "provenance"}
    assert parse_policy(prod(one, two)).digest != parse_policy(prod(two, one)).digest


@pytest.mark.parametrize("document", [OVERRIDES, dict(DEFAULT_POLICY), prod({"gate": "drift", "columns": {"age": 1}})])
def test_what_it_is_stored_as_is_read_back_the_same(document: dict[str, Any]) -> None:
    policy = parse_policy(document)
    stored = canonical.loads(canonical.dumps(policy.document()), "the policy")
    again = parse_policy(stored)
    assert again == policy
    assert again.digest == policy.digest


def test_the_digest_of_a_policy_that_is_in_records_stays() -> None:
    """Records of years name it: a new optional key would change it, and deserves a thought."""
    assert parse_policy(prod()).digest == "dd5b76e4cbb70f799b3089347f1451f53e4da251b961bf6cbdc60e8e18a85a61"
