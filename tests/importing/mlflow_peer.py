"""What MLflow's own API is asked for: run by the Python of an environment that has it, by no test itself.

`fill URI NAMES VERSIONS OUT` fills a store and writes down what the API says of it; `predict OUT FOLDER…` loads.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression

EXPORTED = (1, 4, 20)
"""The versions of each model that are exported again."""

ROWS = np.random.default_rng(7).normal(size=(20, 3))


def fill(uri: str, names: list[str], versions: int) -> dict[str, Any]:
    """Register models with everything that people attach to them."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    mlflow.set_experiment(f"fitting by {uri.partition(':')[0]}")
    for place, name in enumerate(names):
        estimators = [LogisticRegression(C=c).fit(ROWS, (ROWS[:, place] > 0).astype(int)) for c in (0.1, 10)]
        for number in range(1, versions + 1):
            register(client, name, number, estimators[number % 2])
        client.set_registered_model_alias(name, "champion", versions)
        client.set_registered_model_alias(name, "Challenger", versions - 1)
        client.update_registered_model(name, description=f"Who leaves,\nand why: {name} é")
        client.set_registered_model_tag(name, "owner", "retention")
        client.transition_model_version_stage(name, versions - 1, "Staging")
        client.transition_model_version_stage(name, versions, "Production")
        client.transition_model_version_stage(name, 1, "Archived")
    return {name: told(client, name) for name in names}


def register(client: MlflowClient, name: str, number: int, estimator: Any) -> None:
    """Log a run with a model, and register that."""
    odd = {1: math.nan, 2: math.inf, 3: -math.inf}
    with mlflow.start_run(run_name=f"{name}-{number}") as run:
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("auc", 0.5 + step * number / 100, 1_700_000_000_000 + step, step) for step in range(3)]
            + [Metric("test/loss", 1 / number, 1_700_000_000_000, 0)]
            + [Metric("odd", odd[number], 1_700_000_000_000, 0) for _ in range(number in odd)],
            params=[Param("C", str(number)), Param("note", "ü, 'x' and \"y\"\nand more")],
            tags=[RunTag("team", "x"), RunTag("mlflow.source.git.commit", f"{number:040x}")],
        )
        mlflow.sklearn.log_model(
            estimator,
            name="model",
            registered_model_name=name,
            pip_requirements=["scikit-learn", "skops"],
            signature=mlflow.models.infer_signature(ROWS, estimator.predict(ROWS)),
            serialization_format="skops" if number % 4 else "cloudpickle",
        )
    client.update_model_version(name, number, description=f"version {number}")
    client.set_model_version_tag(name, number, "validated", "yes" if number % 2 else "no")


def told(client: MlflowClient, name: str) -> dict[str, Any]:
    """Return what the API says of a registered model."""
    model = client.get_registered_model(name)
    versions = client.search_model_versions(f"name='{name}'", max_results=1000)
    return {
        "aliases": {alias: int(number) for alias, number in model.aliases.items()},
        "description": model.description,
        "tags": model.tags,
        "versions": {int(version.version): version_told(client, version) for version in versions},
    }


def version_told(client: MlflowClient, version: Any) -> dict[str, Any]:
    run = client.get_run(version.run_id)
    history = [[it.value, it.step, it.timestamp] for it in client.get_metric_history(version.run_id, "auc")]
    with tempfile.TemporaryDirectory() as folder:
        uri = f"models:/{version.name}/{version.version}"
        files = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder))
        known = {"registered_model_meta"}  # MLflow's download adds it
        digests = {
            path.relative_to(files).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files.rglob("*")
            if path.is_file() and path.name not in known
        }
        predicted = None
        if int(version.version) in EXPORTED:
            predicted = mlflow.pyfunc.load_model(str(files)).predict(ROWS).tolist()
    return {
        "created": version.creation_timestamp,
        "description": version.description,
        "files": digests,
        "history": sorted(history),
        "metrics": {key: str(value) for key, value in run.data.metrics.items()},
        "params": run.data.params,
        "predicted": predicted,
        "run_id": version.run_id,
        "run_tags": run.data.tags,
        "stage": version.current_stage,
        "tags": version.tags,
    }


def predict(folders: list[str]) -> dict[str, Any]:
    """Return what models predict: of MLflow's own the rows above, of artreg's its sample."""
    return {folder: predicted(folder) for folder in folders}


def predicted(folder: str) -> Any:
    sample = Path(f"{folder}.sample.json")
    rows: Any = ROWS
    if sample.is_file():
        import pandas as pd

        document = json.loads(sample.read_bytes())
        rows = pd.DataFrame(document["rows"], columns=[*document["categorical"], *document["numeric"]])
    return np.asarray(mlflow.pyfunc.load_model(folder).predict(rows)).tolist()


if __name__ == "__main__":
    order, *rest = sys.argv[1:]
    result = fill(rest[0], rest[1].split(","), int(rest[2])) if order == "fill" else predict(rest[1:])
    Path(rest[-1] if order == "fill" else rest[0]).write_text(json.dumps(result))
