"""What the processes do whose calls make up a history: random commands against one registry, noted with their times."""

from __future__ import annotations

import functools
import random
import time
import traceback
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest import mock

from artreg.core.names import Alias, Computed, Reference
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import AlreadyExists, ArtregError, Conflict, GateRejected, NotFound, OutcomeUnknown, StorageError
from artreg.registry import move
from artreg.registry.catalog import catalog
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.history import records, require_head
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.registry.yank import Yanked, unyank, yank
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.build import MODEL, POLICY, later
from histories.broken import BROKEN

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
ALIASES = ("prod", "staging")
CONTENTS = ("one", "two")

CALLS: Mapping[str, int] = {
    "promote": 8, "rollback": 4, "yank": 3, "unyank": 3, "publish": 4, "gc": 1,
    "resolve": 6, "pull": 3, "latest": 1, "list": 2, "history": 2, "verify": 1,
}  # fmt: skip
"""How often each is called, for one another."""

_connect = functools.cache(connect)


@dataclass(frozen=True)
class Place:
    """Where a registry lies: a folder, or a prefix of a bucket."""

    folder: str = ""
    bucket: str = ""
    options: StorageOptions | None = None

    def store(self) -> Store:
        if self.options is None:
            return LocalStore(self.folder)
        return ObjectStore(S3Bucket(self.bucket, self.folder, self.options, _connect))


@dataclass(frozen=True)
class Task:
    """What one process does in one history.

    Attributes:
        place: Where the registry lies.
        sources: The folder of what can be published.
        seed: What decides on the calls.
        count: How many there are.
        calls: How often each is called, for one another.
        versions: Which versions they are about.
        broken: What is broken on purpose.
        through: How the processes reach the registry, if by a way of their own.
    """

    place: Place
    sources: str
    seed: str
    count: int
    calls: Mapping[str, int] = field(default_factory=lambda: CALLS)
    versions: tuple[str, ...] = VERSIONS
    broken: str = ""
    through: Place | None = None


def client(number: int, connection, start) -> None:
    """Do one task after another; tell of each call before and after it, so that a death in between is seen."""
    while (task := connection.recv()) is not None:
        start.wait(600)
        with opened(task.through or task.place, task) as caller:
            for call in random_calls(task):
                connection.send((call, time.monotonic_ns()))
                told = caller.tell(call)
                connection.send((told, time.monotonic_ns()))
        connection.send(None)


def random_calls(task: Task):
    chance = random.Random(task.seed)
    for index in range(task.count):
        [word] = chance.choices(list(task.calls), list(task.calls.values()))
        tag = f"{chance.getrandbits(96):024x}{index:08x}"
        version, alias = chance.choice(task.versions), chance.choice(ALIASES)
        yield {
            "promote": (word, alias, version, tag),
            "rollback": (word, alias, tag),
            "publish": (word, version, chance.choice(CONTENTS)),
            "yank": (word, version),
            "unyank": (word, version),
            "resolve": (word, chance.choice([alias, alias, version])),
            "pull": (word, chance.choice([alias, version])),
            "history": (word, alias),
        }.get(word, (word,))


@contextmanager
def opened(place: Place, task: Task):
    """A caller on a registry, with what is to be broken broken."""
    wrap, replaced = BROKEN[task.broken]
    with ExitStack() as stack:
        for name, instead in replaced.items():
            stack.enter_context(mock.patch.object(move, name, instead))
        yield Caller(wrap(place.store()), Path(task.sources))


