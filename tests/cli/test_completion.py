"""What the completion scripts of the shells are told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from artreg.cli.completion import answer, offers_for


def words(line: str) -> list[str]:
    *before, incomplete = line.split(" ")
    return [word for word, _ in offers_for(before, incomplete)]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pro", ["promote"]),
        ("data sn", ["snapshot"]),
        ("resolve ch", ["churn@1.0.0"]),
        ("promote ", ["churn", "demo/churn"]),
        ("promote churn ", ["1.0.0"]),
        ("promote churn 1.0.0 --to s", ["staging"]),
        ("promote churn 1.0.0 --re", ["--reason", "--registry"]),
        ("publish made --bump m", ["major", "minor"]),
        ("-q --project demo resolve demo/", ["demo/churn@1.0.0"]),
        ("resolve --project d", ["demo"]),
        ("resolve -r nowhere ch", []),
        ("resolve churn@1.0.0 x", []),
        ("nothing ", []),
    ],
)
def test_what_may_come_next_is_offered(line: str, offered: list[str]) -> None:
    assert words(line) == offered


@pytest.fixture
def published(shell: object) -> None:
    shell.publish("1.0.0")  # type: ignore[attr-defined]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("shell_name", "environment", "told"),
    [
        ("bash", {"COMP_WORDS": "artreg promote ch", "COMP_CWORD": "2"}, ("churn", 0)),
        ("bash", {"COMP_WORDS": "artreg promote 'ch", "COMP_CWORD": "2"}, ("", 0)),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "artreg promote ch"}, ("_arguments '*: :((\"churn\"))'", 0)),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "artreg publish "}, ("_files", 0)),
        (
            "zsh",
            {"_TYPER_COMPLETE_ARGS": "artreg list --reg"},
            (
                '_arguments \'*: :(("--registry":"Registry root\\\\: a path or s3\\\\://bucket/prefix '
                "[ARTREG_REGISTRY]\"))'",
                0,
            ),
        ),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "artreg list --q", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
            ("--quiet\tPrint results and errors only", 0),
        ),
        ("fish", {"_TYPER_COMPLETE_ARGS": "artreg promote ", "_TYPER_COMPLETE_FISH_ACTION": "is-args"}, ("", 0)),
        ("fish", {"_TYPER_COMPLETE_ARGS": "artreg publish ", "_TYPER_COMPLETE_FISH_ACTION": "is-args"}, ("", 1)),
        ("powershell", {}, None),
    ],
)
def test_each_shell_is_answered_in_its_own_form(
    shell_name: str, environment: dict[str, str], told: tuple[str, int] | None
) -> None:
    assert answer(shell_name, environment) == told


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_the_answers_are_those_that_typer_gives(shell_name: str) -> None:
    line = "artreg resolve --reg"
    environment = {**os.environ, "COMP_WORDS": line, "COMP_CWORD": "2", "_TYPER_COMPLETE_ARGS": line}
    environment |= {"_ARTREG_COMPLETE": f"complete_{shell_name}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    typer = "from artreg.cli.app import make_app; make_app()(prog_name='artreg')"
    ours = "import sys; from artreg.cli.main import main; sys.exit(main([]))"
    answers = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for code in (typer, ours)
    ]
    assert answers[0].strip() == answers[1].strip()
