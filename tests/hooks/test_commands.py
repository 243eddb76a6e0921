"""The commands, and what a move does: what lives on after it is a process of its own, as it is for users."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artreg.cli.main import main
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.store.local import LocalStore
from hooks.bench import SECRETS, VARIABLE, Receiver, ended, numbers_by_source, wait_until
from registry.bench import CHURN

HOOKS = """hooks:
  deploy:
    url: {url}
    secret: DEPLOY_SECRET
    since: 2026-01-01T00:00:00Z
    timeout: {timeout}
    retry_for: 0s
"""


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Desk:
    """A folder with a registry and two versions, whose policy lets everything pass, and commands that are run in it."""

    path: Path
    run: Callable[..., Ran]

    def done(self, *words: str, **variables: str) -> str:
        ran = self.run(*words, **variables)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def hooks(self, receiver: Receiver, timeout: str = "10s", more: str = "") -> None:
        self.write(HOOKS.format(url=receiver.url, timeout=timeout) + more)

    def write(self, text: str) -> None:
        (self.path / "configs" / "hooks.yaml").write_text(text)

    def promote(self, version: str = "1.0.0", alias: str = "prod") -> None:
        self.done("promote", "churn", version, "--to", alias)

    def flushed(self, *words: str, code: int = 0, **variables: str) -> Any:
        ran = self.run("hooks", "flush", *words, "--json", **variables)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    def listed(self) -> Any:
        return json.loads(self.done("hooks", "list", "--json"))["hooks"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in ("registry", "configs", "made"):
        (folder / name).mkdir()
    (folder / "configs" / "policy.yaml").write_text("aliases: {staging: {}, prod: {}}\n")
    registry = Registry(LocalStore(folder / "registry"))
    for version in ("1.0.0", "1.1.0"):
        (folder / "made" / "model.txt").write_text(version)
        publish(registry, CHURN, folder / "made", Version.parse(version))
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    folder = shutil.copytree(made, tmp_path / "work", symlinks=True)
    monkeypatch.chdir(folder)
    for name, value in {**SECRETS, "XDG_STATE_HOME": str(folder / "state")}.items():
        monkeypatch.setenv(name, value)

    def run(*words: str, **variables: str) -> Ran:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            code = main(words)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return Desk(folder, run)


def apart(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=False)


def wait_for(receiver: Receiver, count: int) -> None:
    wait_until(lambda: len(receiver.heard()) >= count, receiver.heard)


def test_a_move_is_told_though_its_receiver_hangs_until_it_is_over(desk: Desk, receiver: Receiver) -> None:
    over = desk.path / "over"
    receiver.behave(f"hang {over}", "ok")
    desk.hooks(receiver, timeout="60s")
    ran = apart("from artreg.cli.main import main; main('promote churn 1.0.0 --to prod'.split())", desk.path)
    assert "prod is now 1.0.0" in ran.stdout  # its end was read, although nothing is answered before the file is there
    wait_for(receiver, 1)
    assert receiver.heard()[0].event["type"] == "dev.cdevents.service.deployed.0.2.0"
    desk.promote("1.1.0")
    over.touch()
    wait_for(receiver, 2)
    assert desk.flushed()["ok"]
    assert list(numbers_by_source(receiver.taken()).values()) == [[1, 2]]
    assert len(receiver.heard()) == 2


def test_a_mover_that_dies_between_the_record_and_the_telling_loses_nothing(desk: Desk, receiver: Receiver) -> None:
    desk.hooks(receiver)
    script = (
        "import os, signal, sys; import artreg.cli.telling as telling; from artreg.cli.main import main;"
        "telling.tell = lambda session: os.kill(os.getpid(), signal.SIGKILL);"
        "main('promote churn 1.0.0 --to prod'.split())"
    )
    assert apart(script, desk.path).returncode == -signal.SIGKILL
    assert receiver.heard() == []
    assert desk.listed()[0]["pending"] == 1
    assert desk.flushed()["hooks"][0]["delivered"] == 1
    assert list(numbers_by_source(receiver.taken()).values()) == [[1]]


@pytest.mark.parametrize("text", ["hooks: [", "hooks: {deploy: {command: [x], sinse: 2026-01-01}}"])
def test_a_broken_hooks_file_is_a_warning_after_the_move(desk: Desk, text: str) -> None:
    desk.write(text)
    ran = desk.run("promote", "churn", "1.0.0", "--to", "prod", "--json")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["changed"] is True
    assert "warning: the hooks were not told: " in ran.stderr
    assert "hooks.yaml" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert desk.run("hooks", "list").returncode == 2


def test_a_hooks_file_that_is_named_but_not_there_is_a_warning_after_the_move(desk: Desk) -> None:
    ran = desk.run("promote", "churn", "1.0.0", "--to", "prod", ARTREG_HOOKS="none.yaml")
    assert ran.returncode == 0
    assert "warning: the hooks were not told: hooks file none.yaml" in ran.stderr


def test_what_moves_nothing_tells_nobody(desk: Desk, receiver: Receiver) -> None:
    desk.write("hooks: [")  # a warning would show that it was looked at
    for words in ("promote churn 1.0.0 --to prod --dry-run", "list", "show churn@1.0.0"):
        assert desk.run(*words.split()).stderr == ""
    (desk.path / "configs" / "hooks.yaml").unlink()
    desk.promote()
    desk.write("hooks: [")
    assert desk.run("promote", "churn", "1.0.0", "--to", "prod").stderr == ""


def test_what_cannot_be_delivered_stays_due_and_shows(desk: Desk, receiver: Receiver) -> None:
    desk.promote("1.0.0")
    desk.promote("1.1.0")
    desk.promote("1.0.0", "staging")
    desk.hooks(receiver)
    receiver.behave("500")
    found = desk.flushed(code=8)
    assert found["ok"] is False
    assert {told["alias"]: told["problem"][:9] for told in found["hooks"][0]["told"]} == {
        "prod": "500 Inter",
        "staging": "500 Inter",
    }
    assert "\x1b" not in desk.run("hooks", "flush").stdout
    shown = desk.done("hooks", "list")
    assert "tried 2 times since" in shown
    assert "\x1b" not in shown
    assert "secret-path" not in shown
    listed = desk.listed()[0]
    assert [(one["alias"], one["pending"]) for one in listed["told"]] == [("prod", 2), ("staging", 1)]
    assert [one["problem"] for one in listed["told"]] == [None, None]
    assert listed["told"][0]["failure"]["attempts"] == 2
    ran = desk.run("promote", "churn", "1.1.0", "--to", "staging")
    assert "warning: deploy could not be told of all moves before" in ran.stderr
    receiver.behave("ok")
    desk.flushed()
    assert sorted(numbers_by_source(receiver.taken()).values()) == [[1, 2], [1, 2]]
    assert desk.run("promote", "churn", "1.0.0", "--to", "staging").stderr == ""
    desk.flushed()
    assert desk.flushed()["hooks"][0]["delivered"] == 0


def test_an_event_is_passed_over_on_purpose_alone(desk: Desk, receiver: Receiver) -> None:
    for version in ("1.0.0", "1.1.0", "1.0.0"):
        desk.promote(version)
    desk.hooks(receiver)
    words = ("hooks", "skip", "deploy", "churn@prod", "--json")
    assert json.loads(desk.done(*words, "--dry-run"))["skipped"] == [1]
    assert json.loads(desk.done(*words, "--reason", "it was \x1b[31mtaken by hand", "--actor", "ada"))["skipped"] == [1]
    desk.flushed()
    (skipped,) = desk.listed()[0]["told"][0]["skipped"]
    assert (skipped["first"], skipped["who"], skipped["why"]) == (1, "ada", "it was \x1b[31mtaken by hand")
    shown = desk.done("hooks", "list")
    assert "deploy, demo/churn@prod: ada passed over generation 1, 20" in shown
    assert "\x1b" not in shown
    assert list(numbers_by_source(receiver.taken()).values()) == [[2, 3]]


def test_a_hook_can_be_tried_out_before_anything_moves(desk: Desk, receiver: Receiver) -> None:
    desk.hooks(receiver)
    tried = json.loads(desk.done("hooks", "test", "deploy", "--json"))
    assert (tried["delivered"], tried["answer"]) == (True, "202 Accepted")
    (heard,) = receiver.heard()
    assert heard.event["type"] == "dev.cdeventsx.artreg-hook.tested.0.1.0"
    assert heard.event["data"]["customData"]["test"] is True
    receiver.behave("404")
    ran = desk.run("hooks", "test", "deploy", "--of", "churn@prod")
    assert ran.returncode == 8
    assert "did not take it: 404 Not Found" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert not (desk.path / "registry" / ".artreg" / "hooks").exists()


def test_without_its_secret_nothing_is_sent_and_that_shows(desk: Desk, receiver: Receiver) -> None:
    desk.promote()
    desk.hooks(receiver)
    found = desk.flushed(code=8, DEPLOY_SECRET="")
    assert "DEPLOY_SECRET is not set" in found["hooks"][0]["problem"]
    assert "DEPLOY_SECRET is not set" in desk.done("hooks", "list", DEPLOY_SECRET="")
    assert receiver.heard() == []


def test_the_secret_is_nowhere(desk: Desk, receiver: Receiver) -> None:
    desk.hooks(receiver)
    desk.promote()
    wait_for(receiver, 1)
    desk.flushed()
    secret = SECRETS[VARIABLE].removeprefix("whsec_").encode()
    files = [path for path in desk.path.rglob("*") if path.is_file() and path.suffix != ".tmp"]
    assert any(path.parts[-2] == "prod" for path in files)
    assert not [path for path in files if secret in path.read_bytes()]
    assert secret.decode() not in json.dumps([heard.headers | {"body": heard.body} for heard in receiver.heard()])


def test_one_hook_alone_is_flushed_by_its_name(desk: Desk, receiver: Receiver) -> None:
    desk.promote()
    desk.write(
        HOOKS.format(url=receiver.url, timeout="10s")
        + "  note: {command: [/bin/sh, -c, 'cat > told'], since: 2026-01-01T00:00:00Z}\n"
    )
    assert [hook["hook"] for hook in desk.flushed("note")["hooks"]] == ["note"]
    assert receiver.heard() == []
    assert json.loads((desk.path / "told").read_text())["data"]["customData"]["version"] == "1.0.0"
    assert desk.flushed("--dry-run")["hooks"][0]["pending"] == 1
    assert receiver.heard() == []


SLOW_TO_BEGIN = """
import signal, subprocess, sys, time
from artreg.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job of a shell ignores it
class Slow(subprocess.Popen):  # the program runs already while whoever begins it does not know so yet
    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        time.sleep(0.3)
