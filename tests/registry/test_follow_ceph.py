"""Following an alias in a real bucket that several processes' worth of movers write to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from artreg.core.version import Version
from artreg.errors import Conflict
from artreg.registry.follow import Follower, Subject
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from registry.bench import CHURN, FREE, Bench
from store.places import S3Place

pytestmark = pytest.mark.s3

MOVES = 12


def move(place: S3Place, name: str, policy) -> None:
    registry, moved, tries = Registry(place.store(), name), 0, 0
    while moved < MOVES:
        tries += 1
        try:
            moved += promote(registry, CHURN, Version(1, tries % 3, 0), FREE, policy).changed
        except Conflict:
            continue


def test_each_move_in_a_bucket_is_told_once_and_in_order(ceph_place: S3Place, tmp_path: Path) -> None:
    bench = Bench(ceph_place.store(), tmp_path)
    for minor in range(3):
        bench.publish(f"1.{minor}.0")
    bench.promote("1.0.0")
    follower = Follower(Registry(ceph_place.store(), "bob"), Subject(CHURN))
    seen = [news.number for news in follower.begin()]
    movers = [threading.Thread(target=move, args=(ceph_place, name, bench.policy)) for name in ("ada", "eve")]
    for mover in movers:
        mover.start()
    while any(mover.is_alive() for mover in movers):
        seen += [news.number for news in follower.look()]
    seen += [news.number for news in follower.look()]
    assert seen == list(range(1, 2 + 2 * MOVES))
