"""Races between processes and their judges, the same for a disk and for a bucket."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from artreg.core import keys
from artreg.core.version import Version
from artreg.registry.doctor import initialise
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.store.factory import open_store
from artreg.store.options import StorageOptions
from faults import processes, racers
from faults.build import MODEL, POLICY, PROD, V1, assert_sound, make_history, make_source, make_sources
from faults.outofband import whole_versions


class Race:
    """One root, and a folder for what the racing processes bring along and report."""

    def __init__(self, url: str, options: StorageOptions, folder: Path) -> None:
        self.url = url
        self.options = options
        self.sources = folder / "sources"
        self.reports = folder / "reports"
        self.reports.mkdir()
        self.registry = Registry(open_store(url, options))
        initialise(self.registry)

    def track(self, start) -> racers.Track:
        return racers.Track(self.url, self.options, start, self.reports)

    def run(self, count: int, runner, *arguments: object) -> Mapping[int, object]:
        """Run `count` processes that start together, and return what each reported."""
        start = processes.barrier(count)
        running = processes.start_all(count, runner, self.track(start), *arguments)
        assert [processes.finish(process) for process in running] == [0] * count
        return racers.reports_of(self.reports)


def race_promoters(race: Race, count: int, moves: int, rest: float = 0.0) -> None:
    """Every acknowledged move stands in the history once, and nothing else does."""
    make_history(race.registry, make_sources(race.sources))
    before = {head.record.generation for head in records(race.registry, MODEL, PROD)}
    told = race.run(count, racers.promoter, moves, rest)
    acknowledged = [tuple(move) for moves_of_one in told.values() for move in moves_of_one]
    heads = list(records(race.registry, MODEL, PROD))  # which checks the chain
    assert [head.record.generation for head in heads] == list(range(len(before) + count * moves, 0, -1))
    written = [(head.record.generation, head.record.write_id) for head in heads if head.record.generation not in before]
    assert sorted(acknowledged) == sorted(written)
    assert len(set(acknowledged)) == count * moves
    pointer = race.registry.store.pointer(keys.pointer_key(MODEL, PROD))
    assert pointer is not None
    assert pointer.target == str(heads[0].record.version)
    assert_sound(race.registry)
    print(f"{count} processes made {moves} moves each at {race.url}: none lost, none acknowledged twice")


def race_publishers(race: Race, count: int, rounds: int) -> None:
    """Each round has one winner, every loser is told so, and the winner's bytes are what lies there."""
    for number in range(count):
        make_source(race.sources / str(number), f"publisher {number}")
    told = race.run(count, racers.publisher, rounds, str(race.sources))
    for patch in range(rounds):
        outcomes = Counter(told[number][patch] for number in range(count))
        assert outcomes["created"] == 1, outcomes
        assert outcomes["created"] + outcomes["already_exists"] + outcomes["conflict"] == count, outcomes
        winner = next(number for number in range(count) if told[number][patch] == "created")
        _require_bytes(race, Version(1, 0, patch), race.sources / str(winner))
    assert_sound(race.registry)
    print(f"{count} publishers raced for a version {rounds} times at {race.url}: one winner each")


def race_bumpers(race: Race, count: int, each: int) -> None:
    """Everybody gets a number of its own, and none is left out."""
    for number in range(count):
        for index in range(each):
            make_source(race.sources / f"{number}-{index}", f"bumper {number}, {index}")
    told = race.run(count, racers.bumper, each, str(race.sources))
    numbers = [Version.parse(text) for versions in told.values() for text in versions]
    assert sorted(numbers) == [Version(1, 0, patch) for patch in range(count * each)]
    for number, versions in told.items():
        for index, text in enumerate(versions):
            _require_bytes(race, Version.parse(text), race.sources / f"{number}-{index}")
    assert_sound(race.registry)


def race_readers(race: Race, promoters: int, moves: int, readers: int) -> None:
    """Whoever reads while the alias moves gets a whole version each time."""
    make_history(race.registry, make_sources(race.sources))
    promote(race.registry, MODEL, V1, PROD, POLICY)
    start = processes.barrier(promoters + readers)
    done = processes.event()
    track = race.track(start)
    reading = [processes.start(racers.reader, promoters + number, track, done) for number in range(readers)]
    moving = processes.start_all(promoters, racers.promoter, track, moves)
    assert [processes.finish(process) for process in moving] == [0] * promoters
    done.set()
    assert [processes.finish(process) for process in reading] == [0] * readers
    told = racers.reports_of(race.reports)
    print(f"{sum(told[promoters + number] for number in range(readers))} reads while the alias moved")


def _require_bytes(race: Race, version: Version, source: Path) -> None:
    prefix = keys.version_prefix(MODEL, version)
    store = race.registry.store
    there = {f"{prefix}/{entry.name}": store.read(f"{prefix}/{entry.name}") for entry in store.walk(prefix)}
    assert whole_versions(there) == {prefix}
    for path in source.rglob("*"):
        if path.is_file():
            key = f"{prefix}/{path.relative_to(source).as_posix()}"
            assert hashlib.sha256(there[key]).digest() == hashlib.sha256(path.read_bytes()).digest()
