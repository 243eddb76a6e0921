"""Completion in real shells, installed as a user installs it, in a home folder where nothing was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.cli.main import main
from cli.terminal import Terminal, environment

pytestmark = pytest.mark.slow  # a second or two for each shell, and a minute on a machine that is busy

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a registry of two models, one of which has an alias."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "registry").mkdir()
    (folder / "made").mkdir()
    (folder / "elsewhere" / "demo").mkdir(parents=True)
    (folder / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for model, version in (("churn", "1.0.0"), ("churn", "1.1.0"), ("upsell", "2.0.0")):
            (folder / "made" / "model.txt").write_text(version)
            assert main(["publish", "made", "-m", model, "--version", version, "-q"]) == 0
        assert main(["promote", "churn", "1.0.0", "--to", "staging", "-q"]) == 0
        assert main(["init", "-r", "elsewhere", "-q"]) == 0
        assert main(["publish", "made", "-m", "other", "--version", "3.0.0", "-r", "elsewhere", "-q"]) == 0
    return folder


@pytest.fixture(scope="module", params=SHELLS)
def terminal(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """A shell that was started after `artreg --install-completion`."""
    home = tmp_path_factory.mktemp(f"home-{request.param}")
    variables = environment(request.param, home)
    for _ in range(2):  # twice is as good as once
        subprocess.run(["artreg", "--install-completion"], env=variables, check=True, capture_output=True)
    opened = Terminal(request.param, home, folder)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("artreg pro", ["promote"]),
        ("artreg data sn", ["data", "snapshot"]),
        ("artreg resolve ups", ["resolve", "upsell@2.0.0"]),
        ("artreg resolve churn@st", ["resolve", "churn@staging"]),
        ("artreg resolve churn@1.1", ["resolve", "churn@1.1.0"]),
        ("artreg resolve demo/churn@1.1", ["resolve", "demo/churn@1.1.0"]),
        ("artreg promote ch", ["promote", "churn"]),
        ("artreg promote churn 1.0", ["promote", "churn", "1.0.0"]),
        ("artreg promote churn 1.0.0 --to st", ["promote", "churn", "1.0.0", "--to", "staging"]),
        ("artreg promote churn 1.0.0 --to=st", ["promote", "churn", "1.0.0", "--to=staging"]),
        ("artreg list --regis", ["list", "--registry"]),
        ("artreg -r elsewhere resolve o", ["-r", "elsewhere", "resolve", "other@3.0.0"]),
        ("artreg resolve --registry=elsewhere o", ["resolve", "--registry=elsewhere", "other@3.0.0"]),
        ("artreg train --bump mi", ["train", "--bump", "minor"]),
        ("artreg publish mad", ["publish", "made"]),
        ("artreg list --registry else", ["list", "--registry", "elsewhere"]),
        ("artreg -r nowhere resolve ch", ["-r", "nowhere", "resolve", "ch"]),
        ("artreg resolve mad", ["resolve", "mad"]),
    ],
)
def test_a_word_is_completed(line: str, words: list[str], terminal: Terminal) -> None:
    completed = [word.removesuffix("/") for word in terminal.completed(line)]  # zsh takes it off again
    assert completed == words


def test_several_words_are_shown(terminal: Terminal) -> None:
    terminal.press("artreg resolve churn@\t\t")
    for word in ("1.1.0", "1.0.0"):
        terminal.wait_for(word)
    terminal.press("\x15")  # Ctrl-U takes the line away


def test_a_value_that_goes_on_is_not_closed(terminal: Terminal) -> None:
    assert terminal.completed("artreg train --set model.max_it\t30 --vers") == [
        "train",
        "--set",
        "model.max_iter=30",
        "--version",
    ]


def test_the_start_file_is_kept_and_named_once(terminal: Terminal) -> None:
    for name in (".bashrc", ".zshrc"):
        path = terminal.home / name
        if path.exists():
            lines = path.read_text().splitlines()
            assert len(lines) == len(set(lines)) >= 2
