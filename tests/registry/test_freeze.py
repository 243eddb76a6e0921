"""Freezing an alias; and what an alias held at some time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from artreg.core import canonical, keys
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import Conflict, GateRejected, IntegrityError, InvalidInput, NotFound
from artreg.frozen import replace
from artreg.registry.freeze import freeze, frozen_now, require_not_frozen, unfreeze
from artreg.registry.history import at, find_head, records, verify_chain
from artreg.registry.move import commit_in_place
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from registry.bench import CHURN, FREE, POLICY, STAGING, Bench

CHRISTMAS = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def held(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    bench.publish("1.2.0")
    return bench


def later(bench: Bench, now: datetime) -> Bench:
    bench.registry = replace(bench.registry, now=lambda: now)
    return bench


def test_a_frozen_alias_stays_where_it_is(held: Bench) -> None:
    before = find_head(held.registry, CHURN, FREE)
    moved = freeze(held.registry, CHURN, FREE, CHRISTMAS, " sales ")
    assert before is not None
    assert (moved.changed, moved.record.action, moved.record.generation) == (True, Action.FREEZE, 3)
    assert (moved.record.version, moved.record.fallback) == (before.record.version, before.record.fallback)
    with pytest.raises(GateRejected, match=r"frozen until 2026-12-01T00:00:00.000Z by ada: sales") as caught:
        held.promote("1.2.0")
    assert [gate["gate"] for gate in caught.value.details["gates"] if not gate["passed"]] == ["frozen"]
    assert not held.promote("1.1.0").changed
    assert verify(held.registry).ok


def test_a_rollback_may_and_leaves_it_frozen(held: Bench) -> None:
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    record = rollback(held.registry, CHURN, FREE, POLICY).record
    assert (str(record.version), record.frozen is not None) == ("1.0.0", True)
    with pytest.raises(GateRejected, match="by ada: sales"):
        held.promote("1.2.0")


def test_it_ends_by_itself_and_is_then_forgotten(held: Bench) -> None:
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    with pytest.raises(GateRejected):
        later(held, CHRISTMAS - timedelta(seconds=1)).promote("1.2.0")
    assert later(held, CHRISTMAS).promote("1.2.0").record.frozen is None
    assert "frozen" not in find_head(held.registry, CHURN, FREE).record.document()


def test_it_can_be_ended(held: Bench) -> None:
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    moved = unfreeze(held.registry, CHURN, FREE, "over")
    assert (moved.changed, moved.record.action, moved.record.frozen) == (True, Action.UNFREEZE, None)
    assert not unfreeze(held.registry, CHURN, FREE, "over").changed
    assert held.promote("1.2.0").changed
    assert str(rollback(held.registry, CHURN, FREE, POLICY).record.version) == "1.1.0"
    assert str(rollback(held.registry, CHURN, FREE, POLICY).record.version) == "1.0.0"


def test_the_same_freeze_is_written_once_and_another_replaces_it(held: Bench) -> None:
    assert freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales").changed
    assert not freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales").changed
    assert freeze(held.registry, CHURN, FREE, CHRISTMAS + timedelta(days=1), "sales").changed
    assert find_head(held.registry, CHURN, FREE).record.frozen.until == "2026-12-02T00:00:00.000Z"


def test_a_dry_run_freezes_nothing(held: Bench) -> None:
    assert freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales", dry_run=True).record.frozen is not None
    assert find_head(held.registry, CHURN, FREE).record.generation == 2


@pytest.mark.parametrize(
    ("until", "reason", "said"),
    [
        (CHRISTMAS, " ", "needs a reason"),
        (datetime(2026, 1, 1, tzinfo=UTC), "why", "has passed already"),
        (datetime(2026, 12, 1), "why", "has no time zone"),  # noqa: DTZ001  # that is what is refused
    ],
)
def test_refuses_what_makes_no_sense(held: Bench, until: datetime, reason: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        freeze(held.registry, CHURN, FREE, until, reason)


def test_nothing_cannot_be_frozen(held: Bench) -> None:
    with pytest.raises(NotFound, match="points nowhere"):
        freeze(held.registry, CHURN, STAGING, CHRISTMAS, "why")
    with pytest.raises(InvalidInput, match="needs a reason"):
        unfreeze(held.registry, CHURN, FREE, "")
    require_not_frozen(None, CHRISTMAS)
    assert frozen_now(None, CHRISTMAS) is None


def test_whoever_judged_before_the_freeze_gets_a_conflict(held: Bench) -> None:
    stale = rollback(held.registry, CHURN, FREE, POLICY, dry_run=True).record
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    with pytest.raises(Conflict, match="somebody else moved free"):
        commit_in_place(held.registry, stale)


def test_a_freeze_is_part_of_what_is_sealed(held: Bench) -> None:
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    key = keys.record_key(CHURN, FREE, 3)
    document = canonical.loads(held.store.read(key), key)
    del document["frozen"]
    held.store.delete([key])
    held.store.create(key, canonical.dumps(document))
    with pytest.raises(IntegrityError, match="own digest"):
        held.promote("1.2.0")


def test_what_an_alias_held_at_some_time(held: Bench) -> None:
    freeze(held.registry, CHURN, FREE, CHRISTMAS, "sales")
    rollback(held.registry, CHURN, FREE, POLICY)
    heads = list(records(held.registry, CHURN, FREE))
    times = [datetime.fromisoformat(head.record.time) for head in reversed(heads)]
    assert at(held.registry, CHURN, FREE, times[0] - timedelta(seconds=1)) is None
    versions = [at(held.registry, CHURN, FREE, time).record.version for time in times]
    assert versions == [Version(1, 0, 0), Version(1, 1, 0), Version(1, 1, 0), Version(1, 0, 0)]
    assert at(held.registry, CHURN, FREE, times[1] - timedelta(milliseconds=1)).record.generation == 1
    assert at(held.registry, CHURN, FREE, times[3] + timedelta(days=9)) == heads[0]
    assert at(held.registry, CHURN, STAGING, times[3]) is None
    assert verify_chain(held.registry, CHURN, FREE) == 4
    held.store.delete([keys.record_key(CHURN, FREE, 2)])
    with pytest.raises(IntegrityError):
        verify_chain(held.registry, CHURN, FREE)
