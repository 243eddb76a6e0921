"""Environments of other tools, for the tests that are marked `peers`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


def mlflow_at(port: int) -> list[str]:
    """Return the words that let a tracking server answer at a port."""
    return ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]


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


@contextmanager
def serving(
    command: Callable[[int], list[str]], health: str, folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server on loopback until the end, and give its address as soon as it answers.

    Args:
        command: How it is run on a port.
        health: The path that it answers when it is ready.
        folder: Where it runs and logs to.
        variables: Its environment, unless it is ours.
    """
    log = folder / "server.log"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("ab") as said:
        server = subprocess.Popen(
            command(port), stdout=said, stderr=said, cwd=folder, env=variables, start_new_session=True
        )
    try:
        end = time.monotonic() + 600  # a machine may be busy
        while not _answers(f"{url}{health}"):
            assert server.poll() is None, f"it has ended: {log.read_text()}"
            assert time.monotonic() < end, f"it does not answer: {log.read_text()}"
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False
