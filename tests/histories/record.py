"""Recording histories: processes that stay alive from one to the next, some of which are killed on the way."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path

from faults import processes
from faults.build import make_source
from histories.clients import ALIASES, CONTENTS, VERSIONS, Task, client, opened
from histories.specification import Event, History

FIRST = [
    *(("publish", version, text) for version, text in zip(VERSIONS, ("one", "two", "one"), strict=False)),
    *(("promote", "prod", version, tag * 32) for version, tag in zip(VERSIONS, "abc", strict=False)),
]
LAST = [
    *(("history", alias) for alias in ALIASES),
    *(("resolve", name) for name in (*ALIASES, *VERSIONS)),
    *(("pull", version) for version in VERSIONS),
    ("list",), ("latest",), ("verify",),
]  # fmt: skip
"""What is called before and after everything else, by one process alone."""


def make_contents(folder: Path) -> str:
    """Make what clients publish; return where it lies."""
    for text in CONTENTS:
        make_source(folder / text, text)
    return str(folder)


class Crowd:
    """So many client processes; a context manager."""

    def __init__(self, count: int) -> None:
        self._start = processes.barrier(count)
        self._clients = [self._begin(number) for number in range(count)]

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        for process, connection in self._clients:
            connection.send(None) if kind is None else process.kill()
            processes.finish(process)

    def record(self, task: Task, kill_after: int | None = None) -> History:
        """Let all of them work on one registry at once; return what they saw.

        Args:
            task: What each does, with a seed of its own.
            kill_after: After how many messages one of them is killed; None leaves all alive.
        """
        task.place.store().make_root()
        events = _alone(task, FIRST)
        for number, (_, connection) in enumerate(self._clients):
            connection.send(replace(task, seed=f"{task.seed} {number}"))
        events += self._listen(kill_after)
        events += _alone(replace(task, broken=""), LAST)
        return History(events, VERSIONS, ALIASES)

    def _begin(self, number: int):
        ours, theirs = Pipe()
        process = processes.start(client, number, theirs, self._start)
        theirs.close()
        return process, ours

    def _listen(self, kill_after: int | None) -> list[Event]:
        events: list[Event] = []
        begun: dict[int, tuple] = {}
        numbers = {connection: number for number, (_, connection) in enumerate(self._clients)}
        busy, messages, killed = set(numbers), 0, -1
        while busy:
            for connection in wait(list(busy)):
                number, messages = numbers[connection], messages + 1
                try:
                    message = connection.recv()
                except (EOFError, OSError) as error:  # in the middle of a message, too
                    code = processes.finish(self._clients[number][0])
                    self._clients[number] = self._begin(number)
                    if number != killed:
                        raise AssertionError(f"client {number} ended by itself, with {code}") from error
                    busy.discard(connection)
                    continue
                if message is None:
                    if number != killed:  # of one that was, only the end of its messages tells
                        busy.discard(connection)
                elif number not in begun:
                    begun[number] = message
                else:
                    (call, start), (told, end) = begun.pop(number), message
                    events.append(Event(number, start, None if told is None else end, call, told))
                if kill_after is not None and messages >= kill_after and killed < 0 and number in begun:
                    killed = number
                    os.kill(self._clients[number][0].pid, signal.SIGKILL)
        events += [Event(number, start, None, call, None) for number, (call, start) in begun.items()]
        return events


def _alone(task: Task, calls: list[tuple]) -> list[Event]:
    events = []
    with opened(task.place, task) as caller:
        for call in calls:
            start = time.monotonic_ns()
            told = caller.tell(call)
            events.append(Event(-1, start, time.monotonic_ns(), call, told))
    return events
