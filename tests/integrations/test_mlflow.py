"""MLflow is told of a training, by a real MLflow; and whatever it does, the training stands."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import peers
from artreg.integrations import mlflow_tracking
from artreg.integrations.mlflow_tracking import is_wanted, log_training, training_of

RUN = {
    "axes": {
        "code": {"commit": "c" * 40},
        "environment": {"uv_lock_sha256": "l" * 64},
        "config": {"document": {"seed": 42, "data": {"drop": [], "path": "x"}, "model": {"C": 0.5}}},
        "data": {"snapshot": None, "uri": "data/churn.csv", "content_hash": "d" * 64, "record_count": 8},
    }
}


def test_what_is_told() -> None:
    told = training_of(
        "demo/churn",
        "1.0.0",
        digest="e" * 64,
        path="registry/x",
        metrics={"roc_auc": 0.9, "test": {"rows": 3}},
        run=RUN,
    )
    assert told.params == {"seed": "42", "data.drop": "[]", "data.path": "x", "model.C": "0.5"}
    assert told.metrics == {"roc_auc": 0.9, "test.rows": 3.0}
    assert told.tags["artreg.uri"] == f"file://{os.path.abspath('registry/x')}"
    assert (told.dataset["name"], told.dataset["digest"]) == ("data/churn.csv", "d" * 36)
    bucket = training_of("demo/churn", "1.0.0", digest="e" * 64, path="s3://b/x", metrics={}, run=RUN)
    assert bucket.tags["artreg.uri"] == "s3://b/x"


def test_it_is_asked_for_by_the_environment() -> None:
    assert is_wanted({"MLFLOW_TRACKING_URI": "http://localhost:5000"})
    assert not is_wanted({"MLFLOW_TRACKING_URI": ""})
    assert not is_wanted({})


def told() -> mlflow_tracking.Training:
    return training_of("demo/churn", "1.0.0", digest="e" * 64, path="x", metrics={}, run=RUN)


def test_without_mlflow_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    logged = log_training(told())
    assert logged.run_id is None
    assert "mlflow-skinny" in logged.problem


@pytest.mark.parametrize(
    ("program", "limit_s", "problem"),
    [("import sys; sys.exit(3)", 30.0, "exit code 3"), ("import time; time.sleep(60)", 0.5, "within")],
)
def test_a_server_that_fails_or_hangs_is_a_problem_and_no_error(
    program: str, limit_s: float, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    monkeypatch.setattr(mlflow_tracking, "_LIMIT_S", limit_s)
    logged = log_training(told())
    assert logged.run_id is None
    assert problem in logged.problem


# --- a real one --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with artreg, as it is here, and MLflow."""
    return peers.environment(tmp_path_factory.mktemp("mlflow"), peers.MLFLOW, str(peers.ROOT))


@pytest.fixture
def server(beside: Path, tmp_path: Path) -> Iterator[str]:
    program = [str(beside / "mlflow"), "server", "--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    with peers.serving(lambda port: [*program, *peers.mlflow_at(port)], "/health", tmp_path) as url:
        yield url


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(peers.ROOT), str(folder)], check=True)
    return folder


def environment(beside: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "MLFLOW_"))}
    return {**kept, "PATH": f"{beside}:{os.environ['PATH']}", **more}


@pytest.mark.peers
def test_a_real_server_holds_everything(beside: Path, server: str, checkout: Path) -> None:
    variables = environment(beside, MLFLOW_TRACKING_URI=server)
    run = [str(beside / "artreg"), "data", "churn"]
    subprocess.run(run, cwd=checkout, env=variables, check=True)
    done = subprocess.run(
        [str(beside / "artreg"), "train", "--json"], cwd=checkout, env=variables, capture_output=True, check=True
    )
    document = json.loads(done.stdout)
    assert document["tracking"]["logged"]
    ask = (
        "import json, sys; from mlflow import MlflowClient; run = MlflowClient().get_run(sys.argv[1]);"
        "print(json.dumps([run.data.params, run.data.metrics, run.data.tags, run.info.status,"
        "[[one.dataset.name, one.dataset.digest] for one in run.inputs.dataset_inputs]]))"
    )
    answer = subprocess.run(
        [str(beside / "python"), "-c", ask, document["tracking"]["run_id"]],
        env=variables,
        capture_output=True,
        check=True,
    )
    params, metrics, tags, status, datasets = json.loads(answer.stdout)
    assert params["model.learning_rate"] == "0.08"
    assert metrics["roc_auc"] == document["metrics"]["roc_auc"]
    assert tags["artreg.digest"] == document["digest"]
    assert tags["artreg.uri"].endswith("registry/demo/churn/1.0.0")
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert status == "FINISHED"
    assert [name for name, _ in datasets] == ["churn"]


@pytest.mark.peers
def test_a_server_that_is_not_there_costs_a_warning(beside: Path, checkout: Path) -> None:
    variables = environment(beside, MLFLOW_TRACKING_URI="http://me:s3cr3t@127.0.0.1:9")
    train = [str(beside / "artreg"), "train", "--config", "configs/breast_cancer.yaml"]
    done = subprocess.run(train, cwd=checkout, env=variables, capture_output=True, text=True, check=True)
    assert "published demo/breast-cancer@1.0.0" in done.stdout
    assert "warning: MLflow was not told" in done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr


@pytest.mark.peers
@pytest.mark.parametrize("manager", ["local", "virtualenv"])
def test_mlflow_run_trains(beside: Path, checkout: Path, tmp_path: Path, manager: str) -> None:
    own = {"MLFLOW_ENV_ROOT": str(tmp_path / "environments")}  # not one that was made before
    variables = environment(beside, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db", **own)
    run = [str(beside / "mlflow"), "run", ".", "--env-manager", manager]
    done = subprocess.run(run, cwd=checkout, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout / "registry" / "demo" / "churn" / "1.0.0" / "checksum.txt").is_file()
