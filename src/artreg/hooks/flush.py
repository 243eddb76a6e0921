"""Delivering what is due: of each alias in order, again and again while there is hope, and then left for later.

An alias whose next event cannot be delivered waits, and no other alias does. A receiver that takes nothing at all for
as long as its hook says is given up until the next flush.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Iterator, Sequence
from functools import partial

from artreg.core.told import Failure
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.hooks.config import Hook
from artreg.hooks.event import event_of
from artreg.hooks.refusal import Refused
from artreg.hooks.sending import Send
from artreg.hooks.telling import Lane, Standing, check_not_set_back, documents, due_after, keep, lanes, standing
from artreg.registry.handle import Registry
from artreg.registry.history import Head
from artreg.registry.standing import each

_LEAST = 60.0
"""Seconds without any success after which a receiver is not even tried for what was not tried yet."""


class Patience(Frozen):
    """How long it is waited between two attempts.

    Attributes:
        first: Seconds after the first failure, at most.
        longest: Seconds after very many, at most.
    """

    first: float = 1.0
    longest: float = 60.0

    def pause(self, attempts: int) -> float:
        """Return how many seconds to wait after so many attempts: twice as long each time, at random below that."""
        most: float = min(self.first * 2 ** min(attempts - 1, 30), self.longest)
        return most * random.uniform(0.5, 1)  # noqa: S311  # so that several do not come at once


class Delivered(Frozen):
    """What a flush did for a hook and an alias.

    Attributes:
        lane: The hook and the alias.
        events: How many events were delivered.
        generation: The number of the record up to which the hook is told now.
        problem: Why the next event could not be delivered, or ''.
        failure: What is kept of that, if anything is.
    """

    lane: Lane
    events: int
    generation: int
    problem: str = ""
    failure: Failure | None = None


def flush(
    registry: Registry,
    hook: Hook,
    source: str,
    send: Send,
    patience: Patience | None = None,
    *,
    thorough: bool = False,
) -> list[Delivered]:
    """Deliver all that a hook is still to be told, and return what was done for each alias of which anything was due.

    Args:
        registry: The registry.
        hook: The hook.
        source: What the registry is called in events.
        send: What delivers an event.
        patience: How long to wait between attempts.
        thorough: Whether it is also looked whether the last record that the hook was told of is still there, which
            takes a request for each alias: where it is not, new ones may be taken for old ones.

    Raises:
        StorageError: Storage cannot say which aliases there are.
    """
    return _Flush(registry, hook, source, send, patience or Patience()).run(thorough=thorough)


class _Runner:
    """Delivers the events of one alias.

    Args:
        registry: The registry.
        lane: The hook and the alias.
        known: The keys of the documents that say how far it was told.
    """

    def __init__(self, registry: Registry, lane: Lane, known: Sequence[str]) -> None:
        self.lane = lane
        self.events = self.attempts = 0
        self.problem = self._unkept = ""
        self.failure: Failure | None = None
        self.next: Head | None = None
        self._registry, self._known = registry, known
        self._standing = Standing(None, ())
        self._at: tuple[int, str | None] = (0, None)
        self._records: Iterator[tuple[Head, bool]] = iter(())

    @property
    def ready(self) -> bool:
        """Whether there is an event that may be delivered now."""
        return self.next is not None and not self.problem

    def begin(self, *, thorough: bool) -> None:
        """Look how far the hook was told, and what comes next; what goes wrong is kept as the problem."""
        try:
            self._standing = standing(self._registry, self.lane, self._known)
            told = self._standing.told
            if told is not None:
                self._at, self.failure = (told.generation, told.record), told.failure
            if thorough:
                check_not_set_back(self._registry, self.lane, told)
            self._records = due_after(self._registry, self.lane, told)
            self._advance()
        except ArtregError as error:
            self.problem = error.message

    def succeed(self) -> None:
        """Take down that the next event was delivered, and look for the one after it."""
        assert self.next is not None
        self._at, self.failure = (self.next.record.generation, self.next.sha256), None
        self.events, self.attempts, self.next = self.events + 1, 0, None
        if not self._unkept:  # else once more at the end
            self._keep()
        try:
            self._advance()
        except ArtregError as error:
            self.problem = error.message

    def fail(self, refused: Refused) -> None:
        """Take down that an attempt did not succeed."""
        assert self.next is not None
        self.attempts += 1
        number, now, before = self.next.record.generation, self._registry.timestamp(), self.failure
        if before is None or before.generation != number:
            self.failure = Failure(number, 1, now, now, refused.message)
        else:
            self.failure = Failure(number, before.attempts + 1, before.since, now, refused.message)

    def give_up(self) -> None:
        """Leave the next event for later, and keep why."""
        assert self.failure is not None
        self.problem = self.failure.message
        self._keep()

    def leave(self, why: str) -> None:
        """Leave the next event for later without having tried it, or without trying it again."""
        if self.attempts:
            self.give_up()
        else:
            self.problem = f"not tried: {why}"

    def done(self) -> Delivered:
        """Return what was done."""
        problems = (
            self.problem,
            self._unkept and f"what it was told could not be kept, and comes again: {self._unkept}",
        )
        return Delivered(self.lane, self.events, self._at[0], "; ".join(filter(None, problems)), self.failure)

    def _advance(self) -> None:
        """Look for the next event; what the hook does not ask for is passed over, and that is kept at the end."""
        passed = False
        for head, is_due in self._records:
            if is_due:
                self.next = head
                return
            self._at, passed = (head.record.generation, head.sha256), True
        if passed or self._unkept:
            self._keep()

    def _keep(self) -> None:
        """Keep how far the hook was told; where that cannot be, the events come again, which is no reason to wait."""
        try:
            self._standing = keep(self._registry, self.lane, self._standing, self._at, self.failure)
            self._unkept = ""
        except ArtregError as error:
            self._unkept = error.message + (f" ({error.hint})" if error.hint else "")


class _Flush:
    """One flush of one hook."""

    def __init__(self, registry: Registry, hook: Hook, source: str, send: Send, patience: Patience) -> None:
        self._registry, self._hook, self._source, self._send = registry, hook, source, send
        self._patience = patience
        self._due: list[tuple[float, int, _Runner]] = []
        self._hope = self._end = self._quiet = 0.0

    def run(self, *, thorough: bool) -> list[Delivered]:
        """Deliver, and return what was done."""
        known = documents(self._registry, self._hook)
        found = lanes(self._registry, self._hook)
        runners = [_Runner(self._registry, lane, known.get(lane.prefix, ())) for lane in found]
        self._succeeded()
        each(self._registry, partial(_Runner.begin, thorough=thorough), runners)
        for number, runner in enumerate(runners):
            if runner.ready:
                heapq.heappush(self._due, (time.monotonic(), number, runner))
        while self._due:
            due, number, runner = heapq.heappop(self._due)
            again = self._attempt(runner, due)
            if again is not None:
                heapq.heappush(self._due, (again, number, runner))
        return [runner.done() for runner in runners if runner.events or runner.problem]

    def _attempt(self, runner: _Runner, due: float) -> float | None:
        """Try to deliver the next event of an alias when it is due, and no sooner than its receiver wants any.

        Returns:
            When to go on with the alias; None if not in this flush.
        """
        assert runner.next is not None
        if self._quiet > self._hope:
            runner.leave(f"{self._hook.target} asks to be left alone")
            return None
        time.sleep(max(max(due, self._quiet) - time.monotonic(), 0.0))
        if time.monotonic() > self._end and not runner.attempts:
            runner.leave(f"{self._hook.target} took nothing else either")
            return None
        try:
            self._send(event_of(self._source, runner.next.record, runner.next.sha256))
        except Refused as refused:
            runner.fail(refused)
            now = time.monotonic()
            if refused.after:
                self._quiet = max(self._quiet, now + refused.after)
            again = max(now + self._patience.pause(runner.attempts), self._quiet)
            if refused.again and again <= self._hope:
                return again
            runner.give_up()
            return None
        self._succeeded()
        runner.succeed()
        return time.monotonic() if runner.ready else None

    def _succeeded(self) -> None:
        """Count anew how long there is hope without any success."""
        now = time.monotonic()
        self._hope, self._end = now + self._hook.retry_for, now + max(self._hook.retry_for, _LEAST)
