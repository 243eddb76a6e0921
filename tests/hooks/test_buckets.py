"""In a bucket, too, every move is told once and in order, and what was told is kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from artreg.core.told import Failure
from artreg.hooks.flush import flush
from artreg.hooks.refusal import Refused
from artreg.hooks.survey import survey
from artreg.hooks.telling import skip, standing
from artreg.registry.handle import Registry
from hooks.bench import SECRETS, hook
from hooks.conftest import moving
from hooks.test_telling import AT_ONCE, LANE, Ear, move, run
from registry.bench import Bench
from store.places import MotoPlace, S3Place


def tell(place: S3Place, tmp_path: Path) -> None:
    bench = moving(Bench(place.store(), tmp_path))
    move(bench, 3)
    ear = Ear(lambda told: Refused("not that one") if told["generation"] == 2 else None)
    assert run(bench, ear)["free"].problem == "not that one"
    (waiting,) = survey(Registry(place.store()), hook(), SECRETS).lanes
    assert isinstance(waiting.failure, Failure)
    assert (waiting.generation, waiting.pending, waiting.failure.message) == (1, 2, "not that one")
    skip(bench.registry, LANE, every=False, dry_run=False)
    assert run(Bench(place.store(), tmp_path), ear)["free"].generation == 3
    assert [number for _, number in ear.heard] == [1, 3]
    (key,) = standing(bench.registry, LANE).documents
    stored = place.keys()
    assert [found for found in stored if found.startswith(".artreg/hooks/")] == [key]


def test_moves_in_a_bucket_are_told(moto_place: MotoPlace, tmp_path: Path) -> None:
    tell(moto_place, tmp_path)


@pytest.mark.s3
def test_moves_in_a_real_bucket_are_told(ceph_place: S3Place, tmp_path: Path) -> None:
    tell(ceph_place, tmp_path)


@pytest.mark.s3
def test_several_flushes_at_once_of_a_real_bucket_lose_nothing(ceph_place: S3Place, tmp_path: Path) -> None:
    bench = moving(Bench(ceph_place.store(), tmp_path))
    move(bench, 8)
    ears = [Ear() for _ in range(4)]
    threads = [
        threading.Thread(target=flush, args=(Registry(ceph_place.store()), hook(), "urn:here", ear, AT_ONCE))
        for ear in ears
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = [[number for _, number in ear.heard] for ear in ears]
    assert all(numbers == sorted(set(numbers)) for numbers in heard)
    assert set().union(*heard) == set(range(1, 9))
    assert run(bench, Ear()) == {}
