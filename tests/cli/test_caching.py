"""The cache from the command line: pulling through it, and the commands that keep it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Shell
from consuming.shop import damage


@pytest.fixture
def cached(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with a cache, in which a version was pulled."""
    monkeypatch.setenv("ARTREG_CACHE", str(shell.folder / "cache"))
    shell.publish("1.0.0")
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 0
    assert shell.run("pull", "churn@staging", "-o", "first").code == 0
    return shell


def files(shell: Shell) -> list[Path]:
    return sorted((shell.folder / "cache" / "files").glob("*/*"))


def test_a_pull_says_what_was_fetched(cached: Shell) -> None:
    again = cached.run("pull", "churn@staging", "-o", "second", "--json").json
    assert again["fetched"] == 0
    assert again["notes"] == []
    assert again["as_of"] is None
    plain = cached.run("pull", "churn@staging", "-o", "third", "--json", "--no-cache").json
    assert plain["fetched"] is None


def test_offline_a_pull_says_how_old_its_answer_is(cached: Shell) -> None:
    (cached.folder / "registry").rename(cached.folder / "away")
    ran = cached.run("pull", "churn@staging", "-o", "second", "--offline")
    assert ran.code == 0
    assert "churn@staging is 1.0.0 as of 20" in ran.err
    assert cached.run("pull", "churn@staging", "-o", "third", "--offline", "--json").json["as_of"].startswith("20")
    nowhere = cached.run("pull", "churn@prod", "-o", "fourth", "--offline", "--json")
    assert (nowhere.code, nowhere.json["error"]["code"]) == (5, "not_found")


def test_offline_an_export_goes_by_the_cache(cached: Shell) -> None:
    (cached.folder / "registry").rename(cached.folder / "away")
    ran = cached.run("export", "churn@staging", "--to", "oci", "-o", "layout", "--offline")
    assert ran.code == 0
    assert "churn@staging is 1.0.0 as of 20" in ran.err
    again = cached.run("export", "churn@staging", "--to", "oci", "-o", "again", "--offline", "--json").json
    assert again["as_of"].startswith("20")
    card = cached.run("card", "churn@staging", "--offline", "--json")
    assert (card.code, card.json["own"]) == (0, False)
    assert cached.run("card", "churn@staging", "--offline", "--no-cache").code == 2
    assert cached.run("card", "churn@prod", "--offline").code == 5


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("export churn@1.0.0 --to mlflow -o new", 2),  # model.bin is none that MLflow loads
        ("export churn@1.0.0 --to oci -o taken", 7),
        ("export churn@1.0.0 --to cyclonedx", 0),
        ("card churn@1.0.0", 0),
    ],
)
def test_what_needs_no_model_fetches_none(shell: Shell, monkeypatch: pytest.MonkeyPatch, words: str, code: int) -> None:
    monkeypatch.setenv("ARTREG_CACHE", str(shell.folder / "cache"))
    shell.publish("1.0.0")
    (shell.folder / "taken").write_text("mine")
    assert shell.run(*words.split()).code == code
    (model,) = (shell.folder / "registry/demo/churn/1.0.0").glob("model.*")
    assert model.read_bytes() not in [path.read_bytes() for path in files(shell)]


def test_offline_an_alias_alone_is_that_of_the_one_model_that_is_remembered(cached: Shell) -> None:
    (cached.folder / "registry").rename(cached.folder / "away")
    assert cached.run("pull", "staging", "-o", "second", "--offline").code == 0
    assert cached.run("pull", "prod", "-o", "third", "--offline").err == (
        "error: nothing is remembered of what prod meant\nhint: pull it once while the registry can be asked\n"
    )
    (cached.folder / "away").rename(cached.folder / "registry")
    cached.publish("1.0.0", model="upsell")
    assert cached.run("promote", "upsell", "1.0.0", "--to", "staging").code == 0
    assert cached.run("pull", "staging", "-o", "third", "--offline").code == 0  # of that one nothing is remembered
    assert cached.run("pull", "upsell@staging", "-o", "fourth").code == 0
    assert "several models have an alias staging" in cached.run("pull", "staging", "-o", "fifth", "--offline").err


