"""Each command: what it prints for people, what it promises in JSON, and what it exits with."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cli.conftest import Shell


def released(shell: Shell) -> Shell:
    for version in ("1.2.0", "1.2.1"):
        shell.publish(version)
        for alias in ("staging", "prod"):
            assert shell.run("promote", "churn", version, "--to", alias).code == 0
    return shell


def test_the_four_commands_as_they_stand(shell: Shell) -> None:
    shell.publish("1.2.0")
    shell.publish("1.2.1")
    assert shell.run("promote", "churn", "1.2.0", "--to", "staging").code == 0
    assert shell.run("promote", "churn", "1.2.0", "--to", "prod").code == 0
    assert shell.run("promote", "churn", "1.2.1", "--to", "staging").code == 0
    assert shell.run("promote", "churn", "1.2.1", "--to", "prod").code == 0
    assert shell.run("verify").code == 0
    rolled = shell.run("rollback", "prod")
    assert (rolled.code, rolled.out.splitlines()[0]) == (0, "demo/churn@prod is now 1.2.0 (was 1.2.1), generation 3")
    assert os.readlink(shell.folder / "registry/demo/churn/prod") == "1.2.0"
    assert os.readlink(shell.folder / "registry/demo/churn/staging") == "1.2.1"


PROMISED = {
    "publish made --model churn --version 1.3.0": {
        "project",
        "model",
        "version",
        "digest",
        "path",
        "created",
        "metrics",
    },
    "promote churn 1.2.0 --to staging": {
        "model",
        "alias",
        "version",
        "previous_version",
        "generation",
        "digest",
        "gates",
        "dry_run",
    },
    "rollback prod": {"model", "alias", "version", "previous_version", "generation", "digest", "gates", "dry_run"},
    "resolve churn@prod": {"project", "model", "alias", "version", "generation", "digest", "path"},
    "verify": {"ok", "files", "bytes", "checked"},
    "list": {"models"},
    "show churn@prod": {"version", "digest", "files", "metrics", "run"},
    "history prod": {"records"},
    "pull churn@prod": {"version", "digest", "path", "created"},
    "gc": {"removed", "healed", "bytes", "dry_run"},
    "init": {"registry"},
    "doctor": {"ok", "findings"},
}


@pytest.mark.parametrize("command", PROMISED)
def test_json_is_one_document_with_the_promised_keys(shell: Shell, command: str) -> None:
    released(shell).made()
    ran = shell.run(*command.split(), "--json")
    assert ran.code == 0
    assert ran.err == ""
    assert set(ran.json) >= PROMISED[command]


def test_json_of_gates_names_each_with_its_figures(shell: Shell) -> None:
    shell.publish("1.0.0")
    gates = shell.run("promote", "churn", "1.0.0", "--to", "staging", "--json").json["gates"]
    assert [(gate["gate"], gate["passed"]) for gate in gates] == [("integrity", True), ("metric", True)]
    assert (gates[1]["key"], gates[1]["value"], gates[1]["min"]) == ("roc_auc", 0.9, 0.75)


def damage(shell: Shell) -> None:
    path = shell.folder / "registry/demo/churn/1.2.1/model.bin"
    path.chmod(0o600)
    path.write_text("damaged")


def poor(shell: Shell) -> None:
    shell.publish("3.0.0", roc_auc=0.5)


def nothing(shell: Shell) -> None:
    pass


FAILURES = [
    ("promote churn 3.0.0 --to staging", poor, 3, "gate_rejected"),
    ("verify", damage, 4, "integrity"),
    ("verify churn@1.2.1", damage, 4, "integrity"),
    ("promote churn 1.2.1 --to staging", damage, 4, "integrity"),
    ("pull churn@prod", damage, 4, "integrity"),
    ("resolve churn@9.9.9", nothing, 5, "not_found"),
    ("resolve nope@prod", nothing, 5, "not_found"),
    ("resolve churn@nightly", nothing, 5, "not_found"),
    ("list nope", nothing, 5, "not_found"),
    ("list --registry nowhere", nothing, 5, "not_found"),
    ("rollback canary", nothing, 5, "not_found"),
    ("publish made --model churn --version 1.2.1", nothing, 7, "already_exists"),
    ("publish made --model churn", nothing, 2, "invalid_input"),
    ("publish made --model churn --version 1.2", nothing, 2, "invalid_input"),
    ("publish made --model churn --version 1.2.3 --bump patch", nothing, 2, "invalid_input"),
    ("publish made --model ../up --version 1.2.3", nothing, 2, "invalid_input"),
    ("publish nowhere --model churn --version 1.2.3", nothing, 2, "invalid_input"),
    ("promote churn 1.2.1", nothing, 2, "invalid_input"),
    ("promote churn 1.2.1 --to history", nothing, 2, "invalid_input"),
    ("promote churn 1.2.1 --to nightly", nothing, 2, "invalid_input"),
    ("promote churn 1.2.1 --to prod --policy nowhere.yaml", nothing, 2, "invalid_input"),
    ("resolve churn", nothing, 5, "not_found"),
    ("history churn@1.2.1", nothing, 2, "invalid_input"),
    ("gc --older-than soon", nothing, 2, "invalid_input"),
    ("list --registry made/model.bin", nothing, 2, "invalid_input"),
    ("list --registry ftp://x/y", nothing, 2, "invalid_input"),
    ("list --registry s3://key:secret@bucket/x", nothing, 2, "invalid_input"),
    ("lst", nothing, 2, "invalid_input"),
    ("list --nope", nothing, 2, "invalid_input"),
]


@pytest.mark.parametrize(("command", "prepare", "code", "name"), FAILURES)
def test_what_fails_says_why_and_exits_by_the_table(shell: Shell, command: str, prepare, code: int, name: str) -> None:
    released(shell).made()
    prepare(shell)
    plain = shell.run(*command.split())
    assert plain.code == code
    assert plain.err.startswith("error: ") or code == 4
    assert "Traceback" not in plain.err + plain.out
    as_json = shell.run(*command.split(), "--json")
    assert (as_json.code, as_json.json["error"]["code"]) == (code, name)
    assert as_json.json["error"]["message"]
    assert as_json.err == ""
    assert os.readlink(shell.folder / "registry/demo/churn/prod") == "1.2.1"


def test_a_refusal_shows_every_verdict(shell: Shell) -> None:
    shell.publish("1.0.0", roc_auc=0.5)
    ran = shell.run("promote", "churn", "1.0.0", "--to", "prod")
    assert ran.code == 3
    assert "staging holds nothing" in ran.err
    assert "roc_auc is 0.5" in ran.err
    assert ran.out == ""
    error = shell.run("promote", "churn", "1.0.0", "--to", "prod", "--json").json["error"]
    assert [gate["gate"] for gate in error["gates"]] == ["integrity", "from", "metric"]


def test_a_bare_alias_means_the_only_model_that_has_it(shell: Shell) -> None:
    released(shell)
    shell.publish("1.0.0", model="fraud")
    shell.run("promote", "fraud", "1.0.0", "--to", "staging")
    assert shell.run("history", "prod", "--json").code == 0
    ambiguous = shell.run("rollback", "staging", "--json")
    assert (ambiguous.code, ambiguous.json["error"]["candidates"]) == (2, ["demo/churn", "demo/fraud"])
    assert shell.run("rollback", "staging", "--model", "churn").code == 0


def test_settings_come_from_flag_then_environment_then_file(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flagged", "environment", "filed"):
        (shell.folder / name).mkdir()
    assert shell.run("init", "--json").json["registry"] == "registry"
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs/artreg.yaml").write_text("registry: filed\n")
    assert shell.run("init", "--json").json["registry"] == "filed"
    monkeypatch.setenv("ARTREG_REGISTRY", "environment")
    assert shell.run("init", "--json").json["registry"] == "environment"
    assert shell.run("init", "--json", "--registry", "flagged").json["registry"] == "flagged"
    assert shell.run("--registry", "flagged", "init", "--json").json["registry"] == "flagged"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("registy: x\n", "did you mean registry?"),
        ("registry: 7\n", "registry must be text"),
        ("- x\n", "not a mapping"),
        ("registry: [\n", "artreg.yaml"),
    ],
)
def test_a_bad_settings_file_is_refused(shell: Shell, text: str, said: str) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs/artreg.yaml").write_text(text)
    ran = shell.run("list")
    assert ran.code == 2
    assert said in ran.err


def test_init_makes_a_folder_unless_it_only_looks(shell: Shell) -> None:
    assert shell.run("init", "-r", "new", "--dry-run", "--json").json["exists"] is False
    assert not (shell.folder / "new").exists()
    assert shell.run("init", "-r", "new").code == 0
    assert list((shell.folder / "new").iterdir()) == []
    assert shell.run("init", "-r", "new", "--dry-run", "--json").json["exists"] is True


def test_doctor_says_what_is_wrong_and_exits_so(shell: Shell) -> None:
    released(shell)
    assert shell.run("doctor").code == 0
    (shell.folder / "registry/demo/churn/prod").unlink()
    (shell.folder / "registry/demo/churn/prod").symlink_to("1.2.0")
    ran = shell.run("doctor", "--json")
    assert ran.code == 8
    assert [finding["check"] for finding in ran.json["findings"] if not finding["ok"]] == ["pointers"]
    assert shell.run("verify").code == 4
    assert shell.run("gc", "--json").json["healed"] == ["demo/churn@prod"]
    assert shell.run("doctor").code == 0
    (shell.folder / "registry/demo/churn/history/prod/00000001.json").unlink()
    failed = [finding["check"] for finding in shell.run("doctor", "--json").json["findings"] if not finding["ok"]]
    assert failed == ["pointers"]


def test_the_policy_file_is_used_and_checked(shell: Shell) -> None:
    shell.publish("1.0.0", roc_auc=0.5, recall=0.99)
    (shell.folder / "configs").mkdir()
    policy = shell.folder / "configs/policy.yaml"
    policy.write_text("aliases: {live: {gates: [{gate: metric, key: recall, min: 0.9}]}}\n")
    assert shell.run("promote", "churn", "1.0.0", "--to", "live").code == 0
    policy.write_text("aliases: {live: {gates: [{gate: metric, kee: recall, min: 0.9}]}}\n")
    ran = shell.run("promote", "churn", "1.0.0", "--to", "live")
    assert ran.code == 2
    assert "kee: unknown key; did you mean key?" in ran.err


def test_who_has_no_config_is_told_how_to_write_one(shell: Shell) -> None:
    told = shell.run("train", "--json").json["error"]
    assert told["message"] == "there is no configs/default.yaml"
    (smallest,) = re.findall("at the least (.*);", told["hint"])
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs" / "default.yaml").write_text(smallest)
    assert "data.csv" in shell.run("train", "--json").json["error"]["message"]  # the next thing that is missing


def test_in_an_empty_registry_it_is_said_how_a_model_comes_in(shell: Shell) -> None:
    hint = "there are no models yet: artreg train or artreg publish makes one"
    assert shell.run("show", "churn@prod", "--json").json["error"]["hint"] == hint


def test_the_built_in_policy_is_the_one_in_configs() -> None:
    from artreg.core.policy import DEFAULT_POLICY, parse_policy
    from artreg.yamldoc import read_yaml

    shipped = parse_policy(read_yaml(Path(__file__).parents[2] / "configs/policy.yaml", "policy file"))
    assert shipped == parse_policy(DEFAULT_POLICY)


def test_nothing_from_the_registry_disturbs_the_terminal(shell: Shell) -> None:
    shell.publish("1.0.0")
    evil = "\x1b[2Jgone \u202e[link=http://evil]x[/foo]"
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging", "--reason", evil).code == 0
    ran = shell.run("history", "staging")
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert r"\x1b[2Jgone \u202e[link=http://evil]x[/foo]" in ran.out
    assert shell.run("history", "staging", "--json").json["records"][0]["why"] == evil


def test_quiet_leaves_the_result(shell: Shell) -> None:
    folder = shell.made()
    ran = shell.run("-q", "publish", str(folder), "--model", "churn", "--version", "1.0.0")
    assert ran.out.startswith("published demo/churn@1.0.0")
    assert ran.err == ""


def test_a_bug_gives_an_answer_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artreg.registry.catalog.catalog", lambda *_: 1 / 0)
    ran = shell.run("list", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "internal")
    assert "Traceback" in shell.run("list", "-v").err


def test_an_interruption_gives_an_answer_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("artreg.registry.catalog.catalog", interrupt)
    ran = shell.run("list", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (130, "interrupted")


def test_verification_a_little_at_a_time(shell: Shell) -> None:
    released(shell)
    assert shell.run("verify", "--all", "--since", "7d", "--record").code == 0
    ran = shell.run("verify", "--since", "7d", "--json")
    assert (ran.code, ran.json["left_out"], ran.json["ok"]) == (0, 2, True)
    assert [checked["ref"] for checked in ran.json["checked"]] == ["demo/churn@prod", "demo/churn@staging"]
    assert "2 versions left out this time" in shell.run("verify", "--since", "7d").out
    assert "verified" in shell.run("show", "churn@prod").out
    assert shell.run("show", "churn@prod", "--json").json["verified"]["who"] == "ada"
    shares = [shell.run("verify", "--subset", f"{day}/7", "--json").json["left_out"] for day in range(1, 8)]
    assert sum(2 - left_out for left_out in shares) == 2
    assert shell.run("verify", "churn", "--sample", "0%", "--json").json["left_out"] == 2


@pytest.mark.parametrize(
    "words",
    [
        "verify churn --all",
        "verify --since soon",
        "verify --sample 200%",
        "verify --subset 8/7",
        "verify churn@prod --record",
        "verify churn@prod --since 7d",
        "verify --quick --record",
    ],
)
def test_verifications_that_make_no_sense_are_refused(shell: Shell, words: str) -> None:
    released(shell)
    ran = shell.run(*words.split())
    assert ran.code == 2
    assert "hint:" in ran.err or "is not an age" in ran.err


def test_publish_takes_files_over(shell: Shell) -> None:
    folder = shell.made("mine")
    assert shell.run("publish", str(folder), "--model", "churn", "--version", "1.0.0", "--move", "--link").code == 2
    assert shell.run("publish", str(folder), "--model", "churn", "--version", "1.0.0", "--move").code == 0
    assert not folder.exists()
    assert shell.run("verify").code == 0
