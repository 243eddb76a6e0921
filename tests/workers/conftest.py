"""Workers of every kind: those of this machine, and real clusters of several processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from artreg.workers import Backend, Workers
from cli.conftest import shell  # noqa: F401  # a fixture
from workers.tasks import SESSIONS

TESTS = Path(__file__).parents[1]
LOSES = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}  # else Dask itself tries a lost task again
OTHERS = ["processes", *(pytest.param(name, marks=pytest.mark.cluster) for name in ("dask", "ray"))]


@pytest.fixture(scope="session")
def dask_cluster() -> Iterator[str]:
    """A Dask cluster of two worker processes."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "scheduler.json")
        where = ["--scheduler-file", str(told)]
        dask = [sys.executable, "-m", "dask"]
        with (
            running(
                [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *where], folder, **LOSES
            ),
            running([*dask, "worker", "--nworkers", "2", "--nthreads", "1", "--no-dashboard", *where], folder),
        ):
            wait_for(lambda: told.exists() and told.read_text().endswith("}"), folder)
            address = json.loads(told.read_text())["address"]
            wait_for(lambda: Path(folder, "log").read_text().count("Registered to") >= 2, folder)
            yield address


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """A Ray cluster with two cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        folder = tempfile.mkdtemp(prefix="r", dir="/tmp")  # the paths of its sockets must be short
        port = free_port()
        ray = str(Path(sys.executable).parent / "ray")
        command = [ray, "start", "--head", "--block", "--num-cpus=2", f"--port={port}", f"--temp-dir={folder}"]
        with running([*command, "--include-dashboard=false", "--min-worker-port=0", "--max-worker-port=0"], folder):
            wait_for(lambda: "Ray runtime started" in Path(folder, "log").read_text(), folder)
            yield f"127.0.0.1:{port}"
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["threads", *OTHERS])
def workers(request: pytest.FixtureRequest) -> Workers:
    return Workers(Backend(request.param), 2, scheduler_of(request, request.param))


@pytest.fixture(params=OTHERS)
def processes(request: pytest.FixtureRequest) -> Workers:
    """Workers that can die without those who sent them."""
    return Workers(Backend(request.param), 2, scheduler_of(request, request.param))


def scheduler_of(request: pytest.FixtureRequest, backend: str) -> str:
    return request.getfixturevalue(f"{backend}_cluster") if backend in {"dask", "ray"} else ""


@contextmanager
def running(command: list[str], folder: str, **variables: str) -> Iterator[None]:
    """Run a program in a session of its own, all of which ends with it."""
    env = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONWARNINGS": "ignore", **variables}
    with Path(folder, "log").open("ab") as log:
        child = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    SESSIONS.append(child.pid)
    try:
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def wait_for(holds: Callable[[], bool], folder: str) -> None:
    end = time.monotonic() + 300  # a machine may be busy
    while not holds():
        assert time.monotonic() < end, Path(folder, "log").read_text()
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
