"""Tasks shared among forked processes, for work that is mostly Python's own and too short for a pool to be started.

Every process, this one too, takes the number of its next task from one pipe, so that nobody waits for the slowest. What
a forked one did not do or could not hand over, because it failed or was killed, this one does itself, and so it is also
the one that says what is wrong.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

TASKS = 256
"""How many tasks there may be: the number of each is a byte."""


def shared(tasks: Sequence[Task], work: Callable[[Task], Result], processes: int) -> Iterator[tuple[int, Result]]:
    """Yield what comes of each task with its number; what this process does itself comes first, and in order.

    Args:
        tasks: At most `TASKS` of them.
        work: Does a task; what it returns must be made of what `marshal` writes.
        processes: How many work at once, this one included; it must have no other threads.
    """
    queue, source = os.pipe()
    os.write(source, bytes(range(len(tasks))))
    os.close(source)
    children: list[tuple[int, int]] = []
    missing = set(range(len(tasks)))
    try:
        children.extend(_fork(tasks, work, queue) for _ in range(processes - 1))
        for number in _numbers(queue):
            missing.discard(number)
            yield number, work(tasks[number])
        while children:
            for number, result in _collect(*children.pop()):
                missing.discard(number)
                yield number, result
        for number in sorted(missing):
            yield number, work(tasks[number])
    finally:
        os.close(queue)
        for child, answer in children:
            os.kill(child, signal.SIGKILL)
            _collect(child, answer)


def _fork(tasks: Sequence[Task], work: Callable[[Task], Result], queue: int) -> tuple[int, int]:
    """Start a process that takes tasks until there are none; return its id, and where its answer is to be read."""
    answer, into = os.pipe()
    child = os.fork()
    if child == 0:
        _serve(tasks, work, queue, into)
    os.close(into)
    return child, answer


def _serve(tasks: Sequence[Task], work: Callable[[Task], Result], queue: int, into: int) -> NoReturn:
    status = 1
    try:
        done = [(number, work(tasks[number])) for number in _numbers(queue)]
        with open(into, "wb") as file:
            marshal.dump(done, file)
        status = 0
    finally:
        os._exit(status)  # whatever went wrong: nothing of this process's memory is this one's to clean up


def _numbers(queue: int) -> Iterator[int]:
    while number := os.read(queue, 1):
        yield number[0]


def _collect(child: int, answer: int) -> list[tuple[int, Any]]:
    """Return what a process did; nothing if it did not end well."""
    with open(answer, "rb") as file:
        data = file.read()
    status = 1
    with contextlib.suppress(ChildProcessError):  # where nobody's children are waited for
        status = os.waitpid(child, 0)[1]
    done: list[tuple[int, Any]] = marshal.loads(data) if status == 0 else []  # noqa: S302  # from our own process
    return done
