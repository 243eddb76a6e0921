"""Processes that move aliases while others yank and take approvals back, and the judge of what they report.

Each notes by the machine's own clock, which all its processes share, when it made the call that creates a record, and
between which moments a version was certainly yanked or not approved. The two must never overlap.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from artreg.core import keys
from artreg.core.names import Alias
from artreg.errors import Conflict, GateRejected, NotFound
from artreg.registry.approvals import approve, revoke
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.registry.rollback import rollback
from artreg.registry.versions import list_aliases
from artreg.registry.yank import unyank, yank
from artreg.store.factory import open_store
from faults import processes
from faults.build import MODEL, assert_sound, collect_everything
from faults.judging import FREE, JUDGED, MOVES, PROD, V1, V2, V3, assert_freezes_hold, make_versions
from faults.racers import Track, reports_of
from faults.races import Race
from store.faults import Wrapper

VERSIONS = (V1, V2, V3)
AT_LEAST = 12
"""How many moves a mover tries, however busy the machine is: to each version and by each way."""


class Timed(Wrapper):
    """Notes when objects were asked to be created, and when the answer was there."""

    def __init__(self, store) -> None:
        super().__init__(store)
        self.began: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def before(self, call: str, key: str) -> None:
        if call == "create":
            self.began[key] = time.monotonic_ns()

    def after(self, call: str, key: str) -> None:
        if call == "create":
            self.ended[key] = time.monotonic_ns()


def mover(number: int, track: Track, seconds: float) -> None:
    """Move aliases to one version after another, and report when each record was created."""
    timed = Timed(open_store(track.url, track.options))
    registry = Registry(timed, f"mover {number}")
    moved, refused, attempt = [], 0, number
    track.start.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end or attempt < number + AT_LEAST:
        attempt += 1
        alias = PROD if attempt % 3 else FREE
        try:
            if attempt % 7 == 0:
                result = rollback(registry, MODEL, alias, JUDGED)
            else:
                result = promote(registry, MODEL, VERSIONS[attempt // 2 % 3], alias, JUDGED)
        except (Conflict, GateRejected, NotFound):
            refused += 1
            continue
        record = result.record
        if result.changed:
            key = keys.record_key(MODEL, record.alias, record.generation)
            what = [str(alias), record.generation, record.action.value, str(record.version)]
            moved.append([*what, timed.began[key], timed.ended[key]])
    _report(track.reports, number, {"moved": moved, "refused": refused})


def judge(number: int, track: Track, seconds: float, rest: float) -> None:
    """Yank a version and take that back, or approve one and take that back; report when it was forbidden.

    Between two judgements movers get a rest that is long enough for a whole move there.
    """
    registry = Registry(open_store(track.url, track.options), f"judge {number}")
    version, forbidden = VERSIONS[number % 2], []
    by_yank = number % 4 < 2
    track.start.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(forbidden) < 2:
        if by_yank:
            yank(registry, MODEL, version, "bad")
        else:
            revoke(registry, MODEL, version, PROD)
        since = time.monotonic_ns()
        time.sleep(rest / 5)
        until = time.monotonic_ns()
        if by_yank:
            unyank(registry, MODEL, version, "good")
        else:
            approve(registry, MODEL, version, PROD)
        forbidden.append([str(version), since, until])
        time.sleep(rest)
    _report(track.reports, number, {"yanked" if by_yank else "revoked": forbidden})


def race_judges(race: Race, movers: int, seconds: float, rest: float) -> None:
    """Four judges, one for each of two versions to yank and to approve, against so many movers."""
    make_versions(Registry(race.registry.store, "publisher"), race.sources, VERSIONS)
    approve(Registry(race.registry.store, "somebody"), MODEL, V3, PROD)
    start = processes.barrier(4 + movers)
    track = race.track(start)
    running = [processes.start(judge, number, track, seconds, rest) for number in range(4)]
    running += [processes.start(mover, 4 + number, track, seconds) for number in range(movers)]
    assert [processes.finish(process) for process in running] == [0] * len(running)
    told = reports_of(race.reports)
    moved = [move for one in told.values() for move in one.get("moved", ())]
    refused = sum(one.get("refused", 0) for one in told.values())
    for kind in ("yanked", "revoked"):
        for one in told.values():
            for version, since, until in one.get(kind, ()):
                overtaken = [
                    move
                    for move in moved
                    if move[3] == version and since < move[4] and move[5] < until
                    and (kind == "yanked" or (move[0] == "prod" and move[2] == "promote"))
                ]  # fmt: skip
                assert overtaken == [], f"{version} was {kind} from {since} to {until}"
    _assert_acknowledged(race.registry, moved)
    collect_everything(race.registry.store)
    assert_sound(race.registry)
    assert_freezes_hold(race.registry)
    times = sum(len(one.get("yanked", ())) + len(one.get("revoked", ())) for one in told.values())
    print(f"{len(moved)} moves and {refused} refusals while versions were forbidden {times} times at {race.url}")
    assert moved
    assert refused
    assert times > 4


def _assert_acknowledged(registry: Registry, moved: list[list[object]]) -> None:
    """What was acknowledged stands in the histories, and besides it only fences do."""
    stands = {
        (name, head.record.generation)
        for name in list_aliases(registry.store, MODEL)
        for head in records(registry, MODEL, Alias(name))
        if head.record.action in MOVES
    }
    assert stands == {(alias, generation) for alias, generation, *_ in moved}


def _report(folder: Path, number: int, told: object) -> None:
    (folder / f"{number}.json").write_text(json.dumps(told))
