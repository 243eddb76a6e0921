"""A real MLflow, moved in and out again: nothing is lost, nothing is written there, and predictions are equal."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import artreg
import peers
from docs.sessions import environment, read
from importing.contract import state
from peers import ROOT

pytestmark = pytest.mark.peers

MODELS, VERSIONS = ("churn", "fraud", "Delivery Times"), 20
EXPORTED = (1, 4, 20)
PEER = Path(__file__).parent / "mlflow_peer.py"
POLICY = "aliases:\n" + "".join(f"  {name}: {{}}\n" for name in ("champion", "challenger", "staging", "prod"))


@dataclass(frozen=True)
class Place:
    """An MLflow that was filled: where it is, what its API says of it, and the folder in which it lies."""

    location: str
    told: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with MLflow, and with the libraries of the models as they are here."""
    same = [f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "numpy", "pandas")]
    return peers.environment(tmp_path_factory.mktemp("mlflow"), peers.MLFLOW, *same)


def asked(beside: Path, folder: Path, *words: str) -> None:
    """Have MLflow's own API do something."""
    variables = {**quiet(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([str(beside / "python"), str(PEER), *words], cwd=folder, env=variables, check=True)


def quiet() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "MLFLOW_"))}
    return {**kept, "MLFLOW_LOGGING_LEVEL": "ERROR", "GIT_PYTHON_REFRESH": "quiet", "PYTHONWARNINGS": "ignore"}


