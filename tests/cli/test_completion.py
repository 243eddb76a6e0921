"""What the completion scripts of the shells are told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.cli import completion
from artreg.cli.completion import answer, offers_for
from artreg.cli.declare import COMMON, parameters_of
from artreg.cli.manual import entries
from artreg.cli.offers import OFFERS
from artreg.cli.shells import SCRIPTS, install, script_of
from cli.conftest import Shell

BREAKS = " \t\n\"'@><=;|&(:"  # bash's own


@pytest.fixture
def published(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(completion, "_PATIENCE", 60.0)
    shell.publish("1.0.0")
    return shell


def words(line: str) -> list[str]:
    *before, incomplete = line.split(" ")
    return [word for word, _ in offers_for(before, incomplete).words]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pro", ["promote"]),
        ("data sn", ["snapshot"]),
        ("resolve ch", ["churn@1.0.0"]),
        ("resolve churn@", ["churn@1.0.0"]),
        ("resolve churn@2", []),
        ("promote ", ["churn"]),
        ("promote demo/", ["demo/churn"]),
        ("promote churn ", ["1.0.0"]),
        ("promote churn 1.0.0 --to s", ["staging"]),
        ("promote churn 1.0.0 --to=s", ["--to=staging"]),
        ("promote churn 1.0.0 --expect 1", ["1.0.0"]),
        ("promote churn 1.0.0 --re", ["--reason", "--registry"]),
        ("promote churn 1.0.0 --reason x --re", ["--registry"]),
        ("promote churn 1.0.0 --no=s", []),
        ("publish made --bump m", ["major", "minor"]),
        ("publish made --bump=m", ["--bump=major", "--bump=minor"]),
        ("train --set see", ["seed="]),
        ("-q --project demo resolve demo/", ["demo/churn@1.0.0"]),
        ("resolve --project d", ["demo"]),
        ("resolve --project=d", ["--project=demo"]),
        ("--project=nowhere promote chu", []),
        ("help po", ["policy"]),
        ("help policy sc", ["schema"]),
        ("help policy schema ", []),
        ("resolve -r nowhere ch", []),
        ("resolve churn@1.0.0 x", []),
        ("nothing ", []),
    ],
)
def test_what_may_come_next_is_offered(line: str, offered: list[str]) -> None:
    assert words(line) == offered


def test_aliases_come_first_and_then_the_highest_versions(published: Shell) -> None:
    for version in ("1.2.0", "1.10.0"):
        published.publish(version)
    published.publish("1.0.0", model="upsell")
    assert published.run("promote", "churn", "1.2.0", "--to", "staging").code == 0
    assert words("resolve churn@") == [f"churn@{target}" for target in ("staging", "1.10.0", "1.2.0", "1.0.0")]
    assert words("resolve churn@1.1") == ["churn@1.10.0"]
    assert words("yank churn@") == ["churn@1.10.0", "churn@1.2.0", "churn@1.0.0"]
    assert words("resolve ") == ["churn@", "upsell@"]
    assert words("rollback ") == ["staging"]
    assert words("rollback staging --model churn --to 1.2") == ["1.2.0"]
    assert words("rollback churn@s") == ["churn@staging"]


@pytest.mark.usefixtures("published")
def test_metrics_and_gates_are_offered(published: Shell) -> None:
    published.publish("2.0.0", test={"rows": 5}, title="no number")
    offered = completion._offered
    assert offered("metrics", {}, {"model": "churn"}, "") == ["roc_auc", "test.rows"]
    assert offered("metrics", {}, {"reference": "churn@2.0.0"}, "test") == ["test.rows"]
    assert offered("metrics", {}, {}, "r") == ["roc_auc"]
    assert "no_regression" in offered("gates", {}, {}, "no")


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("publish ", True),
        ("publish made --model ", False),
        ("data churn --out ", True),
        ("train --config ", True),
        ("inspect mod", True),
        ("resolve mod", False),
        ("mirror ", True),
        ("list --registry ", True),
        ("--policy ", True),
        ("list --policy=", True),
        ("", False),
    ],
)
@pytest.mark.usefixtures("shell")
def test_files_are_offered_where_a_file_is_wanted(line: str, files: bool) -> None:
    *before, incomplete = line.split(" ")
    assert offers_for(before, incomplete).files is files


def test_every_declaration_names_what_there_is() -> None:
    markers = [it.marker for _, entry in entries() for it in parameters_of(entry.load())]
    named = {name for marker in (*markers, *COMMON.values()) for name in marker.complete.split()}
    assert named <= {"files", *OFFERS}
    assert len(named) > 8


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("shell_name", "arguments", "told"),
    [
        ("bash", [BREAKS, "artreg promote ch"], "churn\n"),
        ("bash", [BREAKS, "artreg promote 'ch"], ""),
        ("bash", [BREAKS, "artreg resolve churn@1"], "@1.0.0\n"),
        ("bash", [BREAKS, "artreg promote churn 1.0.0 --to=s"], "staging\n"),
        ("bash", [BREAKS, "artreg train --set see"], "seed=\n:open\n"),
        ("bash", [BREAKS, "artreg publish "], ":files\n"),
        ("bash", ["artreg promote ch"], ""),
        ("bash", [BREAKS, ""], ""),
        ("zsh", ["promote", "ch"], "churn\n"),
        ("zsh", ["publish", ""], ":files\n"),
        ("zsh", ["list", "--reg"], "--registry\tRegistry root: a path or s3://bucket/prefix\n"),
        ("zsh", [], ""),
        ("fish", ["list", "--q"], "--quiet\tPrint results and errors only\n"),
        ("fish", ["yan"], "yank\tDeclare a version unfit\n"),
        ("powershell", ["promote", "ch"], ""),
    ],
)
def test_each_shell_is_answered_in_its_own_form(shell_name: str, arguments: list[str], told: str) -> None:
    said = answer(shell_name, arguments)
    assert said == told if told.endswith("\n") or not told else said.startswith(told)


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that takes every call, and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("settings", ["registry: [", "registry: s3://bucket/x\nendpoint_url: {silent}\n"])
def test_a_broken_or_silent_registry_offers_nothing_and_says_nothing(settings: str, silent: str, shell: Shell) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs" / "artreg.yaml").write_text(settings.replace("{silent}", silent))
    credentials = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-m", "artreg", BREAKS, "artreg resolve ch"],
        env={**os.environ, **credentials, "_ARTREG_COMPLETE": "bash"},
        capture_output=True,
        timeout=600,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_nobody_waits_for_an_answer_that_does_not_come(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "_PATIENCE", 0.05)
    answered = threading.Event()
    monkeypatch.setitem(OFFERS, "references", lambda *_: ["churn"] if answered.wait(60) else [])  # type: ignore[index]
    assert answer("zsh", ["resolve", "ch"]) == ""
    answered.set()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_printed_and_installed(name: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shell.folder / "home"))
    (shell.folder / "home").mkdir()
    assert shell.run("completion", name).out == script_of(name)
    assert shell.run("--show-completion", name).out == script_of(name)
    ran = shell.run("completion", name, "--install", "--json")
    assert Path(ran.json["installed"][0]).read_text() == script_of(name)
    monkeypatch.setenv("SHELL", f"/opt/{name}")
    assert shell.run("--install-completion", "--json").json == ran.json
    assert shell.run("completion", "--json").json == {"shell": name, "script": script_of(name)}


def test_what_stands_in_a_start_file_stays(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_bytes(b"alias x=y # \xff")
    for _ in range(2):
        install("bash", str(tmp_path))
    line = SCRIPTS["bash"].line.encode()
    assert (tmp_path / ".bashrc").read_bytes() == b"alias x=y # \xff\n" + line + b"\n"


def test_an_unknown_shell_is_asked_for(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    ran = shell.run("completion")
    assert (ran.code, ran.err) == (2, "error: which shell is it for?\nhint: name one: bash, zsh, fish\n")
