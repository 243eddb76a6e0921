"""Storage and moves that are broken on purpose: whoever checks histories must find each of them out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping

from artreg.errors import AlreadyExists, NotFound
from artreg.store.interface import Entry, Page, Store
from artreg.store.object import ObjectStore
from store.faults import Deaf, Unconditional, Wrapper


class CheckThenAct(Wrapper):
    """Looks first, and writes a little later, whatever came in between."""

    pause = 0.003

    def create(self, key: str, data: bytes) -> None:
        try:
            self.inner.read(key)
        except NotFound:
            time.sleep(random.uniform(self.pause / 2, self.pause))
            self.inner.delete([key])
            self.inner.create(key, data)
        else:
            raise AlreadyExists(f"{key} is there already")


class LateList(Wrapper):
    """Shows every listing as it was up to so many seconds ago."""

    late = 0.05

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._seen: dict[tuple[str, str], tuple[float, object]] = {}

    def page(self, prefix: str, after: str = "") -> Page:
        return self._late(prefix, after, lambda: self.inner.page(prefix, after))

    def last_number(self, prefix: str, name: Callable[[int], str]) -> None:
        return None

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        yield from self._late(prefix, "walk", lambda: list(self.inner.walk(prefix, sized=sized)))

    def _late(self, prefix: str, how: str, look: Callable):
        when, shown = self._seen.get((prefix, how), (0.0, None))
        if time.monotonic() - when > self.late:
            when, shown = time.monotonic(), look()
            self._seen[prefix, how] = when, shown
        return shown


class Dawdling(Wrapper):
    """Takes its time before it creates the record of a move."""

    def before(self, call: str, key: str) -> None:
        if call == "create" and ("/prod/" in key or "/staging/" in key):
            time.sleep(random.uniform(0, 0.06))


def ignoring(store: Store) -> Store:
    """A bucket that takes no notice of conditions, publishers' claims and seals included."""
    assert isinstance(store, ObjectStore)
    store._bucket.put_absent = store._bucket.put
    return store


def _same(store: Store) -> Store:
    return store


BROKEN: Mapping[str, tuple[Callable[[Store], Store], Mapping[str, object]]] = {
    "": (_same, {}),
    "the bucket ignores conditions": (ignoring, {}),
    "creating overwrites": (Unconditional, {}),
    "creating only pretends": (Deaf, {}),
    "creating looks first and acts later": (CheckThenAct, {}),
    "lists come late": (LateList, {}),
    "movers say nothing beforehand": (Dawdling, {"intend": lambda *_: None}),
    "movers take their time": (Dawdling, {}),
}
"""How storage is wrapped, and what of `artreg.registry.move` is replaced."""
