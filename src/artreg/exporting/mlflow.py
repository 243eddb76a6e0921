"""A version as a folder that MLflow loads: `mlflow.pyfunc.load_model` predicts what artreg's own `load` does.

What came from MLflow goes back as it came, byte for byte. A model of artreg's gets an `MLmodel` beside it, with the few
lines of code that load it where there is no artreg. The same version always gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from artreg.core import canonical
from artreg.core.comparison.facts import entries, section
from artreg.core.lineage import Origin
from artreg.core.manifest import is_model_file
from artreg.errors import InvalidInput
from artreg.exporting.folder import Exported, Whole, find_whole, write_folder
from artreg.exporting.sample import Sample, read_sample
from artreg.frozen import replace
from artreg.registry.contents import pinned_manifest
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.registry.versions import read_file
from artreg.store.interface import TreeFile
from artreg.training.standalone import TRUSTED
from artreg.yamldoc import dump_portable_yaml

MLMODEL = "MLmodel"

_MODEL = "model/"
_CODE = "code"
_LOADER = "artreg_standalone"
_REQUIREMENTS = "requirements.txt"
_PYTHON_ENV = "python_env.yaml"
_EXAMPLE = "input_example.json"
_EXAMPLE_INFO = {"artifact_path": _EXAMPLE, "pandas_orient": "split", "type": "dataframe"}
_SKLEARN = ("scikit-learn", "skops", "joblib", "numpy", "scipy", "pandas")
_TORCH = ("torch", "safetensors", "numpy", "pandas")
_PERCEPTRON = {"model/model.safetensors", "model/architecture.json"}
_SERIALIZED = {"model.skops": "skops", "model.joblib": None, "model.pkl": "pickle", "model.pickle": "pickle"}
"""The single files that can be loaded without artreg, and how MLflow calls each of them."""

_TYPES = {("string", "boolean"): "boolean", ("double", "integer"): "long"}
"""MLflow's types of features, by what they are to the model and in the table, where the first alone does not say."""

_LEAST_MLFLOW = "mlflow>=2.10"


def export_mlflow(registry: Registry, found: Resolved, out: Path, *, reporter: Reporter = SILENT) -> Exported:
    """Write a version into a new folder that MLflow loads.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something.
        InvalidInput: The folder cannot be named so, or the model is of a kind that only its maker can load.
        StorageError: The version cannot be read, or the folder cannot be written.
    """
    whole = find_whole(registry, found)
    files = mlflow_files(registry, whole)
    by_mlflow = _MODEL + MLMODEL in whole.origin.manifest.files
    details = {"made_by_mlflow": by_mlflow}
    notes = () if by_mlflow else _notes(whole.origin)
    claim = next(file.name for file in files if isinstance(file.source, bytes) and file.name != MLMODEL)
    marks = (claim, MLMODEL)
    editable = None if by_mlflow else _REQUIREMENTS
    return write_folder(
        whole,
        "mlflow",
        files,
        out,
        marks=marks,
        editable=editable,
        details=details,
        notes=notes,
        reporter=reporter,
    )


def require_loadable(registry: Registry, found: Resolved) -> None:
    """Return if MLflow can be told to load a version; nothing but its listing is read.

    Raises:
        InvalidInput: The model is of a kind that only its maker can load.
        IntegrityError: The listing is damaged.
    """
    _require_loadable(found, [name for name in pinned_manifest(registry, found).files if is_model_file(name)])


def _require_loadable(found: Resolved, names: Collection[str]) -> None:
    if _MODEL + MLMODEL in names:
        if len(names) == 1:
            raise InvalidInput(f"{found} holds an {MLMODEL}, and no model beside it", hint="import it again")
    elif set(names) != _PERCEPTRON and not (len(names) == 1 and set(names) <= _SERIALIZED.keys()):
        raise InvalidInput(
            f"{found} is no model that MLflow can be told to load: {', '.join(sorted(names)[:5])}",
            hint="it takes model.skops, model.joblib, model.pkl, perceptrons of artreg's, and what came from MLflow",
        )


def mlflow_files(registry: Registry, whole: Whole) -> Sequence[TreeFile]:
    """Return the files of the folder that MLflow loads.

    Raises:
        InvalidInput: The model is of a kind that only its maker can load.
        IntegrityError: A document of the version is damaged.
    """
    models = set(whole.origin.model_files)
    _require_loadable(whole.found, models)
    if _MODEL + MLMODEL in models:
        return _as_it_came(registry, whole)
    sample = read_sample(registry, whole)
    examples = [small_file(_EXAMPLE, _example(sample))] if sample.rows else []
    loader = resources.files("artreg.training").joinpath("standalone.py").read_bytes()
    return [
        small_file(_REQUIREMENTS, "".join(f"{line}\n" for line in _requirements(whole.origin, models)).encode()),
        small_file(_PYTHON_ENV, dump_portable_yaml(_python_env(whole.origin))),
        small_file(f"{_CODE}/{_LOADER}.py", loader),
        *(replace(whole.file(name), name=name.removeprefix(_MODEL)) for name in sorted(models)),
        *examples,
        small_file(MLMODEL, dump_portable_yaml(_mlmodel(whole, models, sample))),
    ]


