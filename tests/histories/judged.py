"""So many histories of one kind of registry, recorded and judged."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from histories.clients import Place, Task
from histories.record import Crowd

CLIENTS = 5
CALLS = 10

YANKS = {"promote": 6, "rollback": 1, "yank": 3, "unyank": 3, "resolve": 6, "list": 1}
"""Calls among which yanks and moves come in each other's way."""


def judge(
    crowd: Crowd,
    task: Task,
    count: int,
    place: Callable[[int], Place],
    *,
    kill: bool = True,
    through: Callable[[int], Place | None] = lambda _number: None,
) -> None:
    """Record so many histories, each in a place of its own; in every third somebody is killed."""
    calls: Counter[str] = Counter()
    for number in range(count):
        chance = random.Random(f"{task.seed} {number}")
        doomed = chance.randrange(2, 2 * CLIENTS * CALLS) if kill and number % 3 == 0 else None
        own = replace(task, place=place(number), through=through(number), seed=f"{task.seed} {number}")
        history = crowd.record(own, doomed)
        wrong = history.violations()
        assert not wrong, "\n".join([f"history {number} of {task.seed!r}:", *wrong])
        calls["all"] += len(history.events)
        calls["unknown"] += sum(event.told is None for event in history.events)
        calls["conflict"] += sum(event.told == ("conflict",) for event in history.events)
    print(
        f"{task.seed}: {count} histories with {calls['all']} calls, {calls['conflict']} told of a conflict, "
        f"{calls['unknown']} of unknown outcome: 0 violations"
    )


def found_out(crowd: Crowd, task: Task, tries: int, place: Callable[[int], Place]) -> bool:
    """Whether one of so many histories shows that something is broken."""
    return any(
        crowd.record(replace(task, place=place(number), seed=f"{task.seed} {number}")).violations()
        for number in range(tries)
    )
