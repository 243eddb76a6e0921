"""Documents that are numbered and chained, seen alike: what they are called, and which is the last."""

from __future__ import annotations

import pytest

from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.registry import chain
from artreg.registry.approvals import approve
from artreg.registry.numbers import Missing
from registry.bench import CHURN, FREE, Bench

V1 = Version(1, 0, 0)


def test_people_are_told_which_chain_it_is() -> None:
    assert chain.history_of(CHURN, FREE).name == "demo/churn@free"
    assert chain.log_of(CHURN, V1).name == "the log of demo/churn@1.0.0"
    assert chain.policies().name == "the policies"


def test_a_chain_ends_where_its_last_document_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    history = chain.history_of(CHURN, FREE)
    assert chain.last_number(bench.store, history) == 0
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
        bench.promote(version)
    assert chain.last_number(bench.store, history) == 3
    monkeypatch.setattr(bench.store, "last_number", lambda _prefix, _name: 7)
    assert chain.last_number(bench.store, history) == 7, "a store that knows is believed, and nothing is listed"


def test_a_link_names_the_one_before_it(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    bench.promote("1.0.0", reason="again")
    approve(bench.registry, CHURN, V1, FREE)
    for links in (chain.history_of(CHURN, FREE), chain.log_of(CHURN, V1)):
        last = chain.last_number(bench.store, links)
        read = [chain.read_link(bench.store, links, number) for number in range(1, last + 1)]
        assert [link.number for link in read] == list(range(1, last + 1))
        assert [link.previous for link in read] == [None, *(link.sha256 for link in read[:-1])]
        assert [link.data for link in read] == [bench.store.read(links.key(number)) for number in range(1, last + 1)]


def test_a_link_that_is_missing_is_damage(bench: Bench) -> None:
    with pytest.raises(IntegrityError, match=r"^demo/churn/history/free/00000001\.json is missing$"):
        chain.read_link(bench.store, chain.history_of(CHURN, FREE), 1)


def test_what_is_missing_is_said() -> None:
    assert str(Missing(3)) == "3"
