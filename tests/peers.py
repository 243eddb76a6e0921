"""Environments of other tools, for the tests that are marked `peers`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")

MLFLOW = "mlflow>=3.17,<4"
MLCROISSANT = "mlcroissant>=1.1,<2"
ORAS = "oras>=0.2.43,<0.3"
HUGGINGFACE_TASKS = "@huggingface/tasks@0.21"  # of npm
GTO = "gto>=1.10,<2"
DVC = "dvc>=3.67,<4"
PINS = "pins>=0.9,<1"
STANDARD_WEBHOOKS = "standardwebhooks>=1.1,<2"


def environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment in a folder, and return where its programs lie."""
    beside = folder / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(beside)], check=True)
    python = str(beside / "bin" / "python")
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return beside / "bin"
