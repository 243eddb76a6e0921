"""`artreg` alone: where things stand, what wants looking at, and what comes next."""

from __future__ import annotations

import os

import pytest

from cli.conftest import Shell


def state(shell: Shell, ref: str) -> str:
    """What is said of an alias in the table."""
    line = next(line for line in shell.run().out.splitlines() if line.startswith(ref))
    return line.partition("ada")[2].strip()


def test_without_a_registry_it_says_how_to_make_one(shell: Shell) -> None:
    ran = shell.run("-r", "nowhere")
    assert (ran.code, ran.err) == (0, "")
    assert "registry  nowhere (from --registry)" in ran.out
    assert "next: artreg init -r nowhere" in ran.out
    document = shell.run("-r", "nowhere", "--json").json
    assert (document["exists"], document["models"], document["next"]["command"]) == (
        False,
        [],
        "artreg init -r nowhere",
    )


def test_an_empty_registry_is_filled_first(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTREG_REGISTRY", "registry")
    assert "registry (from ARTREG_REGISTRY)" in shell.run().out
    assert shell.run("--json").json["next"]["command"].startswith("artreg publish DIR")
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs/default.yaml").touch()
    (shell.folder / "configs/artreg.yaml").write_text("registry: registry\n")
    assert shell.run("--json").json["next"]["command"] == "artreg train"
    assert shell.run("--json").json["found_by"] == "ARTREG_REGISTRY"
    monkeypatch.delenv("ARTREG_REGISTRY")
    assert shell.run("--json").json["found_by"] == "configs/artreg.yaml"


def test_each_next_step_does_what_is_due_until_nothing_is(shell: Shell) -> None:
    shell.publish("1.0.0")
    shell.publish("1.1.0")
    steps: list[str] = []
    while (step := shell.run("--json").json["next"]) is not None:
        assert len(steps) < 3
        steps.append(step["command"])
        assert shell.run(*step["command"].split()[1:]).code == 0
    assert steps == ["artreg promote churn 1.1.0 --to staging", "artreg promote churn staging --to prod"]
    assert "nothing is due" in shell.run().out
    assert state(shell, "demo/churn@prod") == "newest"
    shell.publish("2.0.0-rc.1")
    assert state(shell, "demo/churn@prod") == "2.0.0-rc.1 is newer"
    document = shell.run("--json").json["models"][0]
    assert (document["newest"], document["ahead_of_prod"]) == ("2.0.0-rc.1", True)
    shell.run("yank", "churn@2.0.0-rc.1", "--reason", "x")
    document = shell.run("--json").json["models"][0]
    assert (document["newest"], document["ahead_of_prod"]) == ("1.1.0", False)


def test_what_is_told_of_an_alias_is_the_move_that_holds(shell: Shell) -> None:
    for version in ("0.9.0", "1.0.0"):
        shell.publish(version)
        shell.run("promote", "churn", version, "--to", "staging", "--reason", "first")
    moved = shell.run("history", "churn@staging", "--json").json["records"][0]
    shell.run("freeze", "churn@staging", "--until", "2099-01-01T00:00Z", "--reason", "holidays", "--actor", "bob")
    assert shell.run("confirm", "churn@staging", "--actor", "carol").code == 0
    told = shell.run("--json").json
    alias = told["models"][0]["aliases"][0]
    assert (alias["since"], alias["who"], alias["generation"]) == (moved["time"], "ada", 4)
    assert (alias["frozen"]["why"], told["attention"][0]["kind"]) == ("holidays", "frozen")
    assert told["next"] is None  # what is frozen is not to be promoted, and prod takes only what is in staging
    assert state(shell, "demo/churn@staging") == "frozen, newest"


def test_what_is_wrong_comes_first_and_hides_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0.0", "1.1.0"):
        shell.publish(version)
        for alias in ("staging", "prod"):
            shell.run("promote", "churn", version, "--to", alias)
    model = shell.folder / "registry/demo/churn"
    monkeypatch.setenv("ARTREG_MAX_AGE", "0s")
    assert "doubtful" in state(shell, "demo/churn@prod")
    assert "artreg confirm says that it still stands" in shell.run().out
    monkeypatch.delenv("ARTREG_MAX_AGE")

    (model / "1.2.0").mkdir()
    assert shell.run("--json").json["next"]["command"] == "artreg gc --dry-run"
    (model / "staging").unlink()
    os.symlink("1.0.0", model / "staging")
    assert state(shell, "demo/churn@staging") == "stale pointer, newest"
    assert shell.run("--json").json["next"]["command"] == "artreg gc"
    shell.run("yank", "churn@1.1.0", "--reason", "labels \x1b[31mleaked")
    ran = shell.run()
    assert "yanked by ada" in ran.out
    assert "\x1b" not in ran.out
    assert "next: artreg rollback churn@" in ran.out
    record = model / "history/staging/00000003.json"
    record.chmod(0o600)
    record.write_bytes(record.read_bytes().replace(b"ada", b"eve"))
    document = shell.run("--json").json
    assert [matter["kind"] for matter in document["attention"]] == ["damaged", "yanked", "unfinished"]
    assert document["next"]["command"] == "artreg verify churn"
    assert [alias["version"] for alias in document["models"][0]["aliases"]] == ["1.1.0", None]