class Caller:
    """Makes calls, and puts what they tell into plain words."""

    def __init__(self, store: Store, sources: Path) -> None:
        self._registry = Registry(store, "client")
        self._sources = sources
        self._pulled = MemoryStore(f"pulled {id(self)}")
        self._pulled.make_root()

    def tell(self, call: tuple) -> tuple | None:  # noqa: PLR0911  # a table
        """Make a call; None if nobody can say whether it took effect."""
        word, *about = call
        try:
            return getattr(self, f"_{word}")(*about)
        except NotFound:
            return ("listing", {}, {}) if word == "list" else ("missing", None) if word == "latest" else ("missing",)
        except Conflict:
            return ("conflict",)
        except GateRejected:
            return ("refused",)
        except OutcomeUnknown:
            return None
        except StorageError as error:
            return self._not_stored(call, error)
        except ArtregError as error:
            return ("error", f"{type(error).__name__}: {error.message}")
        except Exception as error:
            return ("error", "".join(traceback.format_exception(error)))

    def _not_stored(self, call: tuple, error: StorageError) -> tuple | None:
        """A promotion says for certain what it did not do; other writers go on when called again; reads say nothing."""
        word = call[0]
        if word == "promote":
            generation = error.details.get("generation")
            return ("conflict",) if generation is None else ("moved", generation)
        return None

    def _publish(self, version: str, text: str) -> tuple:
        try:
            published = publish(self._registry, MODEL, self._sources / text, Version.parse(version))
        except AlreadyExists as error:
            return ("spent",) if "is spent" in error.message else ("taken",)
        return ("created",) if published.created else ("there",)

    def _promote(self, alias: str, version: str, tag: str) -> tuple:
        moved = promote(replace_id(self._registry, tag), MODEL, Version.parse(version), Alias(alias), POLICY)
        if moved.changed:
            assert moved.record.write_id == tag
        return ("moved" if moved.changed else "stood", moved.record.generation)

    def _rollback(self, alias: str, tag: str) -> tuple:
        moved = rollback(replace_id(self._registry, tag), MODEL, Alias(alias), POLICY, reason="r")
        return ("moved", str(moved.record.version), moved.record.generation)

    def _yank(self, version: str) -> tuple:
        return _said(yank(self._registry, MODEL, Version.parse(version), "bad"))

    def _unyank(self, version: str) -> tuple:
        return _said(unyank(self._registry, MODEL, Version.parse(version), "good"))

    def _gc(self) -> tuple:
        removed = collect(later(self._registry.store), older_than=timedelta(0)).removed
        lead = f"unfinished version {MODEL}@"
        return ("collected", tuple(one.what.removeprefix(lead) for one in removed if one.what.startswith(lead)))

    def _resolve(self, name: str) -> tuple:
        found = resolve(self._registry, _reference(name))
        return ("at", str(found.version), found.generation, bool(found.warning))

    def _latest(self) -> tuple:
        return ("at", str(resolve(self._registry, Reference(MODEL, Computed.LATEST)).version))

    def _pull(self, name: str) -> tuple:
        found = pull(self._registry, _reference(name), self._pulled, "it").source
        text = self._pulled.read("it/model/words.txt").decode().removeprefix("words of ").strip()
        self._pulled.delete([f"it/{entry.name}" for entry in list(self._pulled.walk("it"))])
        return ("pulled", str(found.version), text)

    def _list(self) -> tuple:
        [summary] = catalog(self._registry, MODEL)
        versions = {str(one.version): bool(one.yanked) for one in summary.versions}
        return ("listing", versions, {alias: str(version) for alias, version in summary.aliases.items()})

    def _history(self, alias: str) -> tuple:
        require_head(self._registry, MODEL, Alias(alias))
        told = [head.record for head in records(self._registry, MODEL, Alias(alias))]
        moves = [record for record in reversed(told) if record.action in {Action.PROMOTE, Action.ROLLBACK}]
        return ("records", tuple((str(move.version), move.write_id) for move in moves), told[0].generation)

    def _verify(self) -> tuple:
        problems = [
            f"{checked.ref}: {problem.file}: {problem.problem}"
            for checked in verify(self._registry, MODEL).checked
            for problem in checked.problems
        ]
        stale = all(": the pointer " in problem for problem in problems)  # its writer is about to set it, or dead
        return ("ok",) if stale else ("wrong", problems)


def replace_id(registry: Registry, tag: str) -> Registry:
    """The registry, whose next record bears a write id that is known beforehand."""
    return Registry(registry.store, registry.actor, registry.now, lambda: tag)


def _reference(name: str) -> Reference:
    return Reference(MODEL, Alias(name) if name in ALIASES else Version.parse(name))


def _said(result: Yanked) -> tuple:
    return ("said", result.changed)
