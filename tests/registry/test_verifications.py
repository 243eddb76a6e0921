"""Verifying a little at a time: nothing is left out for ever, and what was found is remembered."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from artreg.core import keys
from artreg.core.names import Reference
from artreg.core.selection import Selection
from artreg.core.verification import Seen
from artreg.frozen import replace
from artreg.registry.catalog import details
from artreg.registry.verifications import remember, remembered
from artreg.registry.verify import verify
from registry.bench import CHURN, Bench
from store.faults import Crash, CrashAt

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
WEEK = Selection(since=timedelta(days=7))


@pytest.fixture
def three(bench: Bench) -> Bench:
    for version in VERSIONS:
        bench.publish(version)
    return bench


def versions(bench: Bench, **settings) -> list[str]:
    report = verify(bench.registry, **settings)
    return [checked.ref.partition("@")[2] for checked in report.checked]


def later(bench: Bench, time: timedelta) -> None:
    now = bench.registry.now()
    bench.registry = replace(bench.registry, now=lambda: now + time)


def test_what_was_recorded_is_left_out_until_it_is_time(three: Bench) -> None:
    assert versions(three, only=WEEK) == list(VERSIONS)
    assert versions(three, only=WEEK, record=True) == list(VERSIONS)
    report = verify(three.registry, only=WEEK)
    assert (report.checked, report.left_out, report.ok) == ((), 3, True)
    three.publish("1.3.0")
    assert versions(three, only=WEEK) == ["1.3.0"]
    later(three, timedelta(days=8))
    assert versions(three, only=WEEK) == [*VERSIONS, "1.3.0"]


def test_it_is_said_when_a_version_was_last_verified(three: Bench) -> None:
    reference = Reference.parse("churn@1.0.0", "demo")
    assert details(three.registry, reference).verified is None
    verify(three.registry, record=True)
    seen = details(three.registry, reference).verified
    assert seen is not None
    assert (seen.who, seen.ok) == ("ada", True)
    assert datetime.fromisoformat(seen.time) <= three.registry.now()


def test_damage_is_remembered_and_looked_at_again(three: Bench) -> None:
    three.store.delete(["demo/churn/1.1.0/model.bin"])
    assert not verify(three.registry, record=True).ok
    assert not remembered(three.registry, CHURN).seen["1.1.0"].ok
    assert versions(three, only=WEEK) == ["1.1.0"]


def test_a_version_with_another_manifest_was_never_seen(three: Bench) -> None:
    verify(three.registry, record=True)
    key = "demo/churn/1.0.0/checksum.txt"
    manifest = three.store.read(key)
    three.store.delete([key])
    three.store.create(key, manifest.replace(b"0", b"1", 1) if b"0" in manifest else manifest.upper())
    assert versions(three, only=WEEK) == ["1.0.0"]


def test_over_a_week_everything_is_verified_once(three: Bench) -> None:
    seen = [version for day in range(1, 8) for version in versions(three, only=Selection(subset=(day, 7)))]
    assert sorted(seen) == list(VERSIONS)


def test_one_document_takes_the_place_of_those_before(three: Bench) -> None:
    for _ in range(3):
        verify(three.registry, record=True)
    found = remembered(three.registry, CHURN)
    assert (len(found.documents), sorted(found.seen)) == (1, list(VERSIONS))


def test_without_being_told_nothing_is_written(three: Bench) -> None:
    before = [entry.name for entry in three.store.walk("")]
    verify(three.registry, only=WEEK)
    verify(three.registry, quick=True, record=True)
    assert [entry.name for entry in three.store.walk("")] == before


def test_a_damaged_memory_is_told_and_costs_nothing_but_time(three: Bench) -> None:
    verify(three.registry, record=True)
    (key,) = remembered(three.registry, CHURN).documents
    data = three.store.read(key)
    three.store.delete([key])
    three.store.create(key, data.replace(b"ada", b"bob"))
    report = verify(three.registry, only=WEEK)
    assert [problem.file for checked in report.checked for problem in checked.problems] == [
        keys.verifications_prefix(CHURN)
    ]
    assert report.left_out == 0


def test_killed_at_any_call_what_was_remembered_still_is(three: Bench) -> None:
    verify(three.registry, record=True)
    known = remembered(three.registry, CHURN).seen
    point = 0
    while crashes(three, point, known["1.0.0"]):
        assert set(remembered(three.registry, CHURN).seen) == set(VERSIONS)
        remember(three.registry, CHURN, known)  # the next one merges whatever the dead one left
        assert len(remembered(three.registry, CHURN).documents) == 1
        point += 1
    assert point >= 6
    assert len(remembered(three.registry, CHURN).documents) == 1


def crashes(bench: Bench, point: int, seen: Seen) -> bool:
    try:
        remember(replace(bench.registry, store=CrashAt(bench.store, point)), CHURN, {"1.0.0": seen})
    except Crash:
        return True
    return False
