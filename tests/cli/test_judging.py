"""Yanks, approvals and freezes from the command line: what is printed, and what it exits with."""

from __future__ import annotations

import subprocess

import pytest

from cli.conftest import Shell
from keys import needs_openssh


@pytest.fixture
def released(shell: Shell) -> Shell:
    for version in ("1.2.0", "1.2.1"):
        shell.publish(version)
        for alias in ("staging", "prod"):
            assert shell.run("promote", "churn", version, "--to", alias).code == 0
    return shell


def test_a_yank_is_heeded_everywhere(released: Shell) -> None:
    ran = released.run("yank", "churn@1.2.1", "--reason", "leaks the label")
    assert ran.code == 0
    assert ran.out.splitlines() == ["demo/churn@1.2.1 is yanked", "still held by prod, staging: see artreg rollback"]
    assert released.run("yank", "churn@1.2.1", "--reason", "again").out.startswith("demo/churn@1.2.1 is yanked already")
    for command in ("resolve churn@1.2.1", "resolve churn@prod", "show churn@1.2.1", "pull churn@1.2.1 --dry-run"):
        ran = released.run(*command.split())
        assert ran.code == 0
        assert "was yanked by ada" in ran.err
        assert "leaks the label" not in ran.out
    assert released.run("resolve", "churn@latest", "--json").json["version"] == "1.2.0"
    assert "leaks the label" in released.run("resolve", "churn@prod", "--json").json["warning"]
    assert released.run("rollback", "prod").code == 0
    refused = released.run("promote", "churn", "1.2.1", "--to", "prod", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "gate_rejected")
    assert released.run("rollback", "prod", "--to", "1.2.1").code == 3
    assert (
        released.run("unyank", "churn@1.2.1", "--reason", "it does not").out
        == "demo/churn@1.2.1 is fit for use again\n"
    )
    assert released.run("promote", "churn", "1.2.1", "--to", "prod").code == 0
    assert released.run("resolve", "churn@prod", "--json").json["warning"] == ""
    assert released.run("verify").code == 0


def test_yank_in_json(released: Shell) -> None:
    document = released.run("yank", "churn@1.2.0", "--reason", "bad", "--json").json
    assert (document["version"], document["held_by"], document["stopped"], document["changed"]) == (
        "1.2.0",
        [],
        [],
        True,
    )
    assert (document["yanked"]["who"], document["yanked"]["why"]) == ("ada", "bad")
    document = released.run("unyank", "churn@1.2.0", "--reason", "good", "--json", "--dry-run").json
    assert (document["yanked"]["who"], document["changed"], document["dry_run"]) == ("ada", True, True)


def test_approvals_are_listed(released: Shell) -> None:
    assert released.run("approvals", "churn@1.2.1").out == "nobody approved demo/churn@1.2.1\n"
    approved = ("approve", "churn@1.2.1", "--to", "prod", "--reason", "reviewed")
    assert released.run(*approved, "--actor", "bob").out == "bob approves demo/churn@1.2.1 for prod\n"
    assert "already: nothing to do" in released.run(*approved, "--actor", "bob").out
    assert released.run(*approved).code == 0
    found = released.run("approvals", "churn@1.2.1", "--json").json["approvals"]
    assert [(one["who"], one["alias"], one["why"], one["signed"], one["counted"]) for one in found] == [
        ("bob", "prod", "reviewed", False, True),
        ("ada", "prod", "reviewed", False, False),
    ]
    assert "no: published it" in released.run("approvals", "churn@1.2.1").out
    ran = released.run("approve", "churn@1.2.1", "--to", "prod", "--revoke", "--actor", "bob")
    assert ran.out == "bob no longer approves demo/churn@1.2.1 for prod\n"
    assert [one["who"] for one in released.run("approvals", "churn@1.2.1", "--json").json["approvals"]] == ["ada"]


@needs_openssh
def test_an_approval_is_signed_by_the_key_that_the_policy_names(released: Shell) -> None:
    key = released.folder / "bob"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    ran = released.run("approve", "churn@1.2.1", "--to", "prod", "--sign-key", str(key), "--actor", "bob", "--json")
    assert ran.code == 0
    public = key.with_suffix(".pub").read_text().strip()
    (released.folder / "policy.yaml").write_text(f"aliases:\n  prod: {{}}\nsigners:\n  bob: {public}\n")
    for policy, signed in (((), False), (("--policy", "policy.yaml"), True)):
        [one] = released.run("approvals", "churn@1.2.1", "--json", *policy).json["approvals"]
        assert one["signed"] is signed


def test_a_frozen_alias_says_until_when_and_why(released: Shell) -> None:
    frozen = ("freeze", "prod", "--until", "2100-12-01T00:00Z", "--reason", "sales")
    assert released.run(*frozen).out == "demo/churn@prod is frozen at 1.2.1 until 2100-12-01T00:00:00.000Z\n"
    assert "already: nothing to do" in released.run(*frozen).out
    refused = released.run("promote", "churn", "1.2.0", "--to", "prod")
    assert refused.code == 3
    assert "frozen until 2100-12-01T00:00:00.000Z by ada: sales" in refused.err
    assert released.run("rollback", "prod").code == 0
    document = released.run("unfreeze", "prod", "--reason", "fix", "--json").json
    assert (document["action"], document["version"], document["frozen"]) == ("unfreeze", "1.2.0", None)
    assert "free to move already" in released.run("unfreeze", "prod", "--reason", "fix").out
    actions = [record["action"] for record in released.run("history", "prod", "--json").json["records"]]
    assert actions == ["unfreeze", "rollback", "freeze", "promote", "promote"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("yank churn@1.2.1", 2),
        ("yank churn@prod --reason x", 2),
        ("yank churn --reason x", 2),
        ("yank churn@9.9.9 --reason x", 5),
        ("unyank churn@1.2.1", 2),
        ("approve churn@1.2.1", 2),
        ("approve churn@1.2.1 --to prdo", 2),
        ("approve churn@prod --to prod", 2),
        ("approve churn@9.9.9 --to prod", 5),
        ("approve churn@1.2.1 --to prod --revoke --sign-key id", 2),
        ("approve churn@1.2.1 --to prod --sign-key nowhere", 2),
        ("approvals churn@9.9.9", 5),
        ("freeze prod --until 2100-12-01T00:00Z", 2),
        ("freeze prod --until tomorrow --reason x", 2),
        ("freeze prod --until 2001-01-01T00:00Z --reason x", 2),
        ("freeze canary --until 2100-12-01T00:00Z --reason x", 5),
        ("freeze churn@1.2.1 --until 2100-12-01T00:00Z --reason x", 2),
        ("unfreeze prod", 2),
    ],
)
def test_what_makes_no_sense_is_refused(released: Shell, command: str, code: int) -> None:
    ran = released.run(*command.split(), "--json")
    assert ran.code == code
    assert set(ran.json) == {"error"}


@pytest.mark.parametrize(
    "command",
    [
        "yank churn@1.2.1 --reason x",
        "approve churn@1.2.1 --to prod",
        "freeze prod --until 2100-12-01T00:00Z --reason x",
    ],
)
def test_a_dry_run_changes_nothing(released: Shell, command: str) -> None:
    def files() -> list[str]:
        return sorted(str(path) for path in (released.folder / "registry").rglob("*"))

    before = files()
    ran = released.run(*command.split(), "--dry-run")
    assert ran.code == 0
    assert "would" in ran.out
    assert files() == before
