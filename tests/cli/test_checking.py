"""The policy on the command line: `check`, `policy`, and what `promote` makes of force, expectations and plans."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from cli.conftest import Shell

TEAM = {
    "aliases": {
        "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}]},
        "prod": {
            "who": ["ada", "*@example.org"],
            "force": ["ada"],
            "gates": [{"gate": "from", "alias": "staging"}, {"gate": "metric", "key": "roc_auc", "min": 0.8}],
        },
    },
    "models": {"demo/fraud": {"staging": {"gates": [{"gate": "metric", "key": "recall", "min": 0.5}]}}},
}


def with_policy(shell: Shell, policy: object = TEAM, name: str = "configs/policy.yaml") -> Path:
    path = shell.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(policy))
    return path


def holds(shell: Shell, model: str = "churn", alias: str = "prod") -> str | None:
    link = shell.folder / f"registry/demo/{model}/{alias}"
    return os.readlink(link) if link.is_symlink() else None


def test_check_asks_every_gate_and_moves_nothing(shell: Shell) -> None:
    shell.publish("1.0.0", roc_auc=0.6)
    ran = shell.run("check", "churn", "1.0.0", "--to", "prod")
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert "off by" in lines[0]
    assert any(line.startswith("FAIL  from") for line in lines)
    assert any(line.startswith("FAIL  metric") and line.endswith("0.2") for line in lines)
    document = shell.run("check", "churn", "1.0.0", "--to", "prod", "--json").json
    assert (document["passed"], document["error"]["code"]) == (False, "gate_rejected")
    assert [gate["gate"] for gate in document["gates"]] == ["integrity", "from", "metric"]
    assert holds(shell) is None


def test_check_says_yes_too(shell: Shell) -> None:
    shell.publish("1.0.0")
    ran = shell.run("check", "churn", "1.0.0", "--to", "staging")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "demo/churn@1.0.0 may become staging")
    assert holds(shell, alias="staging") is None


def test_check_writes_markdown_for_pull_requests(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.publish("1.0.0", roc_auc=0.6)
    summary = shell.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ran = shell.run("check", "churn", "1.0.0", "--to", "staging", "--markdown")
    assert ran.code == 3
    assert ran.out.startswith("### demo/churn@<!-- -->1.0.0 to staging: refused")
    assert "| ❌ | metric | roc_auc is 0.6, which is not ≥ 0.75 | 0.15 |" in ran.out
    assert summary.read_text().strip() == ran.out.strip()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary / "elsewhere"))
    ran = shell.run("check", "churn", "1.0.0", "--to", "staging")
    assert (ran.code, "elsewhere, which GITHUB_STEP_SUMMARY names, cannot be written" in ran.err) == (3, True)
    assert ran.out.splitlines()[-1] == "demo/churn@1.0.0 may not become staging: 1 of 2 say no"


def test_a_local_policy_cannot_weaken_the_one_in_the_registry(shell: Shell) -> None:
    shell.publish("1.0.0", roc_auc=0.6)
    with_policy(shell)
    assert shell.run("policy", "push", "--reason", "the team's").code == 0
    weak = with_policy(shell, {"aliases": {"staging": {}}}, "weak.yaml")
    ran = shell.run("promote", "churn", "1.0.0", "--to", "staging", "--policy", str(weak))
    assert ran.code == 3
    assert "the registry's own policy holds" in ran.err
    with_policy(shell, {"aliases": {"staging": {}}})
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 3
    shown = shell.run("policy", "show", "--json").json
    assert (shown["stored"]["number"], shown["stored"]["who"], shown["stored"]["why"]) == (1, "ada", "the team's")


def test_pushing_a_policy_again_changes_nothing_and_another_one_holds_next(shell: Shell) -> None:
    with_policy(shell)
    assert shell.run("policy", "push", "--dry-run", "--json").json["created"] is True
    assert shell.run("policy", "show", "--json").json["stored"] is None
    first = shell.run("policy", "push", "--json").json
    again = shell.run("policy", "push", "--json").json
    assert (first["number"], first["created"], again["number"], again["created"]) == (1, True, 1, False)
    with_policy(shell, {"aliases": {"live": {}}})
    assert shell.run("policy", "push", "--json").json["number"] == 2
    shell.publish("1.0.0")
    assert shell.run("promote", "churn", "1.0.0", "--to", "live").code == 0
    record = shell.run("history", "live", "--json").json["records"][0]
    assert record["policy"] == shell.run("policy", "show", "--json").json["digest"]


def test_a_damaged_stored_policy_stops_promotions(shell: Shell) -> None:
    shell.publish("1.0.0")
    with_policy(shell)
    shell.run("policy", "push")
    path = shell.folder / "registry/.artreg/policy/00000001.json"
    path.chmod(0o600)
    path.write_text(path.read_text().replace("0.75", "0.05"))
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 4
    path.unlink()
    (path.parent / "00000002.json").write_text("{}")
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 4


@pytest.mark.parametrize(
    ("policy", "code", "said"),
    [
        (TEAM, 0, "the policy is valid"),
        ({"aliases": {"prod": {"gates": [{"gate": "soak", "alias": "staging", "at_least": "1d"}]}}}, 2, "staging"),
        ({"aliases": {"prod": {"gates": [{"gate": "soke"}]}}}, 2, "soke"),
        ({"aliases": {"prod": {}}, "models": {"fraud": {}}}, 2, "'fraud' is not project/model"),
    ],
)
def test_policy_check_names_what_is_wrong(shell: Shell, policy: object, code: int, said: str) -> None:
    ran = shell.run("policy", "check", str(with_policy(shell, policy)))
    assert ran.code == code
    assert said in ran.out + ran.err


def test_the_schema_accepts_what_artreg_accepts(shell: Shell) -> None:
    import jsonschema  # takes seconds, which most runs can do without

    schema = json.loads(shell.run("policy", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(TEAM, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"aliases": {"prod": {"gaits": []}}}, schema)


def test_rules_of_one_model_replace_the_general_ones(shell: Shell) -> None:
    with_policy(shell)
    shell.publish("1.0.0", model="fraud", roc_auc=0.1, recall=0.9)
    assert shell.run("promote", "fraud", "1.0.0", "--to", "staging").code == 0
    shell.publish("1.0.0", roc_auc=0.1, recall=0.9)
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 3


def test_only_who_may_move_moves(shell: Shell) -> None:
    with_policy(shell)
    shell.publish("1.0.0")
    shell.run("promote", "churn", "1.0.0", "--to", "staging")
    refused = shell.run("promote", "churn", "1.0.0", "--to", "prod", "--actor", "eve")
    assert (refused.code, holds(shell)) == (2, None)
    assert "does not let eve move prod" in refused.err
    assert shell.run("promote", "churn", "1.0.0", "--to", "prod", "--actor", "bob@example.org").code == 0


def test_force_is_for_those_whom_the_policy_names_and_shows_in_the_record(shell: Shell) -> None:
    with_policy(shell)
    shell.publish("1.0.0", roc_auc=0.5)
    words = ("promote", "churn", "1.0.0", "--to", "prod", "--force")
    assert shell.run(*words).code == 2
    assert shell.run(*words, "--reason", "x", "--actor", "bob@example.org").code == 2
    ran = shell.run(*words, "--reason", "the old one leaks")
    assert ran.code == 0
    assert "forced over from, metric" in ran.out
    record = shell.run("history", "prod", "--json").json["records"][0]
    assert [gate["gate"] for gate in record["gates"] if not gate["passed"]] == ["from", "metric"]
    assert "forced over from, metric: the old one leaks" in shell.run("history", "prod").out


def test_what_a_promotion_lacks_is_named(shell: Shell) -> None:
    told = shell.run("promote", "churn", "", "--json").json["error"]
    assert told["message"] == "VERSION, --to missing or empty"
    told = shell.run("check", "churn@1.0.0", "1.0.0", "--to", "prod", "--json").json["error"]
    assert told["message"] == "'churn@1.0.0' is a reference; a model stands here alone"


def test_expectations_are_kept(shell: Shell) -> None:
    for version in ("1.0.0", "1.1.0"):
        shell.publish(version)
    shell.run("promote", "churn", "1.0.0", "--to", "staging")
    assert shell.run("promote", "churn", "1.1.0", "--to", "staging", "--expect", "0.9.0").code == 6
    assert holds(shell, alias="staging") == "1.0.0"
    words = ("promote", "churn", "1.1.0", "--to", "staging", "--expect", "1.0.0")
    assert [shell.run(*words).code for _ in range(2)] == [0, 0]  # one that was cut off can be run again


def test_a_policy_that_changes_between_check_and_commit_is_noticed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from artreg.registry import promote as promotion

    path = with_policy(shell)
    shell.publish("1.0.0")
    assess = promotion.assess

    def edit_afterwards(*arguments, **options):
        found = assess(*arguments, **options)
        path.write_text(yaml.safe_dump({"aliases": {"staging": {"require_reason": True}}}))
        return found

    monkeypatch.setattr(promotion, "assess", edit_afterwards)
    ran = shell.run("promote", "churn", "1.0.0", "--to", "staging")
    assert (ran.code, holds(shell, alias="staging")) == (6, None)
    assert "the policy was changed after the gates were asked" in ran.err


def plan(shell: Shell, *moves: tuple[str, str, str]) -> str:
    path = shell.folder / "release.yaml"
    listed = [{"model": model, "version": version, "to": alias} for model, version, alias in moves]
    path.write_text(yaml.safe_dump({"reason": "spring release", "moves": listed}))
    return str(path)


def two_models(shell: Shell) -> None:
    for model in ("churn", "upsell"):
        for version in ("1.0.0", "1.1.0"):
            shell.publish(version, model=model)
        shell.run("promote", model, "1.0.0", "--to", "staging")


def test_a_plan_moves_all(shell: Shell) -> None:
    two_models(shell)
    file = plan(shell, ("churn", "1.1.0", "staging"), ("upsell", "1.1.0", "staging"))
    assert shell.run("promote", "--plan", file, "--dry-run").code == 0
    assert holds(shell, "churn", "staging") == "1.0.0"
    ran = shell.run("promote", "--plan", file, "--json")
    assert [(move["model"], move["version"]) for move in ran.json["moves"]] == [("churn", "1.1.0"), ("upsell", "1.1.0")]
    assert shell.run("history", "churn@staging", "--json").json["records"][0]["why"] == "spring release"


def test_a_plan_of_which_one_is_refused_moves_none(shell: Shell) -> None:
    two_models(shell)
    shell.publish("1.2.0", model="upsell", roc_auc=0.1)
    ran = shell.run("promote", "--plan", plan(shell, ("churn", "1.1.0", "staging"), ("upsell", "1.2.0", "staging")))
    assert ran.code == 3
    assert "nothing was moved" in ran.err
    assert (holds(shell, "churn", "staging"), holds(shell, "upsell", "staging")) == ("1.0.0", "1.0.0")


def test_a_plan_that_meets_a_conflict_puts_back_what_it_moved(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from artreg.errors import Conflict
    from artreg.registry import release

    two_models(shell)
    move_to = release.move_to

    def fail_at_the_second(registry, found, **options):
        if found.model.model == "upsell":
            raise Conflict("somebody else moved staging of demo/upsell meanwhile; nothing was changed")
        return move_to(registry, found, **options)

    monkeypatch.setattr(release, "move_to", fail_at_the_second)
    file = plan(shell, ("churn", "1.1.0", "staging"), ("upsell", "1.1.0", "staging"))
    ran = shell.run("promote", "--plan", file, "--json")
    assert (ran.code, ran.json["error"]["put_back"]) == (6, ["demo/churn@staging"])
    assert (holds(shell, "churn", "staging"), holds(shell, "upsell", "staging")) == ("1.0.0", "1.0.0")
    actions = [record["action"] for record in shell.run("history", "churn@staging", "--json").json["records"]]
    assert actions == ["rollback", "promote", "promote"]
    assert shell.run("verify").code == 0


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"moves": []},
        {"moves": [{"model": "churn"}]},
        {"moves": [{"model": "a", "version": "1", "too": "x"}]},
    ],
)
def test_a_bad_plan_is_refused(shell: Shell, document: object) -> None:
    (shell.folder / "release.yaml").write_text(yaml.safe_dump(document))
    assert shell.run("promote", "--plan", "release.yaml").code == 2
    assert shell.run("promote", "churn", "--plan", "release.yaml").code == 2


def test_history_knows_what_was_held_when(shell: Shell) -> None:
    two_models(shell)
    shell.run("promote", "churn", "1.1.0", "--to", "staging")
    records = shell.run("history", "churn@staging", "--json").json["records"]
    then = shell.run("history", "churn@staging", "--at", records[1]["time"])
    assert then.out.startswith("demo/churn@staging was 1.0.0 at ")
    assert shell.run("history", "churn@staging", "--at", "2001-01-01").out == "demo/churn held nothing at 2001-01-01\n"
    assert shell.run("history", "churn@staging", "--at", "2999-01-01T00:00Z", "--json").json["records"] == records[:1]
    assert shell.run("history", "churn@staging", "--at", "yesterday").code == 2


def test_history_checks_its_chain(shell: Shell) -> None:
    two_models(shell)
    shell.run("promote", "churn", "1.1.0", "--to", "staging")
    ran = shell.run("history", "churn", "--verify")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "2 records, each follows from the one before it")
    path = shell.folder / "registry/demo/churn/history/staging/00000001.json"
    path.chmod(0o600)
    path.write_text(path.read_text().replace("ada", "eve"))
    assert shell.run("history", "churn", "--verify").code == 4
