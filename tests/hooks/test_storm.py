"""However receivers, flushes and movers fail, and whenever they die: every event arrives, of each alias in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from artreg.hooks.several import Flushed
from artreg.hooks.survey import survey
from artreg.registry.crosscheck import crosscheck
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from faults import processes
from hooks import victims
from hooks.bench import SECRETS, Receiver, hook, numbers_by_source, wait_until
from hooks.conftest import moving
from registry.bench import CHURN, Bench
from sizes import size

ALIASES = ("staging", "prod", "canary", "eu", "us")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A registry on a disk with two versions."""
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    (tmp_path / "made").mkdir()
    moving(Bench(store, tmp_path / "made"))
    return tmp_path / "registry"


class Flushers:
    """Two processes that deliver again and again; one is killed now and then, and another comes."""

    def __init__(self, root: Path, receiver: Receiver, place: str) -> None:
        self._arguments = (str(root), receiver.url, place)
        self._processes = [self._begin() for _ in range(2)]

    def _begin(self):
        return processes.start(victims.flush_often, *self._arguments)

    def kill_one(self) -> None:
        self._end(self._processes.pop(0))
        self._processes.append(self._begin())

    def kill(self) -> None:
        while self._processes:
            self._end(self._processes.pop())

    def _end(self, process) -> None:
        process.kill()
        processes.finish(process)


def test_every_event_arrives_in_order_whoever_dies(root: Path, receiver: Receiver, tmp_path: Path) -> None:
    moves = size(30, 1000, 5000)
    each = moves // len(ALIASES)
    receiver.behave("third")
    place = str(tmp_path / "turns")
    movers = [processes.start(victims.move_often, str(root), alias, each) for alias in ALIASES]
    flushers = Flushers(root, receiver, place)
    deaths = [flushers.kill_one, restart(receiver), flushers.kill_one, flushers.kill_one, restart(receiver)]
    try:
        for part, die in enumerate(deaths, 1):
            enough = moves * part // (len(deaths) + 1)
            wait_until(lambda enough=enough: len(receiver.heard()) >= enough, lambda: len(receiver.heard()))
            die()
        assert [processes.finish(mover) for mover in movers] == [0] * len(ALIASES)
    finally:
        flushers.kill()

    done = finish(root, receiver, place)
    assert done.ok, done
    taken, heard = receiver.taken(), receiver.heard()
    assert numbers_by_source(taken) == {
        f"{victims.SOURCE}/demo/churn/{alias}": list(range(1, each + 1)) for alias in ALIASES
    }
    assert len(heard) - len(taken) > moves / 6
    print(f"{moves} moves: {len(heard)} requests, {len(taken)} taken, {len(taken) - each * len(ALIASES)} of them twice")


def restart(receiver: Receiver) -> Callable[[], None]:
    def die_and_come_back() -> None:
        receiver.kill()
        receiver.start()

    return die_and_come_back


def finish(root: Path, receiver: Receiver, place: str) -> Flushed:
    """Deliver what is left."""
    (done,) = victims.flusher(str(root), receiver.url, place).flush([hook(url=receiver.url, retry_for=60.0)])
    (standing,) = [survey(Registry(LocalStore(root)), hook(url=receiver.url), SECRETS)]
    assert [one.pending for one in standing.lanes] == [0] * len(ALIASES)
    return done


def test_a_flush_that_is_killed_at_any_call_loses_nothing(root: Path, tmp_path: Path) -> None:
    moves = 3
    for alias in ("staging", "prod"):
        victims.move_often(str(root), alias, moves)
    folder = tmp_path / "killed"
    folder.mkdir()
    child = processes.start(victims.killed_at_every_call, str(root), str(folder), size(41, 1, 1))
    assert processes.finish(child) == 0
    points = len(list(folder.glob("*.log")))
    assert int((folder / "calls").read_text()) > 150
    twice = 0
    for log in folder.glob("*.log"):
        events = [json.loads(line) for line in log.read_text().splitlines() if line]
        expected = {f"{victims.SOURCE}/demo/churn/{alias}": [1, 2, 3] for alias in ("staging", "prod")}
        assert numbers_by_source(events) == expected, log
        assert len(events) - 2 * moves in {0, 1}
        twice += len(events) - 2 * moves
        registry = Registry(LocalStore(log.with_suffix("")))
        lanes = survey(registry, hook(), SECRETS).lanes
        assert [(one.generation, one.pending) for one in lanes] == [(moves, 0)] * 2
    print(f"killed at {points} calls, after which {twice} events came twice")
    assert twice
    assert not [note for note in crosscheck(registry, [CHURN], whole=True).notes if "hooks" in note]
