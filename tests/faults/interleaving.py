"""Actors that share a store and take turns at each call to it, as a schedule says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from artreg.store.interface import Store
from store.faults import Crash, Wrapper


@dataclass
class Clock:
    """Counts calls to the store, of all actors together."""

    now: int = 0
    created: dict[str, int] = field(default_factory=dict)

    def tick(self) -> int:
        self.now += 1
        return self.now


class Turns(Wrapper):
    """A store whose every call waits for its actor's turn, and notes when which object came to be."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store)
        self._clock = clock
        self._go = threading.Semaphore(0)
        self._parked = threading.Semaphore(0)
        self.killed = False

    def before(self, call: str, key: str) -> None:
        self._parked.release()
        self._go.acquire()
        if self.killed:
            raise Crash(f"{call} {key}")
        self._clock.tick()

    def after(self, call: str, key: str) -> None:
        if call == "create":
            self._clock.created[key] = self._clock.tick()

    def let_go(self) -> None:
        """Let the actor make one call, and wait until it is at its next or at its end."""
        self._go.release()
        self._parked.acquire()

    def wait(self) -> None:
        self._parked.acquire()

    def end(self) -> None:
        self._parked.release()


class Actor:
    """A thread that runs while it has the turn, and only then."""

    def __init__(self, store: Store, clock: Clock, program: Callable[[Store], None]) -> None:
        self.turns = Turns(store, clock)
        self.error: BaseException | None = None
        self.done = False
        self._thread = threading.Thread(target=self._run, args=(program,), daemon=True)
        self._thread.start()
        self.turns.wait()

    def _run(self, program: Callable[[Store], None]) -> None:
        try:
            program(self.turns)
        except Crash:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.done = True
            self.turns.end()

    def step(self) -> None:
        self.turns.let_go()

    def finish(self) -> None:
        self._thread.join()
        if self.error is not None:
            raise self.error


def play(actors: list[Actor], schedule: Iterable[tuple[int, int]], killed: tuple[int, int] | None = None) -> None:
    """Let actors take turns until all are done.

    Args:
        actors: The actors.
        schedule: Who makes how many calls next; after that everybody goes on in order.
        killed: Which actor dies at which of its calls.
    """
    made = [0] * len(actors)

    def go(number: int, calls: int) -> None:
        actor = actors[number]
        while calls and not actor.done:
            actor.turns.killed = killed == (number, made[number])
            actor.step()
            made[number] += 1
            calls -= 1

    for number, calls in schedule:
        go(number % len(actors), calls)
    for number in range(len(actors)):
        go(number, -1)
    for actor in actors:
        actor.finish()
