"""A board that pins itself wrote comes whole: the bytes, what is said of them, and what a model predicts."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import joblib
import pytest
import sklearn

import peers
from artreg.core import keys
from artreg.core.manifest import RUN
from artreg.importing.bring import Brought
from artreg.importing.naming import Naming
from artreg.importing.pins import PinsSource
from artreg.registry.handle import Registry
from artreg.registry.verify import verify
from artreg.registry.versions import find_manifest, read_run
from importing.contract import bring_all, new_registry, unwritten

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pins")


@pytest.fixture(scope="module")
def written(folder: Path) -> dict[str, Any]:
    same = f"scikit-learn=={sklearn.__version__}"
    programs = peers.environment(folder, peers.PINS, same, "pyarrow")
    for name in ("board", "work"):
        (folder / name).mkdir()
    script = Path(__file__).with_name("fill_pins.py")
    done = subprocess.run(
        [str(programs / "python"), str(script), str(folder / "board"), str(folder / "work")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def registry() -> Registry:
    return new_registry()


@pytest.fixture(scope="module")
def brought(folder: Path, written: dict[str, Any], registry: Registry) -> Brought:
    assert written
    naming = Naming("demo", {})
    with unwritten(folder / "board"):
        return bring_all(registry, PinsSource(str(folder / "board"), naming), naming)


def test_every_version_of_every_pin_comes_with_its_bytes(
    brought: Brought, written: dict[str, Any], registry: Registry
) -> None:
    assert (brought.troubles, len(brought.imported)) == ((), 8)
    assert {it.item for it in brought.imported} == set(written["pinned"])
    for arrival in brought.imported:
        manifest = find_manifest(registry, arrival.model, arrival.version)
        assert manifest is not None
        there = written["pinned"][arrival.item]
        ours = {name: sha256 for name, sha256 in manifest.files.items() if name != RUN}
        assert sorted(ours.values()) == sorted(there["files"].values())
        if len(ours) > 1:
            assert ours == {f"model/{name}": sha256 for name, sha256 in there["files"].items()}
        said = read_run(registry, arrival.model, arrival.version, manifest).run["imported"]
        meta = {key: value for key, value in there["meta"].items() if value}
        assert {key: said[key] for key in meta} == meta
    assert verify(registry, deep=True).ok


def test_versions_are_in_the_order_of_their_dates(brought: Brought) -> None:
    churn = [str(it.version) for it in brought.imported if it.model.model == "churn"]
    assert churn == ["20240501.133700.0", "20240502.133700.0", "20240503.133700.0"]
    assert {str(it.version) for it in brought.imported if it.model.model == "table-csv"} == {"20240601.5.0"}


def test_a_model_predicts_what_it_did(brought: Brought, written: dict[str, Any], registry: Registry) -> None:
    for arrival in brought.imported:
        if arrival.model.model == "churn":
            data = registry.store.read(f"{keys.version_prefix(arrival.model, arrival.version)}/model.joblib")
            model = joblib.load(io.BytesIO(data))  # this very test has had it made
            expected = written["predicted"][arrival.item.partition("/")[2]]
            assert model.predict_proba(written["questions"]).tolist() == expected