def test_offline_can_be_a_setting(cached: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (cached.folder / "registry").rename(cached.folder / "away")
    monkeypatch.setenv("ARTREG_OFFLINE", "yes")
    assert cached.run("pull", "churn@staging", "-o", "second").code == 0
    monkeypatch.setenv("ARTREG_OFFLINE", "perhaps")
    assert cached.run("pull", "churn@staging", "-o", "third").code == 2


def test_a_registry_on_a_disk_needs_no_cache_unless_one_is_named(shell: Shell) -> None:
    shell.publish("1.0.0")
    assert shell.run("pull", "churn@1.0.0", "-o", "out").code == 0
    assert not (shell.folder / "caches").exists()
    assert shell.run("cache", "path").out.strip() == str(shell.folder / "caches" / "artreg")


def test_list_verify_prune_clear(cached: Shell) -> None:
    listed = cached.run("cache", "list", "--json").json
    assert {file["sha256"] for file in listed["files"]} == {path.name for path in files(cached)}
    assert listed["bytes"] == sum(path.stat().st_size for path in files(cached))
    assert listed["path"] in cached.run("cache", "list").out
    damage(max(files(cached), key=lambda path: path.stat().st_size))
    assert len(cached.run("cache", "verify", "--dry-run", "--json").json["damaged"]) == 1
    assert "thrown away" in cached.run("cache", "verify").out
    assert cached.run("cache", "verify", "--json").json["damaged"] == []
    left = len(files(cached))
    assert cached.run("cache", "prune", "--max-size", "0", "--dry-run", "--json").json["removed"]["files"] == left
    assert cached.run("cache", "prune", "--json").json["removed"]["files"] == 0
    assert cached.run("cache", "prune", "--max-size", "1GiB").code == 0
    assert len(files(cached)) == left
    assert cached.run("cache", "prune", "--max-size", "much").code == 2
    assert cached.run("cache", "clear", "--dry-run").code == 0
    assert len(files(cached)) == left
    assert cached.run("cache", "clear", "--json").json["removed"]["files"] == left
    assert files(cached) == []
    assert cached.run("pull", "churn@staging", "-o", "second", "--offline").code == 5


def test_there_may_be_no_cache(cached: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTREG_CACHE", "off")
    assert cached.run("cache", "list").code == 2
    assert cached.run("pull", "churn@staging", "-o", "second").code == 0
    assert cached.run("pull", "churn@staging", "-o", "third", "--offline").code == 2
    monkeypatch.setenv("ARTREG_CACHE", str(cached.folder / "empty"))
    for words in ("list", "verify", "prune", "clear", "path"):
        assert cached.run("cache", words).code == 0
    assert not (cached.folder / "empty").exists()


def test_a_cache_that_cannot_be_used_is_said_on_stderr(cached: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (cached.folder / "file").write_text("")
    monkeypatch.setenv("ARTREG_CACHE", str(cached.folder / "file" / "cache"))
    ran = cached.run("pull", "churn@staging", "-o", "second")
    assert ran.code == 0
    assert "warning: pulled without the cache" in ran.err
    assert (cached.folder / "second" / "model.bin").exists()


def test_data_are_pulled_through_the_cache(cached: Shell) -> None:
    table = cached.folder / "table.csv"
    table.write_text("a,b\n1,2\n")
    assert cached.run("data", "snapshot", str(table), "--name", "table").code == 0
    assert cached.run("data", "pull", "table", "-o", "one.csv").code == 0
    ref = json.loads(cached.run("data", "list", "--json").out)["snapshots"][0]["snapshot"]
    (cached.folder / "registry").rename(cached.folder / "away")
    for number, words in enumerate(("table", ref)):
        assert cached.run("data", "pull", words, "-o", f"offline-{number}.csv", "--offline").code == 0
        assert (cached.folder / f"offline-{number}.csv").read_text() == table.read_text()
    for path in files(cached):
        damage(path)
    assert cached.run("data", "pull", "table", "-o", "two.csv", "--offline").code == 5
    assert cached.run("data", "pull", "other", "-o", "two.csv", "--offline").code == 5
    (cached.folder / "away").rename(cached.folder / "registry")
    assert cached.run("data", "pull", "table", "-o", "two.csv").code == 0
    assert (cached.folder / "two.csv").read_text() == table.read_text()
