"""`mirror` and `repair` on the command line: what they print, and how they exit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.conftest import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    for version in ("1.0.0", "1.1.0"):
        shell.publish(version)
        assert shell.run("promote", "churn", version, "--to", "staging").code == 0
    shell.publish("1.0.0", model="fraud")
    return shell


def spoil(shell: Shell, registry: str = "registry") -> Path:
    path = shell.folder / registry / "demo/churn/1.0.0/model.bin"
    path.chmod(0o600)
    path.write_text("spoilt")
    return path


def test_a_mirror_is_made_and_goes_on(two: Shell) -> None:
    told = two.run("mirror", "registry", "copy", "--dry-run", "--json")
    assert (told.code, told.json["dry_run"], (two.folder / "copy").exists()) == (0, True, False)
    made = two.run("mirror", "registry", "copy", "--json").json
    assert (made["ok"], made["copied"], made["damaged"], made["diverged"]) == (True, told.json["copied"], [], [])
    again = two.run("mirror", "registry", "copy")
    assert (again.code, again.out) == (0, "copied 0 items, 0 B; 6 were there already\n")
    assert two.run("verify", "--deep", "--registry", "copy").code == 0


def test_several_models_can_be_named(two: Shell) -> None:
    assert two.run("mirror", "registry", "copy", "fraud").code == 0
    assert sorted(path.name for path in (two.folder / "copy/demo").iterdir()) == ["fraud"]
    assert two.run("mirror", "registry", "copy", "churn", "demo/fraud", "demo/", "--quick").code == 0
    assert sorted(path.name for path in (two.folder / "copy/demo").iterdir()) == ["churn", "fraud"]
    assert two.run("mirror", "registry", "copy", "nobody").code == 5
    assert two.run("mirror", "registry", "registry/").code == 2
    assert two.run("mirror", "nowhere", "copy").code == 5


def test_damage_and_divergence_are_named_in_the_exit_code_too(two: Shell) -> None:
    spoil(two)
    ran = two.run("mirror", "registry", "copy", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "integrity")
    assert ran.json["damaged"] == [
        {
            "ref": "demo/churn@1.0.0",
            "problem": "model.bin: does not match its checksum; model.bin: has 6 bytes instead of 16",
        }
    ]
    assert (two.folder / "copy/demo/churn/1.1.0").is_dir()
    shutil.rmtree(two.folder / "copy/demo/churn")
    made = two.made("other")
    run = ("publish", str(made), "--model", "churn", "--version", "1.1.0", "--registry", "copy")
    assert two.run(*run).code == 0
    ran = two.run("mirror", "registry", "copy", "churn")
    assert ran.code == 4
    assert "not the same: demo/churn@1.1.0" in ran.out
    spoil(two).write_text("made-churn-1.0.0")
    ran = two.run("mirror", "registry", "copy", "churn", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (7, "already_exists")


def test_repair_only_says_what_it_would_do(two: Shell) -> None:
    assert two.run("repair").out == "nothing is wrong\n"
    assert two.run("mirror", "registry", "copy").code == 0
    pointer = two.folder / "registry/demo/churn/staging"
    pointer.unlink()
    told = two.run("repair", "--json")
    assert (told.code, told.json["ok"], told.json["applied"]) == (0, True, False)
    assert [(one["ref"], one["remedy"], one["healed"]) for one in told.json["faults"]] == [
        ("demo/churn@staging", "set by the history", False)
    ]
    assert not pointer.is_symlink()
    assert two.run("repair", "churn", "--apply").out.splitlines()[-1] == "healed"
    assert pointer.is_symlink()


def test_repair_restores_from_a_mirror(two: Shell) -> None:
    assert two.run("mirror", "registry", "copy").code == 0
    path = spoil(two)
    ran = two.run("repair", "--json")
    assert (ran.code, ran.json["error"]["code"], ran.json["ok"]) == (4, "integrity", False)
    assert two.run("repair", "--apply").code == 4
    assert path.read_text() == "spoilt"
    assert two.run("repair", "--from", "copy").code == 0
    assert path.read_text() == "spoilt"
    assert two.run("repair", "--from", "copy", "--apply").code == 0
    assert path.read_text() == "made-churn-1.0.0"
    assert two.run("verify", "--deep").code == 0
    assert two.run("repair", "--from", "nowhere").code == 5


def test_deep_is_for_more_than_a_version(two: Shell) -> None:
    (two.folder / "registry/NOTES").write_text("a note")
    document = two.run("verify", "--deep", "--json").json
    assert (document["ok"], document["notes"]) == (True, ["NOTES is nothing that artreg knows"])
    assert two.run("verify", "churn", "--deep").code == 0
    assert two.run("verify", "churn@1.0.0", "--deep").code == 2
