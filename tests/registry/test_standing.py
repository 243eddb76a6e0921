"""Where aliases stand, by a clock that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from artreg.core.record import Action
from artreg.frozen import replace
from artreg.registry.confirm import confirm
from artreg.registry.freeze import freeze
from artreg.registry.standing import survey
from registry.bench import CHURN, FREE, Bench


def test_a_freeze_is_told_until_it_is_over(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    end = datetime(2026, 3, 2, tzinfo=UTC)
    freeze(bench.registry, CHURN, FREE, end, "holidays")

    def frozen(after: timedelta) -> bool:
        return survey(replace(bench.registry, now=lambda: end + after))[0].aliases[0].frozen is not None

    assert frozen(timedelta(seconds=-1))
    assert not frozen(timedelta(0))


def test_behind_many_confirmations_the_oldest_that_was_looked_at_stands_for_the_move(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    for _ in range(6):
        confirm(bench.registry, CHURN, FREE, bench.policy)
    alias = survey(bench.registry)[0].aliases[0]
    assert alias.move is not None
    assert (alias.move.action, alias.move.generation) == (Action.PROMOTE, 1)
    for _ in range(4):
        confirm(bench.registry, CHURN, FREE, bench.policy)
    alias = survey(bench.registry)[0].aliases[0]
    assert alias.move is not None
    assert (alias.move.action, alias.move.generation) == (Action.CONFIRM, 4)
