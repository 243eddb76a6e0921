"""The very same commands on real clusters, whose workers are killed meanwhile: the same results."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from artreg.store.local import LocalStore
from artreg.training.churn import write_churn
from artreg.workers import Backend
from cli.conftest import Shell
from workers.conftest import scheduler_of
from workers.tasks import SESSIONS

pytestmark = pytest.mark.cluster
CONFIG = """
project: demo
name: churn
trainer: logistic_regression
data: {{path: data/small.csv, id_column: customer_id, target: churned, salt: s}}
model: {{C: {strength}}}
"""
WORKER = {Backend.DASK: "multiprocessing.spawn", Backend.RAY: "ray::PoolActor"}
SIZE = 8 * 2**20


@pytest.fixture(params=["dask", "ray"])
def cluster(request: pytest.FixtureRequest) -> list[str]:
    return ["--backend", request.param, "--scheduler", scheduler_of(request, request.param)]


def workers_of(cluster: list[str]) -> list[int]:
    """Return the processes of a cluster's workers."""
    wanted = WORKER[Backend(cluster[1])]
    found = []
    for process in (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()):
        command = read(process, "cmdline").replace("\0", " ")
        if wanted in command and "resource_tracker" not in command and session_of(process) in SESSIONS:
            found.append(process)
    return found


def session_of(process: int) -> int:
    try:
        return os.getsid(process)
    except ProcessLookupError:
        return 0


def read(process: int, name: str) -> str:
    """Return what the kernel says of a process; '' if it is gone."""
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        return ""


def trains(process: int) -> bool:
    """Whether a worker has begun an interpreter that trains."""
    threads = [name.name for name in Path(f"/proc/{process}/task").glob("*")]  # each knows its own children
    children = [child for thread in threads for child in read(process, f"task/{thread}/children").split()]
    return any("artreg.training.apart" in read(int(child), "cmdline") for child in children)


@contextmanager
def killing(
    cluster: list[str], every: float, times: int, when: Callable[[int], bool] = lambda process: True
) -> Iterator[list[int]]:
    """Kill a worker of the cluster now and then, but fewer than would make artreg give up."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not over.wait(every) and len(killed) < times:
            for process in filter(when, sorted(set(workers_of(cluster)) - set(killed))):
                with suppress(ProcessLookupError):  # it may just have ended by itself
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                    break

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_verification(shell: Shell, cluster: list[str]) -> None:
    made = shell.made()
    for number in range(24):
        (made / "model.bin").write_bytes(os.urandom(16) * (SIZE // 16))
        assert shell.run("publish", str(made), "-m", "churn", "--version", f"{number}.0.0").code == 0
    damaged = shell.folder / "registry/demo/churn/7.0.0/model.bin"
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    alone = shell.run("verify", "--all", "--json")
    assert alone.code == 4
    shared = shell.run("verify", "--all", "--json", *cluster)
    assert shared.out == alone.out
    with killing(cluster, every=0.4, times=2) as killed:
        for _ in range(20):
            shared = shell.run("verify", "--all", "--json", *cluster)
            assert (shared.code, shared.out) == (alone.code, alone.out)
            if killed:
                break
    assert killed


def test_training(shell: Shell, cluster: list[str]) -> None:
    write_churn(shell.folder / "data" / "small.csv", 300)
    (shell.folder / "sweep").mkdir()
    (shell.folder / "alone").mkdir()
    for number, strength in enumerate(("1.0", "0.1", "0.01")):
        (shell.folder / "sweep" / f"{number}.yaml").write_text(CONFIG.format(strength=strength))
    assert shell.run("train", "--config", "sweep/*.yaml", "-r", "alone").code == 0
    with killing(cluster, every=0.1, times=2, when=trains) as killed:
        ran = shell.run("train", "--config", "sweep/*.yaml", "--json", *cluster)
    assert ran.code == 0, ran.err
    assert [run["version"] for run in ran.json["runs"]] == ["1.0.0", "1.0.1", "1.0.2"]
    assert killed
    stores = [LocalStore(shell.folder / root) for root in ("registry", "alone")]
    for number in range(3):
        first, second = (store.read(f"demo/churn/1.0.{number}/model.skops") for store in stores)
        assert first == second
    records = [json.loads(stores[0].read(f"demo/churn/1.0.{number}/run.json")) for number in range(3)]
    assert [record["axes"]["config"]["document"]["model"]["C"] for record in records] == [1.0, 0.1, 0.01]
