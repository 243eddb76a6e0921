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
OCI_SCHEMAS = "golang-github-opencontainers-image-spec-dev"  # of Debian


def environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment in a folder, and return where its programs lie."""
    beside = folder / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(beside)], check=True)
    python = str(beside / "bin" / "python")
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return beside / "bin"


def unpacked(folder: Path, package: str) -> Path:
    """Fetch a package of Debian and unpack it into a folder, without installing it or what it needs."""
    fetch = ["apt-get", "download", "-qq", package]
    if subprocess.run(fetch, cwd=folder, check=False, capture_output=True).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(fetch, cwd=folder, check=True)
    (file,) = folder.glob("*.deb")
    subprocess.run(["dpkg", "-x", file.name, "."], cwd=folder, check=True)
    return folder
