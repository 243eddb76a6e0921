"""Signatures from the command line: what is printed, and what it exits with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.conftest import Shell
from keys import allow, make_key, needs_openssh, public

pytestmark = needs_openssh

ALICE = "alice@example.com"


@pytest.fixture
def alice(shell: Shell) -> Path:
    shell.publish("1.2.0")
    shell.publish("1.2.1")
    return make_key(shell.folder, "alice")


def test_a_version_is_signed_and_demanded_to_be(shell: Shell, alice: Path) -> None:
    file = str(allow(shell.folder, alice=alice))
    sign = ("sign", "churn@1.2.1", "--key", str(alice), "--identity", ALICE)
    assert shell.run(*sign, "--dry-run").out == f"demo/churn@1.2.1 would be signed by {ALICE}\n"
    assert shell.run("verify", "churn@1.2.1", "--allowed-signers", file).code == 4
    assert shell.run(*sign).out == f"demo/churn@1.2.1 is signed by {ALICE}\n"
    assert shell.run(*sign).out == f"demo/churn@1.2.1 is signed by {ALICE} already: nothing to do\n"
    for demand in (("--signed-by", ALICE), ()):
        assert shell.run("verify", "churn@1.2.1", *demand, "--allowed-signers", file).code == 0
    ran = shell.run("verify", "churn", "--signed-by", ALICE, "--allowed-signers", file, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "integrity")
    assert ran.json["error"]["message"] == "not signed by whom it must be: demo/churn@1.2.0"
    [problem] = [problem for checked in ran.json["checked"] for problem in checked["problems"]]
    assert problem == {"file": "signatures", "problem": f"no valid signature by {ALICE}"}


def test_sign_in_json(shell: Shell, alice: Path) -> None:
    document = shell.run("sign", "churn@1.2.1", "--key", str(alice), "--json").json
    digest = shell.run("resolve", "churn@1.2.1", "--json").json["digest"]
    assert (document["version"], document["digest"], document["who"]) == ("1.2.1", digest, "ada")
    assert (document["format"], document["changed"], document["dry_run"]) == ("ssh", True, False)
    assert len(document["signature"]) == 64


def test_settings_name_the_key_and_the_signers(shell: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTREG_SIGNING_KEY", str(alice))
    monkeypatch.setenv("ARTREG_ALLOWED_SIGNERS", str(allow(shell.folder, alice=alice)))
    assert shell.run("sign", "churn@1.2.1", "--identity", ALICE).code == 0
    assert shell.run("verify", "churn@1.2.1", "--signed-by", ALICE).code == 0
    assert shell.run("verify", "churn@1.2.1", "--signed-by", "bob@example.com").code == 4


def test_the_other_format(shell: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(shell.folder, "pem", "ecdsa", "PEM")
    signers = str(allow(shell.folder, bob=key))
    pub = str(key.with_name("pem.pub"))
    sign = ("sign", "churn@1.2.1", "--format", "model-signing", "--key", str(key))
    assert shell.run(*sign, "--dry-run").out == "demo/churn@1.2.1 would be signed\n"
    assert shell.run(*sign).out == "demo/churn@1.2.1 is signed\n"
    assert shell.run(*sign).out == "demo/churn@1.2.1 is signed already: nothing to do\n"
    for demand in (("--allowed-signers", signers, "--signed-by", "bob@example.com"), ("--public-key", pub)):
        assert shell.run("verify", "churn@1.2.1", *demand).code == 0
    assert shell.run("verify", "churn@1.2.1", "--public-key", str(alice.with_name("alice.pub"))).code == 4
    [bundle] = (shell.folder / "registry/demo/churn/history/1.2.1/signatures").iterdir()
    assert shell.run("sign", "churn@1.2.1", "--attach", str(bundle), "--json").json["changed"] is False
    refused = shell.run("sign", "churn@1.2.0", "--attach", str(bundle), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "invalid_input")


def test_show_tells_who_signed(shell: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(shell.folder, "bob", "ecdsa", "PEM")
    assert shell.run("show", "churn@1.2.1", "--json").json["signatures"] == []
    shell.run("sign", "churn@1.2.1", "--key", str(alice), "--identity", ALICE)
    shell.run("sign", "churn@1.2.1", "--key", str(key), "--format", "model-signing")
    shell.run("sign", "churn@1.2.1", "--key", str(key), "--identity", "eve\x1b[1m")
    seen = [(one["who"], one["valid"]) for one in shell.run("show", "churn@1.2.1", "--json").json["signatures"]]
    assert seen == [("", None), (ALICE, None)]
    assert f"ssh by {ALICE}" in shell.run("show", "churn@1.2.1").out
    monkeypatch.setenv("ARTREG_ALLOWED_SIGNERS", str(allow(shell.folder, alice=alice)))
    seen = [(one["who"], one["valid"]) for one in shell.run("show", "churn@1.2.1", "--json").json["signatures"]]
    assert seen == [("", False), (ALICE, True)]
    assert "(by no key that counts)" in shell.run("show", "churn@1.2.1").out


def test_a_gate_asks_for_a_signature(shell: Shell, alice: Path) -> None:
    (shell.folder / "policy.yaml").write_text(
        f"aliases:\n  prod: {{gates: [{{gate: signed, of: [{ALICE}]}}]}}\nsigners:\n  {ALICE}: {public(alice)}\n"
    )
    promote = ("promote", "churn", "1.2.1", "--to", "prod", "--policy", "policy.yaml")
    eve = make_key(shell.folder, "eve")
    shell.run("sign", "churn@1.2.1", "--key", str(eve), "--identity", ALICE)
    refused = shell.run(*promote, "--json")
    assert refused.code == 3
    [verdict] = [gate for gate in refused.json["error"]["gates"] if gate["gate"] == "signed"]
    assert verdict["message"] == f"signed by nobody whose key counts; 1 of {ALICE} must"
    shell.run("sign", "churn@1.2.1", "--key", str(alice), "--identity", ALICE)
    ran = shell.run(*promote, "--json")
    assert ran.code == 0
    assert {"gate": "signed", "passed": True, "signed_by": [ALICE]}.items() <= ran.json["gates"][1].items()


def test_what_is_damaged_is_not_called_unsigned(shell: Shell, alice: Path) -> None:
    file = shell.folder / "registry/demo/churn/1.2.1/model.bin"
    file.chmod(0o644)
    file.write_text("another")
    signers = str(allow(shell.folder, alice=alice))
    ran = shell.run("verify", "churn", "--allowed-signers", signers, "--json")
    assert (ran.code, ran.json["error"]["message"]) == (4, "damaged: demo/churn@1.2.1")
    assert [line.split()[0] for line in shell.run("verify", "--allowed-signers", signers).out.splitlines()[1:]] == [
        "UNSIGNED",
        "DAMAGED",
        "2",
    ]


@pytest.fixture
def demanding(shell: Shell, alice: Path) -> Shell:
    """A registry whose policy wants each promotion to prod signed by alice."""
    (shell.folder / "policy.yaml").write_text(
        f"aliases:\n  prod: {{signed_moves: [promote]}}\nsigners:\n  {ALICE}: {public(alice)}\n"
    )
    assert shell.run("policy", "push", "policy.yaml").code == 0
    return shell


def test_a_move_is_signed_where_the_policy_demands_it(
    demanding: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote = ("promote", "churn", "1.2.0", "--to", "prod", "--actor", ALICE)
    assert "signed: promote" in demanding.run("policy", "show").out
    for words, said in (
        (promote, "every promote of this alias is signed"),
        ((*promote[:-2], "--sign-key", str(alice)), "names no key for ada"),
    ):
        refused = demanding.run(*words, "--json")
        assert (refused.code, said in refused.json["error"]["message"]) == (2, True)
    assert demanding.run("resolve", "churn@prod").code == 5
    assert demanding.run(*promote, "--sign-key", str(alice)).code == 0
    monkeypatch.setenv("ARTREG_SIGNING_KEY", str(alice))
    assert demanding.run("promote", "churn", "1.2.1", "--to", "prod", "--actor", ALICE).code == 0
    monkeypatch.delenv("ARTREG_SIGNING_KEY")
    signers = str(allow(demanding.folder, alice=alice))
    prove = ("history", "prod", "--verify", "--signed-by", ALICE, "--allowed-signers", signers)
    ran = demanding.run(*prove)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "2 records, each follows from the one before it, 2 signed")
    assert demanding.run(*prove, "--json").json["signed"] == 2
    assert demanding.run("rollback", "prod", "--actor", "on-call").code == 0
    assert demanding.run("history", "prod", "--verify").code == 0
    assert demanding.run("verify").code == 0
    refused = demanding.run(*prove, "--json")
    assert (refused.code, refused.json["error"]["problems"]) == (
        4,
        [f"record 3 of prod, by on-call, is not signed by {ALICE}"],
    )
    assert demanding.run("history", "prod", "--signed-by", ALICE, "--allowed-signers", signers).code == 2


def test_what_was_seen_is_held_against_an_older_state(
    shell: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTREG_SEEN", str(shell.folder / "seen"))
    shell.run("promote", "churn", "1.2.0", "--to", "staging")
    old = shutil.copytree(shell.folder / "registry", shell.folder / "old", symlinks=True)
    shell.run("promote", "churn", "1.2.1", "--to", "staging")
    assert shell.run("resolve", "churn@staging", "--json").json["version"] == "1.2.1"
    shutil.rmtree(shell.folder / "registry")
    shutil.copytree(old, shell.folder / "registry", symlinks=True)
    for words in (
        "resolve churn@staging",
        "pull churn@staging",
        "verify churn@staging",
        "history churn --verify",
        "show churn@staging",
    ):
        ran = shell.run(*words.split(), "--json")
        assert (ran.code, ran.json["error"]["code"], ran.json["error"]["seen"]["generation"]) == (4, "integrity", 2), (
            words
        )
    assert shell.run("forget", "churn@staging", "--dry-run").out.endswith("would be forgotten\n")
    assert shell.run("resolve", "churn@staging").code == 4
    assert shell.run("forget", "churn@staging").out.startswith("demo/churn@staging, generation 2, seen at ")
    assert shell.run("resolve", "churn@staging", "--json").json["version"] == "1.2.0"
    assert shell.run("forget", "--all", "--json").json["forgotten"][0]["generation"] == 1
    assert shell.run("forget", "--all").out == "nothing was remembered\n"
    assert shell.run("forget", "churn@staging").out == "nothing was remembered\n"
    for words in ("forget", "forget churn@1.2.1", "forget churn@staging --all"):
        assert shell.run(*words.split()).code == 2
    monkeypatch.delenv("ARTREG_SEEN")
    assert shell.run("forget", "--all").code == 2


def test_an_old_word_is_refused_until_it_is_confirmed(
    shell: Shell, alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run("promote", "churn", "1.2.0", "--to", "staging")
    monkeypatch.setenv("ARTREG_MAX_AGE", "0s")
    refused = shell.run("pull", "churn@staging", "--json")
    assert (refused.code, "artreg confirm" in refused.json["error"]["hint"]) == (4, True)
    monkeypatch.setenv("ARTREG_MAX_AGE", "1h")
    assert (
        shell.run("confirm", "staging", "--dry-run").out
        == "demo/churn@staging would be confirmed at 1.2.0, generation 2\n"
    )
    document = shell.run("confirm", "staging", "--json").json
    assert (document["action"], document["version"], document["generation"]) == ("confirm", "1.2.0", 2)
    assert shell.run("resolve", "churn@staging").code == 0
    monkeypatch.setenv("ARTREG_MOVED_BY", ALICE)
    assert shell.run("resolve", "churn@staging").code == 2
    monkeypatch.setenv("ARTREG_ALLOWED_SIGNERS", str(allow(shell.folder, alice=alice)))
    assert shell.run("resolve", "churn@staging").code == 4
    monkeypatch.setenv("ARTREG_MAX_AGE", "soon")
    assert shell.run("resolve", "churn@staging").code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("sign churn@1.2.1", 2),
        ("sign churn@1.2.1 --key nowhere", 2),
        ("sign churn@9.9.9 --key alice", 5),
        ("sign churn@1.2.1 --key alice --identity *", 2),
        ("sign churn@1.2.1 --key alice --format model-signing", 2),
        ("sign churn@1.2.1 --key alice --attach alice", 2),
        ("sign churn@1.2.1 --attach nowhere", 2),
        ("sign churn@1.2.1 --attach alice", 2),
        ("sign churn@1.2.1 --attach alice --identity bob", 2),
        ("verify --public-key nowhere", 2),
        ("verify --public-key alice", 2),
        ("verify --public-key alice.pub --signed-by alice", 2),
        ("verify --signed-by alice", 2),
        ("verify --allowed-signers nowhere", 2),
        ("verify --allowed-signers empty", 2),
    ],
)
def test_wrong_usage(shell: Shell, alice: Path, words: str, code: int) -> None:
    (shell.folder / "empty").touch()
    ran = shell.run(*words.split(), "--json")
    assert ran.code == code, ran
    assert ran.json["error"]["hint"]
