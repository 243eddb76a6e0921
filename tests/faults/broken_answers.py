"""Commands through a proxy that breaks a quarter of the answers; the same for a simulated and for a real bucket."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from artreg.core.version import Version
from artreg.errors import AlreadyExists, Conflict, OutcomeUnknown, StorageError
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.store.object import MARKED, MARKER, ObjectStore
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.build import MODEL, POLICY, PROD, V1, V2, V3, assert_sound, make_history, make_source, make_sources
from store.places import S3Place
from store.proxy import MODES, Proxy

SHARE = 0.25


@dataclass
class Promoter:
    """Promotes through a bad connection, and remembers what it was told of each attempt, by write id."""

    registry: Registry
    told: dict[str, str] = field(default_factory=dict)
    outcomes: Counter = field(default_factory=Counter)

    def move(self, version: Version) -> bool:
        """Promote; return whether the alias is known to stand there now."""
        ids: list[str] = []
        registry = Registry(self.registry.store, self.registry.actor, new_id=lambda: _noted(self.registry, ids))
        try:
            moved = promote(registry, MODEL, version, PROD, POLICY)
        except Conflict:
            outcome = "conflict"
        except OutcomeUnknown:
            outcome = "unknown"
        except StorageError as error:
            outcome = "moved, no pointer" if "generation" in error.details else "not written"
        else:
            outcome = "done" if moved.changed else "stood there"
        self.told.update(dict.fromkeys(ids, outcome))
        self.outcomes[outcome] += 1
        return outcome in {"done", "stood there"}


def _noted(registry: Registry, ids: list[str]) -> str:
    ids.append(registry.new_id())
    return ids[-1]


def promote_through_broken_answers(
    place: S3Place, folder: Path, promoters: int, moves: int, modes: tuple[str, ...] = MODES
) -> Counter:
    """Promote until every promoter has seen so many moves settled, and judge what it was told by the history.

    Whoever is told that nobody knows, or that nothing was written, runs the same command again.
    """
    place.put(MARKER, MARKED)
    make_history(Registry(place.store()), make_sources(folder / "sources"))
    start = threading.Barrier(promoters)
    with Proxy(place.endpoint, SHARE, seed=7, modes=modes) as proxy:
        crowd = [Promoter(Registry(_store_behind(place, proxy), f"promoter {index}")) for index in range(promoters)]

        def work(number: int) -> None:
            start.wait()
            for move in range(moves):
                version = (V1, V2, V3)[(move + number) % 3]
                while not crowd[number].move(version):
                    pass

        with ThreadPoolExecutor(promoters) as workers:
            list(workers.map(work, range(promoters)))
        assert proxy.broken > 0
    heads = list(records(Registry(place.store()), MODEL, PROD))
    assert [head.record.generation for head in heads] == list(range(len(heads), 0, -1))
    written = {head.record.write_id for head in heads}
    assert len(written) == len(heads), "a move stands in the history twice"
    for promoter in crowd:
        for write_id, outcome in promoter.told.items():
            if outcome in {"done", "moved, no pointer"}:
                assert write_id in written, f"falsely reported as done: {outcome}"
            elif outcome in {"conflict", "not written"}:
                assert write_id not in written, f"falsely reported as lost: {outcome}"
    promote(Registry(place.store()), MODEL, heads[0].record.version, PROD, POLICY)  # sets the pointer, if need be
    assert_sound(Registry(place.store()))
    outcomes = sum((promoter.outcomes for promoter in crowd), Counter())
    doubts = [write_id for promoter in crowd for write_id, outcome in promoter.told.items() if outcome == "unknown"]
    print(
        f"promotions with {proxy.broken} of {len(proxy.seen)} answers broken: {dict(outcomes)}; none falsely reported; "
        f"of the unknown ones {len(written & set(doubts))} had moved the alias"
    )
    assert outcomes["done"] > 0
    return outcomes


def publish_through_broken_answers(place: S3Place, folder: Path, versions: int) -> None:
    """Publish until each version is acknowledged; never may a publisher be told that its own version is another's."""
    place.put(MARKER, MARKED)
    outcomes: Counter = Counter()
    with Proxy(place.endpoint, SHARE, seed=11) as proxy:
        store = _store_behind(place, proxy)
        for patch in range(versions):
            source = make_source(folder / str(patch), f"content {patch}")
            outcomes += _publish_until_done(Registry(store), source, Version(1, 0, patch))
        assert proxy.broken > 0
    assert outcomes["done"] == versions
    assert_sound(Registry(place.store()))
    print(f"publishing with {proxy.broken} of {len(proxy.seen)} answers broken: {dict(outcomes)}")


def _publish_until_done(registry: Registry, source: Path, version: Version) -> Counter:
    outcomes: Counter = Counter()
    while not outcomes["done"]:
        try:
            publish(registry, MODEL, source, version)
        except (AlreadyExists, Conflict) as error:
            raise AssertionError("nobody else publishes here") from error
        except StorageError as error:
            outcomes["unknown" if isinstance(error, OutcomeUnknown) else "not written"] += 1
        else:
            outcomes["done"] += 1
    return outcomes


def _store_behind(place: S3Place, proxy: Proxy) -> ObjectStore:
    """Few attempts, so that doubts reach the caller; short silences and pauses, so that they cost little."""
    options = place.options(endpoint_url=proxy.url, attempts=2, read_timeout=0.5, backoff=0.02, budget=5.0)
    return ObjectStore(S3Bucket(place.bucket, place.prefix, options, connect))
