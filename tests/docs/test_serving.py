"""The example of a service that goes by a lock: what its Dockerfile runs is run, and what it serves is served."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving"
BIN = Path(sys.executable).parent


def dockerfile() -> str:
    """The Dockerfile, a command a line."""
    return (EXAMPLE / "Dockerfile").read_text().replace("\\\n", " ")


def shell(command: str, folder: Path, **more: str) -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ARTREG_")}
    variables |= {"PATH": f"{BIN}:{os.environ['PATH']}", **more}
    done = subprocess.run(command, shell=True, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([BIN / "hadolint", EXAMPLE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_lock_is_all_that_goes_into_the_build_of_the_models() -> None:
    stage = dockerfile().split("\nFROM ")[1]
    before, sync, _ = re.split(r"^(RUN [^\n]*artreg sync[^\n]*)$", stage, flags=re.MULTILINE)
    assert "--mount=type=secret" in sync
    assert re.findall(r"^COPY (.*)$", before, re.MULTILINE) == ["artreg-*.whl /tmp/", "artreg.lock ./"]


@pytest.mark.slow  # it imports scikit-learn twice
def test_what_the_dockerfile_brings_is_served(tmp_path: Path) -> None:
    for name in ("made", "registry", "build"):
        (tmp_path / name).mkdir()
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "made" / "model.skops")
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    shell("artreg publish made --model churn --version 1.0.0", tmp_path)
    shell("artreg promote churn 1.0.0 --to staging && artreg promote churn 1.0.0 --to prod", tmp_path)
    shell("artreg lock churn@prod --registry ../registry", tmp_path / "build")
    (sync,) = re.findall(r"artreg sync.*", dockerfile())
    shell(sync.replace("/models", "models"), tmp_path / "build")
    (check,) = re.findall(r'HEALTHCHECK CMD \["sh", "-c", "(.*)"\]', dockerfile())
    shell(check.replace("/models", "models"), tmp_path / "build")
    model = str(tmp_path / "build/models/demo/churn@prod/model.skops")
    (printed,) = shell(f"echo '[0.9]' | python {EXAMPLE}/score.py", tmp_path, MODEL=model).splitlines()
    assert sum(json.loads(printed)) == pytest.approx(1)