subprocess.Popen = Slow
sys.exit(main(["hooks", "flush"]))
"""


def test_an_interrupted_flush_leaves_no_program_behind(desk: Desk) -> None:
    desk.promote()
    slow = "{command: [/bin/sh, -c, 'echo $$ > pid; sleep 600'], since: 2026-01-01, timeout: 60s, retry_for: 0s}"
    desk.write(f"hooks: {{slow: {slow}}}\n")
    flush = subprocess.Popen([sys.executable, "-c", SLOW_TO_BEGIN], cwd=desk.path, stderr=subprocess.PIPE)
    pid = desk.path / "pid"
    wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"), flush.poll)
    flush.send_signal(signal.SIGINT)
    _, said = flush.communicate()
    assert (flush.returncode, b"interrupted" in said) == (130, True)
    wait_until(lambda: ended(pid.read_text().strip()), lambda: "the program goes on")


def test_mirrors_checks_and_clean_ups_take_no_notice(desk: Desk, receiver: Receiver) -> None:
    desk.hooks(receiver)
    desk.promote()
    wait_for(receiver, 1)
    desk.flushed()
    assert (desk.path / "registry" / ".artreg" / "hooks").is_dir()
    (desk.path / "configs" / "hooks.yaml").unlink()
    assert "hooks" not in desk.done("verify", "--all", "--deep", "--json")
    desk.done("gc")
    desk.done("mirror", "registry", "copy")
    assert not (desk.path / "copy" / ".artreg" / "hooks").exists()
    assert (desk.path / "registry" / ".artreg" / "hooks").is_dir()


def test_a_hooks_file_that_is_known_costs_a_move_nothing(desk: Desk, receiver: Receiver) -> None:
    desk.promote()
    desk.hooks(receiver, more="    actions: [freeze]\n")
    desk.flushed()
    words = ["freeze", "churn@prod", "--until", "2100-01-01", "--reason", "holidays"]
    ran = apart(f"from artreg.cli.main import main; print(main({words})); import sys; print(*sys.modules)", desk.path)
    assert ran.stdout.splitlines()[-2] == "0"
    loaded = {name.partition(".")[0] for name in ran.stdout.splitlines()[-1].split()}
    assert "artreg" in loaded
    assert not loaded & {"pydantic", "yaml", "urllib3", "ssl", "subprocess", "dataclasses"}
    wait_for(receiver, 1)
    assert receiver.heard()[0].event["type"] == "dev.cdeventsx.artreg-alias.frozen.0.1.0"
