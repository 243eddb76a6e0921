"""The examples do what they say."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_split_keeps_what_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "examples" / "check_split.py"), run_name="__main__")
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[0] == lines[2].split()[0] == "0"
    assert int(lines[3].split()[0].replace(",", "")) > 1000


@pytest.mark.slow
def test_a_project_with_a_trainer_of_its_own(tmp_path: Path) -> None:
    project = shutil.copytree(ROOT / "examples" / "own_trainer", tmp_path / "own_trainer")
    root = tmp_path / "registry"
    root.mkdir()
    done = subprocess.run(
        [sys.executable, "use.py", str(root)], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("iris@1.0.0 has 3 classes\n")
    config = (root / "flowers" / "iris" / "1.0.0" / "config.yaml").read_text()
    assert "shrinkage: 0.1" in config