def _as_it_came(registry: Registry, whole: Whole) -> Sequence[TreeFile]:
    """Return the files of MLflow's own folder, two of them with their bytes: `MLmodel`, and the smallest."""
    files = sorted((file for file in whole.files if file.name.startswith(_MODEL)), key=lambda file: file.size)
    read = {_MODEL + MLMODEL, next(file.name for file in files if file.name != _MODEL + MLMODEL)}
    found, manifest = whole.found, whole.origin.manifest
    return [
        small_file(
            file.name.removeprefix(_MODEL),
            read_file(registry, found.model, found.version, manifest, file.name, limit=file.size),
        )
        if file.name in read
        else replace(file, name=file.name.removeprefix(_MODEL))
        for file in files
    ]


def _notes(origin: Origin) -> tuple[str, ...]:
    models = set(origin.model_files)
    notes = {
        "the model is a pickle: loading it may run whatever is in it": models.isdisjoint({*_PERCEPTRON, "model.skops"}),
        f"nobody recorded with which packages it was made: complete {_REQUIREMENTS}": not any(
            "==" in line for line in _requirements(origin, models)
        ),
    }
    return tuple(note for note, holds in notes.items() if holds)


def _mlmodel(whole: Whole, models: set[str], sample: Sample) -> dict[str, Any]:
    origin = whole.origin
    environment = origin.axis("environment")
    python = environment.get("python")
    flavors: dict[str, Any] = {
        "python_function": {
            "code": _CODE,
            "env": {"virtualenv": _PYTHON_ENV},
            "loader_module": _LOADER,
            **({"python_version": python} if isinstance(python, str) else {}),
        }
    }
    serialized = _SERIALIZED.get(next(iter(models))) if len(models) == 1 else None
    if serialized:  # for `mlflow.sklearn.load_model`, which gives the estimator itself
        flavors["sklearn"] = {
            "code": None,
            "pickled_model": next(iter(models)),
            "serialization_format": serialized,
            **({"skops_trusted_types": list(TRUSTED)} if serialized == "skops" else {}),
        }
    return {
        "artifact_path": "model",
        "flavors": flavors,
        "metadata": {
            "artreg.model": str(origin.model),
            "artreg.version": str(origin.version),
            "artreg.digest": origin.manifest.digest,
        },
        "mlflow_version": "3.0.0",
        "model_uuid": canonical.digest(f"{origin.name} {origin.manifest.digest}".encode())[:32],
        **({"saved_input_example_info": _EXAMPLE_INFO} if sample.rows else {}),
        **({"signature": _signature(origin, sample)} if sample.columns else {}),
        "utc_time_created": str(origin.run.get("published_at", "")).replace("T", " ").rstrip("Z"),
    }


def _signature(origin: Origin, sample: Sample) -> dict[str, Any]:
    """Return what the model takes and gives, by the types that its table had."""
    types = {str(column.get("name")): str(column.get("type")) for column in entries((origin.data or {}).get("schema"))}
    kinds = (*((name, "string") for name in sample.categorical), *((name, "double") for name in sample.numeric))
    inputs = [
        {"type": _TYPES.get((kind, types.get(name, "")), kind), "name": name, "required": True} for name, kind in kinds
    ]
    shape = [-1] if origin.task == "regression" else [-1, -1]
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}


def _example(sample: Sample) -> bytes:
    return canonical.dumps({"columns": sample.columns, "data": list(sample.rows)})


def _requirements(origin: Origin, models: set[str]) -> list[str]:
    """Return what loading takes, in the versions with which the model was made where these are known."""
    installed = section(origin.axis("environment"), "packages")
    locked: dict[str, list[str]] = {}
    for package in origin.packages:
        locked.setdefault(package.name, []).append(package.version)
    lines = [_LEAST_MLFLOW]
    for name in _TORCH if models == _PERCEPTRON else _SKLEARN:
        known = [str(installed[name])] if name in installed else locked.get(name, [])
        version = known[0].partition("+")[0] if len(known) == 1 else ""  # a build such as 2.9.0+cpu is in no index
        lines.append(f"{name}=={version}" if version else name)
    return lines


def _python_env(origin: Origin) -> dict[str, Any]:
    python = origin.axis("environment").get("python")
    needs = {"build_dependencies": ["pip"], "dependencies": [f"-r {_REQUIREMENTS}"]}
    return {"python": python, **needs} if isinstance(python, str) else needs
