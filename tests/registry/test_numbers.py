"""Numbers without a gap, and folders that grow while they are read."""

from __future__ import annotations

import pytest

from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import replace
from artreg.registry.catalog import catalog
from artreg.registry.history import newest_generation
from artreg.registry.numbers import Missing, settled
from artreg.registry.version_log import newest_event
from artreg.store.interface import Page
from registry.bench import CHURN, FREE, Bench


class Growing:
    """Shows a folder without one of its files, as one may be seen to which others add; so many times."""

    def __init__(self, inner, hidden: str, times: int) -> None:
        self._inner, self._hidden, self._left = inner, hidden, times

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def page(self, prefix: str, after: str = "") -> Page:
        page = self._inner.page(prefix, after)
        if self._left and any(entry.name == self._hidden for entry in page.entries):
            self._left -= 1
            return Page(tuple(entry for entry in page.entries if entry.name != self._hidden), page.more)
        return page

    def walk(self, prefix: str, *, sized: bool = True):
        return (entry for entry in self._inner.walk(prefix) if not entry.name.endswith(f"free/{self._hidden}"))


def moved(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    for version in ("1.0.0", "1.1.0", "1.0.0", "1.1.0"):
        bench.promote(version)
    return bench


@pytest.mark.parametrize("hidden", ["00000001.json", "00000003.json"])
def test_a_file_that_a_listing_missed_is_seen_by_the_next(bench: Bench, hidden: str) -> None:
    growing = replace(moved(bench).registry, store=Growing(bench.store, hidden, 1))
    assert newest_generation(growing, CHURN, FREE) == 4
    assert catalog(replace(growing, store=Growing(bench.store, hidden, 0)))[0].aliases == {"free": Version(1, 1, 0)}


def test_an_event_that_a_listing_missed_is_seen_by_the_next(bench: Bench) -> None:
    growing = replace(moved(bench).registry, store=Growing(bench.store, "00000001.json", 1))
    found = newest_event(growing, CHURN, Version(1, 1, 0))
    assert found is not None
    assert found[0].number == 2


def test_a_file_that_stays_away_is_missing(bench: Bench) -> None:
    growing = replace(moved(bench).registry, store=Growing(bench.store, "00000002.json", 99))
    with pytest.raises(IntegrityError, match="record 2 is missing"):
        newest_generation(growing, CHURN, FREE)


def test_looking_again_ends() -> None:
    looks = iter([3, 5, 5])

    def look() -> int:
        raise Missing(next(looks))

    with pytest.raises(Missing) as caught:
        settled(look)
    assert caught.value.number == 5
