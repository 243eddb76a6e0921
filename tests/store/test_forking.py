"""Tasks shared among forked processes: each is done, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from artreg.store.forking import TASKS, shared

HERE = os.getpid()


@pytest.mark.parametrize("processes", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 7, TASKS])
def test_each_task_is_done_once(count: int, processes: int) -> None:
    found = sorted(shared(range(count), lambda task: task * 2, processes))
    assert found == [(task, 2 * task) for task in range(count)]


def test_what_a_killed_process_took_is_done_here() -> None:
    def work(task: int) -> tuple[int, bool]:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return task, os.getpid() == HERE

    assert sorted(shared(range(100), work, 3)) == [(task, (task, True)) for task in range(100)]


def test_an_error_is_raised_here_though_another_process_met_it(capfd: pytest.CaptureFixture[str]) -> None:
    def work(task: int) -> int:
        if task == 50:
            raise ValueError("task 50")
        return task

    with pytest.raises(ValueError, match="task 50"):
        list(shared(range(100), work, 2))
    assert capfd.readouterr() == ("", "")


def children() -> set[str]:
    """Return the processes that this one has begun, also for other tests, and that it has not buried yet."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_nothing_is_left_running_where_nobody_reads_on() -> None:
    before, others = set(os.listdir("/proc/self/fd")), children()
    results = shared(range(TASKS), lambda task: "x" * 100_000, 3)
    next(results)
    results.close()
    assert set(os.listdir("/proc/self/fd")) == before
    assert children() == others
