"""Whether what many clients saw at the same time could have been seen one after the other.

The search is that of J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects", Journal of Parallel and
Distributed Computing 17 (1993): take any operation that no other one certainly came before, let a sequential
specification say whether it could have told what it told, and go on from there. As G. Lowe, "Testing for
linearizability", Concurrency and Computation 29 (2017), and Porcupine (https://github.com/anishathalye/porcupine) do,
it remembers which sets of operations led to which states, and tries nothing twice.

Objects that do not share state are checked one by one: a history is linearizable if that of each object is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

State = TypeVar("State", bound=Hashable)
What = TypeVar("What")


@dataclass(frozen=True)
class Operation:
    """One call of one client.

    Attributes:
        start: When it was made.
        end: When its answer was there; None if there never was one: it may have taken effect at any time since its
            start, may still do so, or never.
        what: What was asked for, and what was told.
        read: Whether it never changes anything that another one is told.
    """

    start: int
    end: int | None
    what: object
    read: bool = False


@dataclass(frozen=True)
class Found:
    """What the search found.

    Attributes:
        ok: Whether there is an order that explains everything.
        order: That order, or the longest one that explains a part.
        stuck: The operations that could have come next in that part; none of them fits.
    """

    ok: bool
    order: tuple[Operation, ...]
    stuck: tuple[Operation, ...] = ()


Step = Callable[[State, object], Iterable[State]]
"""From a state and an operation to every state that can follow; none if it cannot have told what it told."""


def linearize(history: Iterable[Operation], initial: State, step: Step[State]) -> Found:
    """Look for an order of the operations that keeps to their times and to the specification.

    Args:
        history: The operations on one object, in any order.
        initial: The state before any of them.
        step: The sequential specification.
    """
    operations = sorted(history, key=lambda operation: operation.start)
    required = sum(1 << index for index, operation in enumerate(operations) if operation.end is not None)
    deepest: _Path = None
    most = -1
    seen: set[tuple[int, State]] = set()
    waiting: list[tuple[int, State, _Path]] = [(0, initial, None)]
    while waiting:
        done, state, path = waiting.pop()
        if done & required == required:
            return Found(True, _order(operations, path))
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if done.bit_count() > most:
            deepest, most = path, done.bit_count()
        waiting += _onward(operations, done, state, path, step)
    order = _order(operations, deepest)
    left = sum(1 << index for index, operation in enumerate(operations) if operation in order)
    return Found(False, order, tuple(operations[index] for index in _first(operations, left)))


_Path = tuple[int, "_Path"] | None
"""The operations that were taken, the last one first."""


def _onward(
    operations: Sequence[Operation], done: int, state: State, path: _Path, step: Step[State]
) -> list[tuple[int, State, _Path]]:
    """Every next step; only one where a read fits as it is, since it can do no harm to take that now."""
    onward: list[tuple[int, State, _Path]] = []
    for index in _first(operations, done):
        following = list(step(state, operations[index].what))
        taken = [(done | 1 << index, new, (index, path)) for new in following]
        if operations[index].read and following == [state]:
            return taken
        onward += taken
    return onward


def _first(operations: Sequence[Operation], done: int) -> Iterator[int]:
    """The operations before which no other one that is left was certainly over; `operations` are sorted by start."""
    soonest = inf
    for index in range((~done & done + 1).bit_length() - 1, len(operations)):
        if done >> index & 1:
            continue
        operation = operations[index]
        if operation.start > soonest:
            return
        yield index
        soonest = min(soonest, inf if operation.end is None else operation.end)


def _order(operations: Sequence[Operation], path: _Path) -> tuple[Operation, ...]:
    order = []
    while path is not None:
        index, path = path
        order.append(operations[index])
    return tuple(reversed(order))
