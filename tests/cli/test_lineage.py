"""Trainings tell OpenLineage that they begin and how they end; and stand, whatever comes of that."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from artreg.cli import lineage
from artreg.integrations import openlineage
from artreg.training import apart
from artreg.training import run as training_run
from artreg.training.churn import write_churn
from cli.conftest import Ran, Shell
from integrations.receivers import Event, Receiver, checked, receiving

CONFIG = """
name: churn
trainer: logistic_regression
data: {{path: {path}, id_column: customer_id, target: churned, salt: s}}
model: {{C: {strength}}}
"""
PARENT = "airflow/dag.task/0190e1e2-1111-7abc-8def-0123456789ab"


@pytest.fixture
def project(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder with small data and configs."""
    write_churn(shell.folder / "small.csv", 200)
    config(shell, "a")
    monkeypatch.setattr(openlineage, "_PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(openlineage, "_TIMEOUT_S", 60.0)  # who answers is waited for, however busy the machine is
    monkeypatch.setattr(lineage, "_INTERRUPTED_S", 60.0)
    for name in ("URL", "DISABLED", "PARENT_ID", "_TRANSPORT__TYPE"):
        monkeypatch.delenv(f"OPENLINEAGE_{name}", raising=False)
    return shell


def config(shell: Shell, name: str, path: str = "small.csv", strength: float = 1.0) -> None:
    (shell.folder / f"{name}.yaml").write_text(CONFIG.format(path=path, strength=strength))


def train(shell: Shell, *words: str) -> Ran:
    return shell.run("train", "-c", "a.yaml", *words)


@pytest.fixture
def told(project: Shell, monkeypatch: pytest.MonkeyPatch):
    """A receiver that takes everything, and is named."""
    with receiving() as there:
        monkeypatch.setenv("OPENLINEAGE_URL", there.url)
        yield there


def kinds(there: Receiver) -> list[str]:
    return [checked(event)["eventType"] for event in there.events]


def test_a_training_tells_that_it_begins_and_what_came_of_it(
    project: Shell, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", PARENT)
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "ml")
    document = train(project, "--json").json
    assert kinds(told) == ["START", "COMPLETE"]
    start, end = told.events
    assert start["run"]["runId"] == end["run"]["runId"]
    assert document["lineage"] == {"told": True, "runs": [start["run"]["runId"]], "problem": ""}
    assert (end["job"]["namespace"], end["job"]["name"]) == ("ml", "demo/churn")
    data = {"namespace": "file", "name": str(project.folder / "small.csv")}
    for event in told.events:
        assert {key: event["inputs"][0][key] for key in data} == data
        assert event["run"]["facets"]["parent"]["job"] == {"namespace": "airflow", "name": "dag.task"}
    assert "tenure_months" in {it["name"] for it in end["inputs"][0]["facets"]["schema"]["fields"]}
    (model,) = end["outputs"]
    assert model["namespace"] == f"file://{project.folder}/registry"
    assert model["facets"]["version"]["datasetVersion"] == "1.0.0"
    tags = {it["key"]: it["value"] for it in model["facets"]["tags"]["tags"]}
    assert tags["digest"] == f"sha256:{document['digest']}"
    assert float(tags["metric.roc_auc"]) == document["metrics"]["roc_auc"]


def test_what_is_told_leaves_no_mark_on_what_is_published(project: Shell, told: Receiver) -> None:
    assert train(project).code == 0
    told.released.set()
    assert train(project, "--json").json["created"] is False
    run = told.events[0]["run"]["runId"].encode()
    assert not any(run in path.read_bytes() for path in (project.folder / "registry").rglob("*") if path.is_file())


def test_a_training_that_fails_or_is_interrupted_says_so(
    project: Shell, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(project, "a", path="none.csv")
    assert train(project).code == 2
    assert kinds(told) == ["START", "FAIL"]
    assert "none.csv" in told.events[1]["run"]["facets"]["errorMessage"]["message"]

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_run, "train", interrupted)
    assert train(project).code == 130
    assert kinds(told)[2:] == ["START", "ABORT"]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no route to https://me:s3cr3t@host/data?token=s3cr3t")

    monkeypatch.setattr(training_run, "train", broken)
    assert train(project).code == 1
    assert kinds(told)[4:] == ["START", "FAIL"]
    assert told.events[5]["run"]["facets"]["errorMessage"]["message"] == "RuntimeError: no route to https://host/data"


def test_a_dry_run_tells_nothing(project: Shell, told: Receiver) -> None:
    assert train(project, "--dry-run").code == 0
    assert told.requests == []


@pytest.mark.slow  # it trains again
def test_a_reproduction_tells_nothing(project: Shell, told: Receiver) -> None:
    assert train(project).code == 0
    assert len(told.requests) == 2
    project.run("reproduce", "churn@1.0.0", "--here")
    assert len(told.requests) == 2


def test_the_beginning_is_told_beside_the_training(project: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver answers only when the version is there: whoever waited for it would wait in vain."""
    manifest = project.folder / "registry/demo/churn/1.0.0/checksum.txt"

    def answer(event: Event) -> int:
        end = time.monotonic() + 60
        while not manifest.exists() and time.monotonic() < end:
            time.sleep(0.01)
        return 201 if manifest.exists() else 400

    with receiving(answer) as there:
        monkeypatch.setenv("OPENLINEAGE_URL", there.url)
        assert train(project, "--json").json["lineage"]["told"]
    assert kinds(there) == ["START", "COMPLETE"]


@pytest.mark.parametrize(("code", "problem"), [(None, "did not answer"), (500, "answered 500"), (0, "be reached")])
def test_whatever_a_receiver_does_the_training_stands(
    project: Shell, monkeypatch: pytest.MonkeyPatch, code: int | None, problem: str
) -> None:
    if code is None:
        monkeypatch.setattr(openlineage, "_TIMEOUT_S", 0.1)
    with receiving(lambda event: code) as there:
        url = there.url if code != 0 else "http://127.0.0.1:1"
        monkeypatch.setenv("OPENLINEAGE_URL", url.replace("//", "//me:s3cr3t@"))
        monkeypatch.setenv("OPENLINEAGE_API_KEY", "k3y")
        ran = train(project)
    assert ran.code == 0
    assert "published demo/churn@1.0.0" in ran.out
    (warning,) = [line for line in ran.err.splitlines() if line.startswith("warning")]
    assert warning.startswith("warning: OpenLineage was not told anything: the receiver")
    assert problem in warning
    kept = b"".join(path.read_bytes() for path in (project.folder / "registry").rglob("*") if path.is_file())
    for secret in ("s3cr3t", "k3y"):
        assert secret not in ran.out + ran.err
        assert secret.encode() not in kept


def test_a_receiver_that_comes_back_is_told_the_rest(project: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(lambda event: 201 if event["eventType"] == "COMPLETE" else 400) as there:
        monkeypatch.setenv("OPENLINEAGE_URL", there.url)
        ran = train(project)
    assert ran.err.startswith("warning: OpenLineage was not told 1 of 2 events: the receiver answered 400\n")
    assert kinds(there) == ["COMPLETE"]


def test_an_interrupted_training_is_not_waited_for_long(project: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = list[float]()
    close = openlineage.Teller.close

    def closed(teller: openlineage.Teller, limit: float = openlineage.LIMIT_S) -> openlineage.Told:
        waited.append(limit)
        return close(teller, 0.0)

    monkeypatch.setattr(openlineage.Teller, "close", closed)
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    assert train(project).code == 0
    monkeypatch.setattr(training_run, "train", interrupted)
    assert train(project).code == 130
    assert waited == [openlineage.LIMIT_S, lineage._INTERRUPTED_S]


def test_each_training_of_a_sweep_is_a_run(
    project: Shell, told: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(apart, "train_apart", lambda job: apart._made(job, tmp_path_factory.mktemp("apart")))
    config(project, "b", path="none.csv")
    config(project, "c", strength=0.1)
    ran = project.run("train", "-c", "[abc].yaml", "--json")
    assert (ran.code, [run.get("version") for run in ran.json["runs"]]) == (2, ["1.0.0", None, "1.0.1"])
    assert sorted(kinds(told)) == ["COMPLETE", "COMPLETE", "FAIL", "START", "START", "START"]
    ended = {event["run"]["runId"]: event["eventType"] for event in told.events[3:]}
    begun = [event["run"]["runId"] for event in told.events[:3]]
    assert [ended[run] for run in begun] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert ran.json["lineage"]["runs"] == begun


def test_what_a_sweep_does_not_come_to_has_failed(
    project: Shell, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(job: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(apart, "train_apart", killed)
    config(project, "b")
    assert project.run("train", "-c", "[ab].yaml").code == 130
    assert kinds(told) == ["START", "START", "ABORT", "ABORT"]


def test_without_a_receiver_nothing_is_said(project: Shell) -> None:
    ran = train(project, "--json")
    assert "lineage" not in ran.json
    assert not any(Path(project.folder).glob("*.jsonl"))
