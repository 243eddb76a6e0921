"""What is exported is read by the tools that it is for: skopeo, a registry and oras, mlcroissant, skops."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

import peers

pytestmark = pytest.mark.peers

ARTREG = Path(sys.executable).with_name("artreg")
SKOPEO = shutil.which("skopeo") or "skopeo"
OCI_REGISTRY = shutil.which("docker-registry") or "docker-registry"
NPM = shutil.which("npm") or "npm"


def run(*words: str | Path, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | variables,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with churn trained, its data kept, and a table that scikit-learn brings along."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "registry").mkdir()
    (folder / "churn.yaml").write_text("data: {path: churn.csv, id_column: customer_id, target: churned}\n")
    (folder / "diabetes.yaml").write_text(
        "name: diabetes\ntrainer: ridge\ncross_validation: {folds: 3}\n"
        "data: {path: 'sklearn:diabetes', id_column: sample_id, target: progression, task: regression}\n"
    )
    run(ARTREG, "data", "churn", "--customers", "500", "--out", "churn.csv", folder=folder)
    for config in ("churn.yaml", "diabetes.yaml"):
        run(ARTREG, "train", "-c", config, "-r", "registry", folder=folder)
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return peers.environment(tmp_path_factory.mktemp("peers"), peers.MLCROISSANT, peers.ORAS)


@pytest.fixture(scope="module")
def layout(project: Path) -> Path:
    run(ARTREG, "export", "churn@1.0.0", "--to", "oci", "-o", "layout", "-r", "registry", folder=project)
    return project / "layout"


@pytest.fixture(scope="module")
def oci_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An OCI registry on loopback."""
    folder = tmp_path_factory.mktemp("oci")

    def command(port: int) -> list[str]:
        storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
        config = {"version": 0.1, "log": {"level": "error"}, "storage": storage}
        (folder / "config.yml").write_text(json.dumps({**config, "http": {"addr": f"127.0.0.1:{port}"}}))
        return [OCI_REGISTRY, "serve", str(folder / "config.yml")]

    with peers.serving(command, "/v2/", folder) as url:
        yield url.removeprefix("http://")


def manifest(layout: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(SKOPEO, "inspect", "--raw", f"oci:{layout}:1.0.0", folder=layout.parent))
    return found


def schema_errors(schemas: Path, name: str, document: object) -> list[str]:
    """Return what the OCI's own schema of a document finds wrong in one."""
    from jsonschema import Draft4Validator  # it takes seconds, which most runs can do without
    from referencing import Registry
    from referencing.jsonschema import DRAFT4

    def plain(part: dict[str, Any]) -> dict[str, Any]:
        """Drop an id, by which what lies in other files could not be found."""
        return {key: value for key, value in part.items() if key != "id" or not isinstance(value, str)}

    read = {path.name: json.loads(path.read_bytes(), object_hook=plain) for path in schemas.glob("*.json")}
    known: Any = Registry().with_resources((file, DRAFT4.create_resource(schema)) for file, schema in read.items())
    return [
        error.message for error in Draft4Validator(read[f"{name}-schema.json"], registry=known).iter_errors(document)
    ]


def test_the_layout_is_by_the_schemas_of_the_book(layout: Path, tmp_path: Path) -> None:
    (found,) = peers.unpacked(tmp_path, peers.OCI_SCHEMAS).glob("usr/**/image-manifest-schema.json")
    documents = {
        "image-layout": json.loads((layout / "oci-layout").read_bytes()),
        "image-index": json.loads((layout / "index.json").read_bytes()),
        "image-manifest": manifest(layout),
    }
    assert {name: schema_errors(found.parent, name, document) for name, document in documents.items()} == {
        name: [] for name in documents
    }
    documents["image-manifest"]["layers"][0]["digest"] = "none"
    documents["image-index"]["manifests"][0].pop("size")
    documents["image-layout"]["imageLayoutVersion"] = "9.9.9"
    assert all(schema_errors(found.parent, name, document) for name, document in documents.items())


