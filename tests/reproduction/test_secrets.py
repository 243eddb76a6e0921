"""No secret that stands in the environment, in a URL or in the git remote gets into any file of a version."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reproduction.conftest import CONFIG, Project

ROOT = Path(__file__).parents[2]
# What stands on the command line is tested in tests/training/test_redact.py and test_run.py.
KINDS = (
    "aws-key",
    "github-token",
    "remote-password",
    "container-password",
    "conda-token",
    "index-password",
    "pip-password",
    "proxy-password",
    "other-remote",
    "mlflow-password",
    "warning-url",
    "actor-unrelated",
)


def canary(kind: str) -> str:
    return f"CANARY{KINDS.index(kind):02d}{kind.replace('-', '')}"


TRAINER = f"""
import warnings
from pydantic import BaseModel
from sklearn.dummy import DummyClassifier

class Params(BaseModel):
    pass

def fit(data, params: Params, seed: int):
    warnings.warn("could not reach https://me:{canary("warning-url")}@example.org/telemetry?key={canary("warning-url")}")
    return DummyClassifier().fit(data.features, data.target)
"""


@pytest.fixture
def planted(project: Project, tmp_path: Path) -> Project:
    made = Project(tmp_path / "planted")
    shutil.copytree(project.folder, made.folder, ignore=shutil.ignore_patterns("registry"))
    (made.folder / "registry").mkdir()
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, made.folder)
    (made.folder / "noisy.py").write_text(TRAINER)
    config = CONFIG.replace("trainer: logistic_regression", "trainer: {kind: 'noisy:fit'}").partition("model:")[0]
    (made.folder / "configs" / "default.yaml").write_text(config)
    made.git("remote", "add", "origin", f"https://me:{canary('remote-password')}@git.example.org/churn.git")
    made.git("remote", "add", "upstream", f"https://{canary('other-remote')}@git.example.org/churn.git")
    meta = made.folder / "conda" / "conda-meta"
    meta.mkdir(parents=True)
    url = f"https://conda.example.org/t/{canary('conda-token')}/linux-64/a-1-0.conda"
    (meta / "a.json").write_text(json.dumps({"url": url, "md5": "1" * 32}))
    return made


def contents(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def test_none_of_many_kinds_is_found_in_any_file(planted: Project) -> None:
    ran = planted.here(
        "train",
        "--actor",
        "ada",
        AWS_SECRET_ACCESS_KEY=canary("aws-key"),
        GITHUB_TOKEN=canary("github-token"),
        ARTREG_CONTAINER_IMAGE=f"me:{canary('container-password')}@registry.example.org/image@sha256:{'0' * 64}",
        CONDA_PREFIX=str(planted.folder / "conda"),
        UV_INDEX_URL=f"https://me:{canary('index-password')}@index.example.org/simple",
        PIP_INDEX_URL=f"https://me:{canary('pip-password')}@index.example.org/simple",
        HTTPS_PROXY=f"http://me:{canary('proxy-password')}@proxy.example.org:3128",
        MLFLOW_TRACKING_URI=f"http://me:{canary('mlflow-password')}@127.0.0.1:9",
        LC_IDENTIFICATION=canary("actor-unrelated"),
    )
    assert ran.code == 0, ran.out + ran.err
    files = [path for path in (planted.folder / "registry").rglob("*") if path.is_file() and not path.is_symlink()]
    names = {path.name for path in files}
    assert {"run.json", "conda-explicit.txt", "requirements.txt", "uv.lock", "model.skops"} <= names
    found = [
        (path.name, kind)
        for path in files
        for kind in KINDS
        for data in contents(path)
        if canary(kind).encode() in data
    ]
    assert found == []
    run = json.loads(next(path for path in files if path.name == "run.json").read_bytes())
    assert run["axes"]["code"]["remote"] == "https://git.example.org/churn.git"
    assert run["axes"]["environment"]["container_image"] == f"registry.example.org/image@sha256:{'0' * 64}"
    assert any("https://example.org/telemetry" in warning for warning in run["warnings"])
    assert not any(canary(kind) in ran.out + ran.err for kind in KINDS)
