"""File stores as MLflow lays them out, made without MLflow; tests marked `peers` hold the readers against real ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

BORN = 1_795_287_958_790

MLMODEL = """\
artifact_path: file:///elsewhere/artifacts
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.11.7
  sklearn: {code: null, pickled_model: model.pkl, serialization_format: pickle, sklearn_version: 1.9.1}
mlflow_version: 3.17.2
model_id: m-0
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
utc_time_created: '2026-11-21 19:05:58.863253'
"""


def put(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


class Store:
    """A file store in the making."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.experiment = root / "564188519155830956"
        meta = f"artifact_location: file://{self.experiment}\nexperiment_id: '{self.experiment.name}'\n"
        put(self.experiment / "meta.yaml", f"{meta}lifecycle_stage: active\nname: fitting\n")
        put(root / "0/meta.yaml", "experiment_id: '0'\nlifecycle_stage: active\nname: Default\n")

    def model(self, name: str, aliases: Mapping[str, int] | None = None) -> Path:
        folder = self.root / "models" / name
        put(
            folder / "meta.yaml",
            f"creation_timestamp: {BORN}\ndescription: 'Who leaves\n\n  and why é'\nlast_updated_timestamp: {BORN}\n"
            f"name: '{name}'\n",
        )
        put(folder / "tags/owner", "retention")
        for alias, number in (aliases or {}).items():
            put(folder / "aliases" / alias, str(number))
        return folder

    def version(
        self, name: str, number: int, *, stage: str = "None", logged: bool = True, status: str = "READY"
    ) -> tuple[Path, Path]:
        """Register a version, and return its folder and its model's; `logged` is how MLflow 3 keeps models."""
        run_id = f"{abs(hash((name, number))) % 16**8:08x}{number:024x}"
        run = self.run(run_id, number)
        if logged:
            model_id = f"m-{run_id}"
            home = self.experiment / "models" / model_id
            put(
                home / "meta.yaml",
                f"artifact_location: file://{home}/artifacts\ncreation_timestamp: {BORN + number}\n"
                f"experiment_id: '1'\nmodel_id: {model_id}\nmodel_type: ''\nname: model\nstatus: 2\n",
            )
            put(home / "params/C", str(number))
            put(home / "metrics/auc", f"{BORN} 0.5 0 {run_id}\n")
            put(run / "outputs" / model_id / "meta.yaml", "step: 0\n")
            files, source = home / "artifacts", f"models:/{model_id}"
        else:
            files = run / "artifacts/model"
            source = f"file://{files}"
        put(files / "MLmodel", MLMODEL)
        put(files / "conda.yaml", "name: mlflow-env\n")
        put(files / "model.pkl", f"the pickle of {name} {number}".encode())
        put(files / "code/inner.py", "pass\n")
        folder = self.root / "models" / name / f"version-{number}"
        put(
            folder / "meta.yaml",
            f"creation_timestamp: {BORN + number}\ncurrent_stage: {stage}\ndescription: version {number}\n"
            f"last_updated_timestamp: {BORN + 1000}\nname: '{name}'\nrun_id: {run_id}\nsource: {source}\n"
            f"status: {status}\nstatus_message: null\nstorage_location: file://{files}\nuser_id: null\n"
            f"version: {number}\nunknown_key: {{a: [1, 2]}}\n",
        )
        put(folder / "tags/validated", "yes")
        return folder, files

    def run(self, run_id: str, number: int) -> Path:
        folder = self.experiment / run_id
        put(
            folder / "meta.yaml",
            f"artifact_uri: file://{folder}/artifacts\nend_time: {BORN}\nexperiment_id: '{self.experiment.name}'\n"
            f"lifecycle_stage: active\nrun_id: '{run_id}'\nrun_name: calm-bug\nstart_time: {BORN - 9}\nstatus: 3\n"
            "user_id: ada\n",
        )
        put(folder / "params/C", str(number))
        put(folder / "params/grid/depth", "[1, 2]")
        put(folder / "metrics/auc", f"{BORN} 0.4 1\n{BORN + 1} 0.{number} 2\n")
        put(folder / "metrics/test/loss", f"{BORN} nan 0\n" if number == 1 else f"{BORN} 0.25 0\n")
        put(folder / "tags/mlflow.source.git.commit", "c" * 40)
        put(folder / "tags/mlflow.source.git.repoURL", "https://ada:hunter2@example.org/churn.git")
        put(folder / "tags/team", "x")
        return folder


def file_store(place: Path) -> Store:
    """Make two models of two versions each: one as MLflow 3 keeps them, one as MLflow 2 did."""
    store = Store(place / "mlruns")
    store.model("churn", {"champion": 2, "Current": 1})
    store.version("churn", 1, stage="Archived")
    store.version("churn", 2, stage="Production")
    store.model("fraud")
    store.version("fraud", 1, stage="Staging", logged=False)
    store.version("fraud", 2, stage="Staging", logged=False)
    return store