def test_skopeo_reads_and_copies_the_layout(layout: Path, tmp_path: Path) -> None:
    found = manifest(layout)
    assert found["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    run(SKOPEO, "copy", f"oci:{layout}:1.0.0", f"oci:{tmp_path}/copy:again", folder=tmp_path)
    run(SKOPEO, "copy", f"oci:{layout}:1.0.0", f"dir:{tmp_path}/dir", folder=tmp_path)
    blobs = {path.name: path.read_bytes() for path in (layout / "blobs/sha256").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy/blobs/sha256").iterdir()} == blobs
    assert json.loads((tmp_path / "dir/manifest.json").read_bytes()) == found


def test_oras_pulls_from_a_registry_what_artreg_published(
    layout: Path, oci_registry: str, programs: Path, project: Path, tmp_path: Path
) -> None:
    there = f"{oci_registry}/demo/churn:1.0.0"
    run(SKOPEO, "copy", "--dest-tls-verify=false", f"oci:{layout}:1.0.0", f"docker://{there}", folder=tmp_path)
    code = f"import oras.client as c; c.OrasClient(insecure=True, tls_verify=False).pull('{there}', outdir='pulled')"
    run(programs / "python", "-c", code, folder=tmp_path)
    run("sha256sum", "-c", "--strict", "checksum.txt", folder=tmp_path / "pulled")
    version = project / "registry/demo/churn/1.0.0"
    assert {path.name for path in (tmp_path / "pulled").iterdir()} == {path.name for path in version.iterdir()}
    pushed = run(SKOPEO, "inspect", "--raw", "--tls-verify=false", f"docker://{there}", folder=tmp_path)
    assert json.loads(pushed) == manifest(layout)


@pytest.mark.parametrize(("model", "rows"), [("churn", 500), ("diabetes", 442)])
def test_croissant_is_valid_and_reads_the_rows(project: Path, programs: Path, model: str, rows: int) -> None:
    out = project / f"{model}.json"
    run(ARTREG, "export", f"{model}@1.0.0", "--to", "croissant", "-o", out, "-r", "registry", folder=project)
    run(programs / "mlcroissant", "validate", "--jsonld", out, folder=project)
    code = (
        "import sys, mlcroissant as m; d = m.Dataset(jsonld=sys.argv[1]); "
        "print(len(list(d.records('rows'))), [r['splits/rows'] for r in d.records('splits')])"
    )
    told = run(programs / "python", "-c", code, out, folder=project).split(maxsplit=1)
    assert int(told[0]) == rows
    assert sum(json.loads(told[1])) == rows


def test_croissant_with_other_bytes_is_refused(project: Path, programs: Path, tmp_path: Path) -> None:
    document = json.loads(run(ARTREG, "export", "churn@1.0.0", "--to", "croissant", "-r", "registry", folder=project))
    shutil.copy(project / "churn.csv", tmp_path / "churn.csv")
    with (tmp_path / "churn.csv").open("a") as file:
        file.write("x")
    document["distribution"][0]["contentUrl"] = "churn.csv"
    (tmp_path / "it.json").write_text(json.dumps(document))
    code = "import mlcroissant as m; list(m.Dataset(jsonld='it.json').records('rows'))"
    done = subprocess.run([programs / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def test_the_hub_knows_what_the_card_names(project: Path, tmp_path: Path) -> None:
    run(NPM, "install", "--silent", "--no-audit", "--no-fund", peers.HUGGINGFACE_TASKS, folder=tmp_path)
    code = (
        "const t = require('@huggingface/tasks'); console.log(JSON.stringify({tasks: t.PIPELINE_TYPES, "
        "libraries: t.ALL_MODEL_LIBRARY_KEYS}))"
    )
    known = json.loads(run("node", "-e", code, folder=tmp_path))
    for model in ("churn", "diabetes"):
        run(
            ARTREG,
            "export",
            f"{model}@1.0.0",
            "--to",
            "huggingface",
            "-o",
            tmp_path / model,
            "-r",
            "registry",
            folder=project,
        )
        card = ModelCard.load(tmp_path / model / "README.md")
        assert card.data.pipeline_tag in known["tasks"]
        assert card.data.library_name in known["libraries"]
        assert {result.task_type for result in card.data.eval_results} == {card.data.pipeline_tag}


def test_skops_loads_the_repository_by_its_config(project: Path, tmp_path: Path) -> None:
    run(
        ARTREG,
        "export",
        "churn@1.0.0",
        "--to",
        "huggingface",
        "-o",
        tmp_path / "repo",
        "-r",
        "registry",
        folder=project,
    )
    code = (
        "import json, pandas as pd, skops.io as sio; c = json.load(open('config.json'))['sklearn']; "
        "f = c['model']['file']; "
        "m = sio.load(f, trusted=sio.get_untrusted_types(file=f)); "
        "x = pd.DataFrame(c['example_input'], columns=c['columns']); print(len(m.predict(x)))"
    )
    assert run(sys.executable, "-c", code, folder=tmp_path / "repo").strip() == "3"
