"""Tells an MLflow tracking server of a training that was published.

The logging runs in a process of its own with a limit of time: a server that fails or hangs costs a warning, and
nothing else. What MLflow itself goes by (`MLFLOW_TRACKING_URI`, credentials) that process has from the environment.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from artreg.core.comparison.facts import leaves

TRACKING_URI = "MLFLOW_TRACKING_URI"

_LIMIT_S = 60.0
_FOR_MLFLOW = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True, slots=True)
class Logged:
    """What became of telling MLflow.

    Attributes:
        run_id: The run at the server, or None if nothing was logged.
        problem: Why not, or ''.
    """

    run_id: str | None
    problem: str = ""

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"logged": self.run_id is not None, "run_id": self.run_id, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class Training:
    """What is told of a training.

    Attributes:
        experiment: The experiment's name.
        name: The run's name.
        params: The settings, by dotted key.
        metrics: The figures, by dotted key.
        tags: What else is known.
        dataset: Its name, digest, source and schema, the last two as JSON texts.
    """

    experiment: str
    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    dataset: Mapping[str, str]


def is_wanted(variables: Mapping[str, str]) -> bool:
    """Say whether the environment names a tracking server."""
    return bool(variables.get(TRACKING_URI))


def training_of(
    model: str, version: str, *, digest: str, path: str, metrics: Mapping[str, Any], run: Mapping[str, Any]
) -> Training:
    """Return what is told of a version that was trained and published.

    Args:
        model: Its model's full name.
        version: Its number.
        digest: Its digest.
        path: Where it lies.
        metrics: The document `metrics.json`.
        run: The run record.
    """
    axes = run["axes"]
    data = axes["data"]
    tags = {
        "artreg.model": model,
        "artreg.version": version,
        "artreg.digest": digest,
        "artreg.uri": path if "://" in path else f"file://{os.path.abspath(path)}",
        "artreg.uv_lock_sha256": str(axes["environment"]["uv_lock_sha256"]),
        "mlflow.source.git.commit": str(axes["code"]["commit"]),
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": "artreg train",
    }
    return Training(
        experiment=model,
        name=f"{model}@{version}",
        params={key: str(value) for key, value in leaves(axes["config"]["document"])},
        metrics={key: float(value) for key, value in leaves(metrics) if isinstance(value, int | float)},
        tags=tags,
        dataset={
            "name": str(data["snapshot"] or data["uri"]).partition("@")[0][:500],
            "digest": str(data["content_hash"])[:36],
            "source": json.dumps({"uri": data["uri"], "snapshot": data["snapshot"], "sha256": data["content_hash"]}),
            "profile": json.dumps({"num_rows": data["record_count"]}),
        },
    )


def log_training(training: Training) -> Logged:
    """Tell the server that the environment names; whatever goes wrong is in what is returned."""
    if importlib.util.find_spec("mlflow") is None:
        return Logged(None, "mlflow is not installed here; pip install mlflow-skinny, or unset MLFLOW_TRACKING_URI")
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and every argument is ours)
            [sys.executable, "-m", __name__],
            input=json.dumps(asdict(training)).encode(),
            env={**_FOR_MLFLOW, **os.environ},
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Logged(None, f"the tracking server did not answer within {_LIMIT_S:.0f} s")
    run_id = done.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if done.returncode or not run_id:
        # The server's own words could repeat its URL, in which a password may stand.
        return Logged(None, f"mlflow failed with exit code {done.returncode}; check {TRACKING_URI} and the server")
    return Logged(run_id)


def _main() -> None:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag

    told = json.load(sys.stdin)
    client = MlflowClient()
    run_id = os.environ.get("MLFLOW_RUN_ID")  # `mlflow run` has begun one
    if not run_id:
        experiment = client.get_experiment_by_name(told["experiment"])
        number = experiment.experiment_id if experiment else client.create_experiment(told["experiment"])
        run_id = client.create_run(number, run_name=told["name"]).info.run_id
    client.log_batch(
        run_id,
        params=[Param(key, value[:6000]) for key, value in told["params"].items()],
        metrics=[Metric(key, value, 0, 0) for key, value in told["metrics"].items()],
        tags=[RunTag(key, value) for key, value in told["tags"].items()],
    )
    data = told["dataset"]
    dataset = Dataset(data["name"], data["digest"], "artreg", data["source"], None, data["profile"])
    client.log_inputs(run_id, datasets=[DatasetInput(dataset, [])])
    if "MLFLOW_RUN_ID" not in os.environ:
        client.set_terminated(run_id)
    sys.stdout.write(f"{run_id}\n")


if __name__ == "__main__":
    _main()
