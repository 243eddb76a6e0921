"""What `--help` shows, and what is suggested to whoever misspells a word of a command line."""

from __future__ import annotations

import pytest

from artreg.cli.manual import pages
from artreg.cli.table import COMMANDS, SECTIONS
from artreg.errors import EXIT_CODES
from cli.conftest import Shell

PAGES = pages()


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_help_of_a_command_shows_everything_in_eighty_columns(page, shell: Shell) -> None:
    ran = shell.run(*page.words, "--help")
    assert (ran.code, ran.err) == (0, "")
    text = " ".join(ran.out.split())
    assert page.summary in text
    for item in (*page.arguments, *page.options):
        assert all(f" {name}" in text for name in item.names)
        assert item.help in text
    for example in page.examples:
        assert f"\n  {example}\n" in ran.out
    for code in page.codes:
        assert f" {code.status} {code.meaning}" in text
    whole = [f"  {line}" for line in (*page.examples, page.usage)]  # are copied, so that they are not broken
    assert [line for line in ran.out.splitlines() if len(line) > 80 and line not in whole] == []


@pytest.mark.parametrize(
    "words", [("promote", "-h"), ("help", "promote"), ("-q", "promote", "churn", "--to", "prod", "--help")]
)
def test_help_is_asked_for_in_many_ways(words: tuple[str, ...], shell: Shell) -> None:
    assert shell.run(*words).out == shell.run("promote", "--help").out


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_what_is_a_value_asks_for_no_help(word: str, shell: Shell) -> None:
    ran = shell.run("promote", "--to", "prod", "--", word, "1.0.0")
    assert (ran.code, ran.out) == (2, "")
    assert f"{word!r} is not a" in ran.err


def test_the_whole_is_shown_in_sections(shell: Shell) -> None:
    ran = shell.run("--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == shell.run("help").out
    for name in COMMANDS:
        assert sum(line.startswith(f"  {name} ") for line in ran.out.splitlines()) == 1, f"{name} is in no section"
    assert set(COMMANDS) <= {name for names in SECTIONS.values() for name in names.split()}
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "…" not in ran.out


def test_a_group_shows_its_commands(shell: Shell) -> None:
    ran = shell.run("data", "--help")
    assert "  snapshot  Keep a table" in ran.out
    assert shell.run("help", "data").out == ran.out
    asked = shell.run("data", "--json")
    assert (asked.code, asked.json["error"]["message"]) == (2, "which command of artreg data?")
    assert "snapshot" in asked.json["error"]["hint"]


def test_help_is_a_document_too(shell: Shell) -> None:
    document = shell.run("help", "promote", "--json").json
    assert document["command"] == "artreg promote"
    assert [item["names"] for item in document["options"]][:2] == [["--to"], ["--plan"]]
    assert {it["code"]: it["exit_code"] for it in document["exit_codes"] if it["code"]}.items() <= EXIT_CODES.items()
    assert shell.run("promote", "--help", "--json").json == document
    assert len(shell.run("help", "--json").json["commands"]) == len(PAGES)


@pytest.mark.parametrize(
    ("line", "suggestions"),
    [
        ("promot churn 1.0.0 --to prod", ["promote"]),
        ("snapshot x", ["data snapshot"]),
        ("data snapshto x", ["snapshot"]),
        ("help promot", ["promote"]),
        ("polcy check", ["policy"]),
        ("promot --help", ["promote"]),
        ("frobnicate", []),
        ("promote churn 1.0.0 --too prod", ["--to"]),
        ("list --regsitry x", ["--registry"]),
        ("list --jsno", ["--json"]),
        ("list --frobnicate", []),
    ],
)
def test_a_misspelt_word_of_the_line_is_told_the_near_ones(line: str, suggestions: list[str], shell: Shell) -> None:
    ran = shell.run(*line.split(), "--json")
    assert ran.code == EXIT_CODES["invalid_input"]
    error = ran.json["error"]
    assert error["suggestions"][: len(suggestions) or 9] == suggestions
    assert "did you mean" in error["hint"] if suggestions else " --help" in error["hint"]


@pytest.mark.parametrize(
    ("line", "suggestions"),
    [
        ("show chrun@1.0.0", ["demo/churn"]),
        ("show churm@prod", ["demo/churn"]),
        ("list other/churn", ["demo/churn"]),
        ("list othre/chrun", []),
        ("list dmeo/chrun", ["demo/churn"]),
        ("list x", []),
        ("show churn@1.0.1", ["1.0.0"]),
        ("show churn@stagin", ["staging"]),
        ("show stagin", ["staging"]),
        ("history churn@stage", ["staging"]),
        ("verify dem/", ["demo"]),
        ("promote churn 1.0.0 --to stagin", ["staging"]),
        ("data show churm", []),
    ],
)
def test_a_misspelt_name_is_told_the_near_ones(line: str, suggestions: list[str], shell: Shell) -> None:
    shell.publish("1.0.0")
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 0
    ran = shell.run(*line.split(), "--json")
    assert ran.code in {EXIT_CODES["not_found"], EXIT_CODES["invalid_input"]}
    assert ran.json["error"]["suggestions"] == suggestions
    assert ("did you mean" in ran.json["error"]["hint"]) == bool(suggestions)


def test_a_misspelt_gate_is_told_the_near_ones(shell: Shell) -> None:
    (shell.folder / "policy.yaml").write_text("aliases: {prod: {gates: [{gate: metrik, key: a, min: 1}]}}")
    ran = shell.run("policy", "check", "policy.yaml")
    assert "there is no gate 'metrik'; did you mean metric?" in ran.err
