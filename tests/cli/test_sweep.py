"""Many configs in one command: the same versions as one after the other, whoever trains them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from artreg.store.local import LocalStore
from artreg.training import apart
from artreg.training.churn import write_churn
from cli.conftest import Shell

CONFIG = """
project: demo
name: {name}
trainer: logistic_regression
data: {{path: data/small.csv, id_column: customer_id, target: churned, salt: s}}
model: {{C: {strength}}}
"""
PATIENCE = 300.0  # seconds; a machine may be busy
STRENGTHS = {"a": "1.0", "b": "0.1"}


@pytest.fixture
def project(shell: Shell) -> Shell:
    """A folder with small data and configs of one model."""
    write_churn(shell.folder / "data" / "small.csv", 300)
    (shell.folder / "sweep").mkdir()
    for name, strength in STRENGTHS.items():
        write_config(shell, name, strength)
    return shell


@pytest.fixture
def trained_here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Train without another interpreter, where that is not what a test is about."""
    monkeypatch.setattr(apart, "train_apart", lambda job: apart._made(job, tmp_path_factory.mktemp("apart")))


def write_config(shell: Shell, name: str, strength: str, model: str = "churn") -> None:
    (shell.folder / "sweep" / f"{name}.yaml").write_text(CONFIG.format(name=model, strength=strength))


def models(shell: Shell, root: str) -> list[bytes]:
    store = LocalStore(shell.folder / root)
    return [store.read(f"demo/churn/1.0.{number}/model.skops") for number in range(2)]


def test_a_sweep_makes_the_same_versions_as_one_after_the_other(project: Shell) -> None:
    ran = project.run("train", "--config", "sweep/*.yaml", "--jobs", "2", "--json")
    assert ran.code == 0, ran.err
    assert [(run["config"], run["version"]) for run in ran.json["runs"]] == [
        ("sweep/a.yaml", "1.0.0"),
        ("sweep/b.yaml", "1.0.1"),
    ]
    (project.folder / "alone").mkdir()
    for name in STRENGTHS:
        assert project.run("train", "--config", f"sweep/{name}.yaml", "-r", "alone").code == 0
    assert models(project, "registry") == models(project, "alone")
    assert project.run("verify").code == 0
    kept = [project.run("data", "list", "-r", root, "--json").json["snapshots"] for root in ("registry", "alone")]
    assert [one["snapshot"] for one in kept[0]] == [one["snapshot"] for one in kept[1]]


@pytest.mark.usefixtures("trained_here")
def test_a_training_that_fails_keeps_no_other_back(project: Shell) -> None:
    (project.folder / "sweep" / "a.yaml").write_text(CONFIG.format(name="churn", strength="1").replace("small", "none"))
    ran = project.run("train", "--config", "sweep/*.yaml", "--json")
    assert ran.code == 2
    assert [run.get("version") for run in ran.json["runs"]] == [None, "1.0.0"]
    assert "data/none.csv" in ran.json["error"]["message"]
    again = project.run("train", "--config", "sweep/*.yaml")
    assert again.code == 2
    assert "1 of 2 trainings failed" in again.out
    assert "is there already" in again.out


def test_nothing_is_trained_where_a_config_is_wrong(project: Shell) -> None:
    (project.folder / "sweep" / "b.yaml").write_text("trainer: nobody")
    assert project.run("train", "--config", "sweep/*.yaml").code == 2
    assert project.run("list", "--json").json["models"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "nowhere/*.yaml"], "no config matches 'nowhere/*.yaml'"),
        (["--config", "sweep/*.yaml", "--version", "2.0.0"], "--version names one version"),
        (["--config", "sweep/a.yaml", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler is for a cluster"),
    ],
)
def test_what_makes_no_sense_is_refused(project: Shell, words: list[str], message: str) -> None:
    ran = project.run("train", *words)
    assert ran.code == 2
    assert message in ran.err


@pytest.mark.usefixtures("trained_here")
def test_a_dry_sweep_publishes_nothing(project: Shell) -> None:
    ran = project.run("train", "--config", "sweep/a.yaml", "--config", "sweep/[a]*.yaml", "--dry-run")
    assert ran.code == 0
    assert "would be published" in ran.out
    assert project.run("list", "--json").json["models"] == []


def test_a_training_ends_with_the_worker_that_began_it(project: Shell) -> None:
    """Its interpreter notices that nobody waits any more, even if that was killed."""
    code = (
        "import pathlib, sys\n"
        "from artreg.training.apart import job_of, train_apart\n"
        "from artreg.training.config_file import load_config\n"
        "train_apart(job_of(load_config(pathlib.Path('sweep/a.yaml')), pathlib.Path.cwd(), ('artreg',)))\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=project.folder)
    child = wait_for_child(worker.pid)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    end = time.monotonic() + PATIENCE
    while is_running(child):
        assert time.monotonic() < end, "it goes on"
        time.sleep(0.02)


def wait_for_child(pid: int) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
        if found.stdout.strip():
            return int(found.stdout.split()[0])
        time.sleep(0.02)
    raise AssertionError("no child")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False


@pytest.mark.usefixtures("trained_here")
def test_other_code_or_other_data_elsewhere_is_refused(project: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from artreg.training import git

    before = git.code_state
    monkeypatch.setattr(git, "code_state", lambda folder: before(folder).__class__("f" * 40, False, None, None))
    ran = project.run("train", "--config", "sweep/a.yaml", "--config", "sweep/[a]*.yaml")
    assert ran.code == 2
    assert f"this is {'f' * 40}" in ran.out
