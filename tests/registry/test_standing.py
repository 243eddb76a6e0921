"""Where aliases stand, by a clock that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from artreg.core.record import Action
from artreg.errors import NotFound
from artreg.frozen import replace
from artreg.registry import standing
from artreg.registry.confirm import confirm
from artreg.registry.freeze import freeze
from artreg.registry.standing import survey
from artreg.store.interface import READ_LIMIT
from registry.bench import CHURN, FREE, Bench
from store.faults import Wrapper


def test_a_freeze_is_told_until_it_is_over(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    end = datetime(2026, 3, 2, tzinfo=UTC)
    freeze(bench.registry, CHURN, FREE, end, "holidays")

    def frozen(after: timedelta) -> bool:
        return survey(replace(bench.registry, now=lambda: end + after))[0].aliases[0].frozen is not None

    assert frozen(timedelta(seconds=-1))
    assert not frozen(timedelta(0))


def test_behind_many_confirmations_the_oldest_that_was_looked_at_stands_for_the_move(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")

    def found() -> tuple[Action, int]:
        move = survey(bench.registry)[0].aliases[0].move
        assert move is not None
        return move.action, move.generation

    for confirmations in (6, 6):  # first among those that are read one by one, then behind them
        for _ in range(confirmations):
            confirm(bench.registry, CHURN, FREE, bench.policy)
        assert found() == (Action.PROMOTE, 1)
    monkeypatch.setattr(standing, "_FAR", 2)
    assert found() == (Action.CONFIRM, 4)


class Vanishing(Wrapper):
    """Lists a record of the past, and has it no more when it is read."""

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        if key.endswith("free/00000002.json"):
            raise NotFound(f"there is no {key}")
        return super().read(key, limit)


def test_a_gap_far_back_is_damage(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    for _ in range(10):
        confirm(bench.registry, CHURN, FREE, bench.policy)
    alias = survey(replace(bench.registry, store=Vanishing(bench.store)))[0].aliases[0]
    assert "gap" in alias.damage