@contextmanager
def serving(beside: Path, folder: Path) -> Iterator[str]:
    """Run a tracking server on SQLite in a folder."""
    program = [str(beside / "mlflow"), "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    program += ["--artifacts-destination", f"{folder}/artifacts"]
    with peers.serving(lambda port: [*program, *peers.mlflow_at(port)], "/health", folder, quiet()) as url:
        yield url


@pytest.fixture(scope="module")
def files(beside: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A file store."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "mlruns").mkdir()
    return Place(str(folder / "mlruns"), filled(beside, folder, (folder / "mlruns").as_uri()), folder / "mlruns")


@pytest.fixture(scope="module")
def server(beside: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A tracking server on SQLite: the files of two models lie on its disk, those of the third it passes on."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "artifacts").mkdir()
    told = filled(beside, folder / "artifacts", f"sqlite:///{folder}/mlflow.db", MODELS[:2])
    with serving(beside, folder) as url:
        told |= filled(beside, folder, url, MODELS[2:])
        yield Place(url, told, folder / "artifacts")


def filled(
    beside: Path, folder: Path, uri: str, models: tuple[str, ...] = MODELS, versions: int = VERSIONS
) -> dict[str, Any]:
    """Have MLflow's API fill a store, and return what it says of it then."""
    told = folder.parent / f"{folder.name}.told"
    asked(beside, folder, "fill", uri, ",".join(models), str(versions), str(told))
    document: dict[str, Any] = json.loads(told.read_bytes())
    return document


def typed(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """Type a command of artreg's, and return its document."""
    variables = {**quiet(), "ARTREG_CACHE": "off", "ARTREG_REGISTRY": str(folder / "registry")}
    command = [sys.executable, "-m", "artreg", *words, "--json"]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A folder with an empty registry, and a policy that knows the aliases."""
    (tmp_path / "registry").mkdir()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/policy.yaml").write_text(POLICY)
    return tmp_path


@pytest.mark.parametrize("kind", ["files", "server"])
def test_a_real_mlflow_moves_in_and_out_again(
    kind: str, beside: Path, ours: Path, request: pytest.FixtureRequest
) -> None:
    place: Place = request.getfixturevalue(kind)
    before = state(place.folder)
    dry = typed(ours, "import", "mlflow", place.location, "--dry-run")
    assert len(dry["imported"]) == len(MODELS) * VERSIONS
    assert not any((ours / "registry").iterdir())
    killed_twice(place, ours)
    done = typed(ours, "import", "mlflow", place.location)
    assert done["troubles"] == []
    assert len(done["imported"]) + len(done["present"]) == len(MODELS) * VERSIONS
    assert len(done["present"]) > 0
    for name, told in place.told.items():
        compare(ours, name, told)
    assert typed(ours, "verify", "--deep")["ok"]
    again = typed(ours, "import", "mlflow", place.location)
    assert (again["imported"], len(again["present"])) == ([], len(MODELS) * VERSIONS)
    assert state(place.folder) == before
    exported(place, beside, ours)


KILLED = """
import os, signal, sys
from pathlib import Path
from artreg.cli.main import main

def hook(event, arguments):
    if event == "os.mkdir" and len(list(Path("registry").glob("*/*/*/checksum.txt"))) >= int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
main(sys.argv[2:])
"""
"""A command that dies where it makes a folder, once so many versions are there."""


def killed_twice(place: Place, ours: Path) -> None:
    """Import, and be killed when some versions are there."""
    variables = {**quiet(), "ARTREG_CACHE": "off", "ARTREG_REGISTRY": str(ours / "registry")}
    for wanted in (3, 11):
        words = [sys.executable, "-c", KILLED, str(wanted), "import", "mlflow", place.location]
        done = subprocess.run(words, cwd=ours, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        there = len(list((ours / "registry").glob("*/*/*/checksum.txt")))
        assert wanted <= there < len(MODELS) * VERSIONS


def compare(ours: Path, name: str, told: dict[str, Any]) -> None:
    """See that everything that MLflow's API says of a registered model stands in the registry."""
    model = name.lower().replace(" ", "-")
    folder = ours / "registry" / "demo" / model
    assert {it.name for it in folder.iterdir() if it.name[0].isdigit()} == {f"{it}.0.0" for it in told["versions"]}
    for alias, number in {**told["aliases"], "prod": VERSIONS, "staging": VERSIONS - 1}.items():
        assert typed(ours, "resolve", f"{model}@{alias.lower()}")["version"] == f"{number}.0.0"
    for number, said in told["versions"].items():
        here = folder / f"{number}.0.0"
        listed = dict(reversed(line.split("  ", 1)) for line in (here / "checksum.txt").read_text().splitlines())
        assert {it.removeprefix("model/"): digest for it, digest in listed.items() if it[:6] == "model/"} == said[
            "files"
        ]
        imported = json.loads((here / "run.json").read_bytes())["imported"]
        run = imported["run"]
        metrics = {key: float(value) for key, value in said["metrics"].items()}
        finite = {key: value for key, value in metrics.items() if math.isfinite(value)}
        assert json.loads((here / "metrics.json").read_bytes()) == finite
        assert {key: str(float(it["value"])) for key, it in run["metrics"].items()} == said["metrics"]
        history = json.loads((here / "metrics_history.json").read_bytes())["auc"]["points"]
        assert {(it["value"], it["step"]) for it in history} == {(value, step) for value, step, _ in said["history"]}
        assert (run["params"], run["tags"], run["run_id"]) == (said["params"], said["run_tags"], said["run_id"])
        assert run["git_commit"] == f"{int(number):040x}"
        assert (imported["tags"], imported["description"]) == (said["tags"], said["description"])
        assert (imported["stage"], imported["version"]) == (said["stage"], number)
        assert imported["registered_model"]["description"] == told["description"]
        assert imported["registered_model"]["tags"] == told["tags"]
        assert imported["signature"]["inputs"][0]["tensor-spec"]["dtype"] == "float64"


def exported(place: Place, beside: Path, ours: Path) -> None:
    """Export versions, and see that MLflow predicts by them what it did before."""
    before: dict[str, Any] = {}
    for name, told in place.told.items():
        model = name.lower().replace(" ", "-")
        for number in EXPORTED:
            out = ours / f"{model}-{number}"
            typed(ours, "export", f"{model}@{number}.0.0", "--to", "mlflow", "--out", str(out))
            before[str(out)] = told["versions"][str(number)]["predicted"]
    asked(beside, ours, "predict", str(ours / "after"), *before)
    assert json.loads((ours / "after").read_bytes()) == before


def test_what_artreg_trained_predicts_the_same_in_mlflow(beside: Path, ours: Path) -> None:
    import pandas as pd

    from artreg.training.churn import write_churn

    write_churn(ours / "data/churn.csv", 300)
    for name in ("default", "diabetes"):
        (ours / f"configs/{name}.yaml").write_text((ROOT / f"configs/{name}.yaml").read_text())
    (ours / "configs/joblib.yaml").write_text(
        (ROOT / "configs/logistic.yaml").read_text().replace("churn-logistic", "pickled") + "format: joblib\n"
    )
    frame = pd.read_csv(ours / "data/churn.csv")
    frame.assign(letters=frame.index % 3 == 0).to_csv(
        ours / "data/letters.csv", index=False
    )  # true and false, no texts
    (ours / "configs/letters.yaml").write_text(
        (ROOT / "configs/logistic.yaml")
        .read_text()
        .replace("churn-logistic", "letters")
        .replace("churn.csv", "letters.csv")
    )
    expected: dict[str, Any] = {}
    registry = artreg.open(ours / "registry")
    for name in ("default", "diabetes", "joblib", "letters"):
        made = typed(ours, "train", "--config", f"configs/{name}.yaml")
        reference = f"{made['project']}/{made['model']}@{made['version']}"
        out = ours / name
        typed(ours, "export", reference, "--to", "mlflow", "--out", str(out))
        sample = json.loads((Path(made["path"]) / "sample.json").read_bytes())
        (ours / f"{name}.sample.json").write_text(json.dumps(sample))
        rows = pd.DataFrame(sample["rows"], columns=[*sample["categorical"], *sample["numeric"]])
        expected[str(out)] = registry.load(reference, trust="this registry").predict(rows).tolist()
    asked(beside, ours, "predict", str(ours / "after"), *expected)
    assert json.loads((ours / "after").read_bytes()) == expected


ASK = """
import json, sys
import mlflow, numpy as np
from mlflow import MlflowClient
client = MlflowClient()
version = client.get_model_version_by_alias("moved", "prod")
run = client.get_run(version.run_id)
model = mlflow.pyfunc.load_model("models:/moved@prod")
versions = client.search_model_versions("name='moved'")
print(json.dumps([len(versions), version.tags, run.data.metrics, run.data.params, run.info.status,
                  model.predict(np.zeros((2, 3))).tolist()]))
"""


def test_a_version_is_registered_at_a_real_server(beside: Path, server: Place, ours: Path) -> None:
    typed(ours, "import", "mlflow", server.location, "--only", "churn")
    words = ("export", "churn@prod", "--to", "mlflow", "--tracking-uri", server.location, "--registered-name", "moved")
    first = typed(ours, *words)
    again = typed(ours, *words)
    assert (first["registered"]["created"], again["registered"]["created"]) == (True, False)
    assert first["registered"]["version"] == again["registered"]["version"] == "1"
    variables = {**quiet(), "MLFLOW_TRACKING_URI": server.location}
    done = subprocess.run([str(beside / "python"), "-c", ASK], env=variables, cwd=ours, capture_output=True, check=True)
    count, tags, metrics, params, status, predicted = json.loads(done.stdout.splitlines()[-1])
    assert (count, status, len(predicted)) == (1, "FINISHED", 2)
    assert tags == {
        "validated": "no",
        "artreg.model": "demo/churn",
        "artreg.version": "20.0.0",
        "artreg.digest": first["digest"],
    }
    said = server.told["churn"]["versions"]["20"]
    assert metrics == {key: float(value) for key, value in said["metrics"].items()}
    assert params == said["params"]


def test_the_page_about_moving_over(beside: Path, tmp_path: Path) -> None:
    (tmp_path / "mlruns").mkdir()
    filled(beside, tmp_path, (tmp_path / "mlruns").as_uri(), MODELS[:2], 2)
    path = f"{beside}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    quietly = {"MLFLOW_LOGGING_LEVEL": "ERROR", "GIT_PYTHON_REFRESH": "quiet", "PYTHONWARNINGS": "ignore"}
    assert read("docs/howto/from-mlflow.md", tmp_path, environment(PATH=path, **quietly)) >= 12
