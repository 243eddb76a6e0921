"""`lock`, `outdated` and `sync` on the command line: what they print, and how they exit."""

from __future__ import annotations

import shutil

import pytest

from cli.conftest import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    for version in ("1.0.0", "1.1.0"):
        shell.publish(version)
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 0
    return shell


def move(shell: Shell, version: str, reason: str = "better") -> None:
    assert shell.run("promote", "churn", version, "--to", "staging", "--reason", reason).code == 0


def test_a_lock_is_made_checked_and_made_anew(two: Shell) -> None:
    none = two.run("lock")
    assert (none.code, "artreg lock churn@prod" in none.err) == (5, True)
    made = two.run("lock", "churn@staging", "churn@1.1.0", "--json")
    assert (made.code, made.json["changed"], made.json["registry"]) == (0, True, "registry")
    assert [(one["reference"], one["version"], one["previous_version"]) for one in made.json["pins"]] == [
        ("demo/churn@staging", "1.0.0", None),
        ("demo/churn@1.1.0", "1.1.0", None),
    ]
    written = (two.folder / "artreg.lock").read_bytes()
    assert two.run("lock", "--check").out.endswith("artreg.lock is up to date: 2 pins\n")
    move(two, "1.1.0")
    late = two.run("lock", "--check", "--json")
    assert (late.code, late.json["error"]["code"]) == (6, "conflict")
    assert late.json["error"]["message"] == "artreg.lock is out of date: demo/churn@staging"
    assert two.run("lock", "churn@1.1.0", "--check").code == 0
    assert (two.folder / "artreg.lock").read_bytes() == written
    assert two.run("lock").code == 0
    assert two.run("lock", "--check").code == 0
    assert two.run("lock", "churn@1.1.0", "--remove", "--json").json["removed"] == ["demo/churn@1.1.0"]
    assert b"1.1.0" in (two.folder / "artreg.lock").read_bytes()
    assert two.run("lock", "churn@1.1.0", "--remove").code == 5
    assert two.run("lock", "--remove").code == 2


def test_what_moved_since_is_told(two: Shell) -> None:
    assert two.run("outdated").code == 5
    assert two.run("lock", "staging").code == 0
    assert two.run("outdated", "--exit-code").out.endswith("all 1 pin up to date\n")
    move(two, "1.1.0", reason="it \x1b[31mis\u202e better")
    told = two.run("outdated")
    assert (told.code, "\x1b" in told.out, "\u202e" in told.out) == (0, False, False)
    assert "promote: it \\x1b[31mis\\u202e better" in told.out
    assert told.out.endswith("1 of 1 pin out of date: artreg lock\n")
    document = two.run("outdated", "--json").json
    (pin,) = document["pins"]
    assert (document["outdated"], pin["version"], pin["now"], pin["behind"]) == (True, "1.0.0", "1.1.0", 1)
    assert (pin["move"]["who"], pin["yanked"]) == ("ada", None)
    assert two.run("outdated", "--exit-code").code == 6
    assert two.run("yank", "churn@1.0.0", "--reason", "leaks the label").code == 0
    assert two.run("outdated").out.endswith("1 of 1 pin yanked: to be used no more\n")
    assert two.run("lock", "churn@1.0.0").err.startswith("warning: demo/churn@1.0.0 was yanked by ada")


def test_the_registry_is_the_one_that_the_lock_names(two: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(two.folder / "registry", two.folder / "copy", symlinks=True)
    assert two.run("lock", "churn@staging", "-r", "copy").code == 0
    move(two, "1.1.0")
    assert two.run("lock", "--check").code == 0
    assert two.run("outdated", "--exit-code").code == 0
    assert two.run("outdated", "--exit-code", "-r", "registry").code == 6
    mixed = two.run("lock", "churn@1.0.0", "-r", "registry")
    assert (mixed.code, "the lock pins what lies in copy, not in registry" in mixed.err) == (2, True)
    monkeypatch.setenv("ARTREG_REGISTRY", "registry")
    assert two.run("lock", "--check").code == 6
    assert two.run("lock", "churn@1.0.0", "--check").code == 2
    assert two.run("lock", "churn@1.0.0", "--remove").code == 5
    assert two.run("lock", "--json").json["registry"] == "registry"


def test_what_a_consumer_demands_holds_when_it_is_locked(two: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only the lock names the registry."""
    for name in ("models", "old"):
        shutil.copytree(two.folder / "registry", two.folder / name, symlinks=True)
    monkeypatch.setenv("ARTREG_SEEN", str(two.folder / "seen"))
    assert two.run("lock", "churn@staging", "-r", "models").code == 0
    assert two.run("promote", "churn", "1.1.0", "--to", "staging", "-r", "models").code == 0
    assert two.run("lock").code == 0
    shutil.rmtree(two.folder / "models")
    (two.folder / "old").rename(two.folder / "models")
    back = two.run("lock", "--json")
    assert (back.code, back.json["error"]["code"]) == (4, "integrity")
    assert "went back" in back.json["error"]["message"]


def test_what_is_locked_is_brought(two: Shell) -> None:
    assert two.run("sync").code == 5
    assert two.run("lock", "churn@staging", "churn@1.1.0").code == 0
    assert two.run("sync", "--dry-run").out.endswith("models would hold what is locked: 2 pins\n")
    assert not (two.folder / "models").exists()
    done = two.run("sync", "--json")
    assert (done.code, done.json["ok"], [pin["outcome"] for pin in done.json["pins"]]) == (0, True, ["pulled"] * 2)
    assert (two.folder / "models/demo/churn@staging/model.bin").read_text() == "made-churn-1.0.0"
    again = two.run("sync", "--frozen", "--json").json
    assert [(pin["outcome"], pin["fetched"]) for pin in again["pins"]] == [("present", 0)] * 2
    (two.folder / "models/demo/churn@staging/mine").touch()
    changed = two.run("sync", "--json")
    assert (changed.code, changed.json["error"]["code"], changed.json["ok"]) == (7, "already_exists", False)
    assert "is not as it was pulled: mine" in two.run("sync").out
    assert two.run("sync", "--force").code == 0
    assert two.run("yank", "churn@1.0.0", "--reason", "leaks the label").code == 0
    assert "warning: demo/churn@1.0.0 was yanked" in two.run("sync").err
    assert two.run("sync", "--no-yanked", "--json").json["error"]["code"] == "gate_rejected"
    assert two.run("sync", "--no-yanked", "--frozen").code == 2
    assert two.run("sync", "-o", "/").code == 2


def test_a_mirror_and_a_cache_serve_as_well(two: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert two.run("lock", "churn@staging").code == 0
    assert two.run("mirror", "registry", "copy").code == 0
    shutil.rmtree(two.folder / "registry")
    assert two.run("sync", "-o", "a").code == 5
    monkeypatch.setenv("ARTREG_CACHE", str(two.folder / "cache"))
    assert two.run("sync", "-o", "b", "--offline").code == 5
    mirrored = two.run("sync", "-o", "b", "-r", "copy", "--json")
    assert (mirrored.code, mirrored.json["registry"], mirrored.json["pins"][0]["fetched"] > 0) == (0, "copy", True)
    assert two.run("sync", "-o", "c", "--offline").code == 0
    assert (two.folder / "c/demo/churn@staging/model.bin").read_text() == "made-churn-1.0.0"
