"""The same look-up with other registries, where they are installed beside artreg."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from measure import Result, compare, process
from places import ARTREG, long_registry

_MLFLOW = """
import mlflow
client = mlflow.MlflowClient("sqlite:///mlflow.db")
print(client.get_model_version_by_alias("churn", "prod").version)
"""
_MLFLOW_SETUP = """
import mlflow
client = mlflow.MlflowClient("sqlite:///mlflow.db")
client.create_registered_model("churn")
client.create_model_version("churn", "file:///nowhere")
client.set_registered_model_alias("churn", "prod", 1)
"""


def peers(work: Path, runs: int) -> Iterator[Result]:
    """Time `artreg resolve churn@prod` against what MLflow takes for the same question, if it is installed."""
    if importlib.util.find_spec("mlflow") is None:
        return
    root = long_registry(work / "peers", 3)
    process([sys.executable, "-c", _MLFLOW_SETUP], work)()
    resolve = process([ARTREG, "resolve", "churn@prod", "-r", str(root)], work)
    ratio = compare(resolve, process([sys.executable, "-c", _MLFLOW], work), max(3, runs // 3))
    yield Result("Peers", "artreg resolve churn@prod", "the same from MLflow's SQLite store", ratio, 1)
