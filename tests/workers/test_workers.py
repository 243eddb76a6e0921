"""Work shared out: the same results from whoever does it, and whoever dies meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from artreg import workers as module
from artreg.errors import InvalidInput, NotFound, StorageError
from artreg.store.memory import MemoryStore
from artreg.workers import ALONE, Backend, Workers, collect, share_out
from sizes import size
from workers.conftest import free_port, scheduler_of
from workers.tasks import DieOnce, Opened, die, fail_on_three, process, square

NUMBERS = list(range(40))

# loky may look for a task that was broken off just before (joblib 1.6): its thread dies of that, and nothing else does.
broken_off = pytest.mark.filterwarnings("ignore:Exception in thread ExecutorManagerThread")


def test_each_item_is_done_once(workers: Workers) -> None:
    assert sorted(share_out(workers, square, NUMBERS)) == [(number, number * number) for number in NUMBERS]


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    assert collect(workers, square, NUMBERS) == [number * number for number in NUMBERS]


@broken_off
def test_what_a_task_raises_arrives_whole_and_stops_no_other(workers: Workers) -> None:
    found = dict(share_out(workers, fail_on_three, NUMBERS))
    error = found.pop(3)
    assert isinstance(error, NotFound)
    assert (error.message, error.hint, error.details) == ("there is no three", "take four", {"number": 3})
    assert found == {number: number for number in NUMBERS if number != 3}
    with pytest.raises(NotFound, match="there is no three"):
        collect(workers, fail_on_three, NUMBERS)


def test_a_worker_that_dies_changes_nothing(processes: Workers, tmp_path: Path) -> None:
    for fatal in size((17,), (0, 17, 39), (0, 17, 39)):
        task = DieOnce(tmp_path / f"mark-{fatal}", fatal)
        assert collect(processes, task, NUMBERS) == NUMBERS
        assert task.mark.exists()


@broken_off
def test_workers_that_keep_dying_are_given_up(processes: Workers) -> None:
    with pytest.raises(StorageError, match=r"^2 tasks could not be done by ") as raised:
        collect(processes, die, [1, 2])
    assert "look whether the workers have artreg" in raised.value.hint


def test_a_task_is_opened_once_in_each_process(processes: Workers) -> None:
    found = collect(processes, Opened(), NUMBERS)
    assert {count for _, count in found} == {1}
    assert 1 <= len({process for process, _ in found}) <= 2


def test_the_work_is_done_elsewhere(processes: Workers) -> None:
    assert os.getpid() not in collect(processes, process, NUMBERS)


@pytest.mark.cluster
@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_cluster_works_even_for_one_job(backend: str, request: pytest.FixtureRequest) -> None:
    one = Workers(Backend(backend), 1, scheduler_of(request, backend))
    assert os.getpid() not in collect(one, process, NUMBERS)


def test_nobody_else_is_asked_where_one_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert collect(ALONE, square, [1, 2, 3]) == [1, 4, 9]
    assert collect(Workers(Backend.PROCESSES, 4), square, []) == []


def test_a_worker_with_another_artreg_is_named(processes: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__version__", "0.0.1")
    with pytest.raises(InvalidInput, match="this is 0\\.0\\.1"):
        collect(processes, square, [1, 2])


def test_what_lies_in_memory_cannot_be_sent() -> None:
    store = MemoryStore("here")
    assert collect(Workers(Backend.THREADS, 2), store_url(store), [1]) == ["memory://here"]
    with pytest.raises(InvalidInput, match="memory://here is there in one process only"):
        collect(Workers(Backend.PROCESSES, 2), store_url(store), [1])


class store_url:  # noqa: N801  # a task
    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def __call__(self, item: int) -> str:
        return self.store.url


@pytest.mark.parametrize(("backend", "package"), [(Backend.DASK, "distributed"), (Backend.RAY, "ray")])
def test_a_missing_package_is_named(backend: Backend, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InvalidInput, match=f"needs the package {package}") as raised:
        collect(Workers(backend, None, "tcp://127.0.0.1:1"), square, [1])
    assert raised.value.hint == f"install artreg[{backend.value}]"


@pytest.mark.cluster
@pytest.mark.parametrize("backend", [Backend.DASK, Backend.RAY])
def test_a_cluster_that_does_not_answer_is_named(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 1.0)
    where = f"tcp://127.0.0.1:{free_port()}".removeprefix("tcp://" if backend is Backend.RAY else "")
    with pytest.raises(StorageError, match=f"no {backend.value.title()} cluster answers at {where}"):
        collect(Workers(backend, None, where), square, [1])


@pytest.mark.cluster
def test_a_dask_cluster_must_be_named() -> None:
    with pytest.raises(InvalidInput, match="where is the Dask cluster"):
        collect(Workers(Backend.DASK), square, [1])
