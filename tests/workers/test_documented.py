"""The session of docs/clusters.md, on a real Dask cluster."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from docs.sessions import ROOT, blocks, environment, play, shell


@pytest.mark.cluster
def test_the_sessions_about_clusters(tmp_path: Path, dask_cluster: str) -> None:
    config = yaml.safe_load((ROOT / "configs" / "logistic.yaml").read_text())
    (tmp_path / "registry").mkdir()
    (tmp_path / "configs" / "sweep").mkdir(parents=True)
    shutil.copy(ROOT / "configs" / "artreg.yaml", tmp_path / "configs")
    for name, strength in {"weak": 0.1, "wide": 10.0}.items():
        made = {**config, "name": "churn", "model": {"C": strength, "max_iter": 1000}}
        (tmp_path / "configs" / "sweep" / f"{name}.yaml").write_text(yaml.safe_dump(made))
    assert "[exit" not in shell("artreg data churn", tmp_path, environment())
    sessions = [block.replace("tcp://scheduler:8786", dask_cluster) for block in blocks("docs/clusters.md", "console")]
    assert play(sessions, tmp_path, environment()) == 6
