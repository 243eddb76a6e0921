"""Several processes and one cache: what is pulled is right, whoever else pulls, prunes, alters or is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from artreg.consuming.cache import Cache
from artreg.consuming.keeping import prune, usage
from artreg.store.local import LocalStore
from consuming.children import holder, meddler, one_pull, puller, signalled
from consuming.conftest import MODEL
from consuming.shop import content
from faults.processes import barrier, event, finish, start, start_all
from registry.bench import Bench
from sizes import size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a registry on a disk in it."""
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    (tmp_path / "work").mkdir()
    bench = Bench(store, tmp_path / "work")
    bench.publish("1.0.0", MODEL)
    bench.promote("1.0.0")
    return tmp_path


def right(folder: Path) -> dict[str, bytes]:
    return content(folder / "registry" / "demo" / "churn" / "1.0.0")


def reports(folder: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in folder.glob("report-*.json")]


def test_what_several_want_at_once_is_fetched_once(folder: Path) -> None:
    count, together = 3, barrier(3)
    for process in start_all(count, puller, folder, 1, together, 2**30):
        assert finish(process) == 0
    assert [report["errors"] for report in reports(folder)] == [[]] * count
    total = sum(len(data) for name, data in right(folder).items() if name != "checksum.txt")
    fetched = sum(int(str(report["bytes"])) for report in reports(folder))
    assert len(MODEL) <= fetched < total + len(MODEL)
    assert all(content(folder / f"out-{number}-0") == right(folder) for number in range(count))


def test_who_prunes_and_alters_meanwhile_breaks_and_falsifies_nothing(folder: Path) -> None:
    count, times, done = 2, size(4, 16, 400), event()
    together = barrier(count + 1)
    meddling = start(meddler, folder, together, done)
    for process in start_all(count, puller, folder, times, together, 10**6):
        assert finish(process) == 0
    done.set()
    assert finish(meddling) == 0
    assert [report["errors"] for report in reports(folder)] == [[]] * count
    # What was linked shares its files with the cache, where they are altered on purpose after they were verified.
    assert len(list(folder.glob("link-*"))) == count * times // 4
    copied = list(folder.glob("out-*"))
    assert len(copied) == count * times - count * times // 4
    assert all(content(path) == right(folder) for path in copied)


def test_a_pull_that_was_killed_is_gone_on_with(folder: Path) -> None:
    assert finish(start(signalled, folder, "doomed", 8, signal.SIGKILL)) == -signal.SIGKILL
    assert not (folder / "doomed").exists()
    (partial,) = [path for path in (folder / "cache" / "partial").iterdir() if path.stat().st_size > 100_000]
    come = partial.stat().st_size
    again = one_pull(folder, "again")
    assert content(folder / "again") == right(folder)
    assert come in again.starts
    assert again.bytes <= sum(map(len, right(folder).values())) - come
    assert usage(Cache(str(folder / "cache"))).partial == 0


def test_a_peer_that_makes_no_progress_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = start(signalled, folder, "stuck", 8, signal.SIGSTOP)
    while state_of(stuck.pid) != "T":
        assert stuck.is_alive(), "it ended before it was stopped"
        time.sleep(0.01)
    monkeypatch.setattr("artreg.consuming.filling._PATIENCE", 0.1)
    try:
        one_pull(folder, "own")
        assert content(folder / "own") == right(folder)
        prune(Cache(str(folder / "cache")), 0)
    finally:
        os.kill(stuck.pid, signal.SIGCONT)
        code = finish(stuck)
    assert code == 0
    assert content(folder / "stuck") == right(folder)


def state_of(pid: int) -> str:
    """Return the kernel's letter for the state of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_the_lease_of_who_was_killed_does_not_last(folder: Path) -> None:
    one_pull(folder, "out")
    cache, taken = Cache(str(folder / "cache")), event()
    sha256 = max(cache.entries(), key=lambda entry: entry.size).sha256
    holding = start(holder, folder, sha256, taken)
    try:
        taken.wait()
        assert prune(cache, 0).in_use == 1
    finally:
        holding.kill()
        finish(holding)
    assert prune(cache, 0).files == 1
    assert os.listdir(folder / "cache" / "leases") == []
