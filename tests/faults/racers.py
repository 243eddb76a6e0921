"""What racing processes run: each reports what it was told, for a judge that looks at the registry afterwards."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artreg.core.names import Reference
from artreg.core.version import Part, Version
from artreg.errors import AlreadyExists, Conflict
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.store.factory import open_store
from artreg.store.memory import MemoryStore
from artreg.store.options import StorageOptions
from faults.build import MODEL, POLICY, PROD, V1, V2, V3
from faults.outofband import whole_versions


@dataclass(frozen=True)
class Track:
    """Where a race is run.

    Attributes:
        url: The root.
        options: How to reach it.
        start: The barrier from which all start.
        reports: Where each leaves its report.
    """

    url: str
    options: StorageOptions
    start: object
    reports: Path

    def registry(self, who: str) -> Registry:
        return Registry(open_store(self.url, self.options), who)


def promoter(number: int, track: Track, moves: int, rest: float = 0.0) -> None:
    """Promote one version after another until so many moves are acknowledged; who loses rests up to so many seconds."""
    registry = track.registry(f"promoter {number}")
    acknowledged: list[tuple[int, str]] = []
    attempt = number
    track.start.wait()
    while len(acknowledged) < moves:
        attempt += 1
        try:
            moved = promote(registry, MODEL, (V1, V2, V3)[attempt % 3], PROD, POLICY)
        except Conflict:
            time.sleep(random.uniform(0, rest))
            continue
        if moved.changed:
            acknowledged.append((moved.record.generation, moved.record.write_id))
    _report(track.reports, number, acknowledged)


def publisher(number: int, track: Track, rounds: int, sources: str) -> None:
    """In each round publish this process's own content as the version of that round, at the same time as the others."""
    registry = track.registry(f"publisher {number}")
    told = []
    for patch in range(rounds):
        track.start.wait()
        try:
            published = publish(registry, MODEL, Path(sources) / str(number), Version(1, 0, patch))
            told.append("created" if published.created else "there already")
        except (AlreadyExists, Conflict) as error:
            told.append(error.code)
    _report(track.reports, number, told)


def bumper(number: int, track: Track, count: int, sources: str) -> None:
    """Publish so many folders, each as the next version, whichever that is."""
    registry = track.registry(f"bumper {number}")
    track.start.wait()
    told = [
        str(publish(registry, MODEL, Path(sources) / f"{number}-{index}", Part.PATCH).version) for index in range(count)
    ]
    _report(track.reports, number, told)


def reader(number: int, track: Track, done) -> None:
    """Pull what the alias points at, again and again until `done`, and look at it without artreg."""
    registry = track.registry(f"reader {number}")
    seen = 0
    track.start.wait()
    while not (done.is_set() and seen):
        into = MemoryStore(f"pulled {seen}")
        into.make_root()
        pull(registry, Reference(MODEL, PROD), into, "pulled")
        files = {f"pulled/{entry.name}": into.read(f"pulled/{entry.name}") for entry in into.walk("pulled")}
        assert whole_versions(files) == {"pulled"}
        into.delete(list(files))
        seen += 1
    _report(track.reports, number, seen)


def reports_of(folder: Path) -> dict[int, object]:
    """What each process reported."""
    return {int(path.stem): json.loads(path.read_text()) for path in folder.iterdir()}


def _report(folder: Path, number: int, told: Sequence[object] | int) -> None:
    (folder / f"{number}.json").write_text(json.dumps(told))
