"""What is known of the values of a column: all of them, or as much as a profile keeps.

Numbers are known by their cumulative counts at knots. At a knot the counts are exact, on either side of it; between two
knots lies a known number of values at unknown places. A column whose every value is a knot is known entirely, so raw
data and profiles are the same thing here, and the measures need no second path.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from artreg.frozen import Frozen

KNOTS = 100
"""Into how many parts of equally many values a profile cuts a numeric column."""


class Count(NamedTuple):
    """A number of values: what it is taken for, and between which limits it surely lies."""

    low: float
    value: float
    high: float


class Numbers(Frozen):
    """The distribution of a numeric column.

    Attributes:
        knots: Strictly ascending; the first is the least value of the column, the last the greatest.
        below: How many values are less than each knot.
        upto: How many are less or equal.
    """

    knots: tuple[float, ...]
    below: tuple[int, ...]
    upto: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many values the column has."""
        return self.upto[-1] if self.upto else 0

    @property
    def widest_gap(self) -> float:
        """The greatest share of values between two knots: no cumulative share is off by more."""
        gaps = (after - before for before, after in zip(self.upto, self.below[1:], strict=False))
        return max(gaps, default=0) / max(self.total, 1)

    def count(self, point: float, *, inclusive: bool) -> Count:
        """Return how many values are less than a point, or also equal to it; interpolated between knots."""
        place = bisect_left(self.knots, point)
        if place == len(self.knots):
            return Count(self.total, self.total, self.total)
        if self.knots[place] == point:
            exact = self.upto[place] if inclusive else self.below[place]
            return Count(exact, exact, exact)
        if place == 0:
            return Count(0, 0, 0)
        low, high = self.upto[place - 1], self.below[place]
        part = _part(self.knots[place - 1], point, self.knots[place])
        return Count(low, low + part * (high - low), high)

    def thinned(self, parts: int = KNOTS) -> Numbers:
        """Keep the quantiles at 0, 1/parts … 1, or everything where that is no more than this.

        A quantile is the least value that the stated share of values does not exceed (definition 1 of Hyndman and Fan,
        "Sample quantiles in statistical packages", 1996): always a value of the column. So fewer than `total / parts`
        values lie between two neighbours.
        """
        if len(self.knots) <= parts + 1:
            return self
        kept = sorted({self.quantile_place(part, parts) for part in range(parts + 1)})
        rows = (self.knots, self.below, self.upto)
        return Numbers(*(tuple(row[place] for place in kept) for row in rows))  # type: ignore[arg-type]  # one of each type

    def quantile_place(self, part: int, parts: int) -> int:
        """Return which knot is the quantile at `part / parts`; the column must have a value."""
        rank = max(-(-part * self.total // parts), 1)
        return bisect_left(self.upto, rank)


class Categories(Frozen):
    """The distribution of a categorical column.

    Attributes:
        counts: How often each value occurs that is counted by name.
        other: How often all others do together; these may be any values but the named ones.
    """

    counts: Mapping[str, int]
    other: int = 0

    @property
    def total(self) -> int:
        """How many values the column has."""
        return sum(self.counts.values()) + self.other

    def knows(self, value: str) -> bool:
        """Say whether it is known how often a value occurs."""
        return self.other == 0 or value in self.counts


Distribution = Numbers | Categories


def numbers_of(values: Sequence[float], counts: Sequence[int]) -> Numbers:
    """Return the distribution of distinct, ascending, finite values that occur so many times each."""
    upto: list[int] = []
    total = 0
    for count in counts:
        total += count
        upto.append(total)
    below = (after - count for after, count in zip(upto, counts, strict=True))
    return Numbers(tuple(values), tuple(below), tuple(upto))


def numbers_in(column: Iterable[float]) -> Numbers:
    """Return the distribution of a raw column of finite numbers."""
    counted = sorted(Counter(column).items())
    return numbers_of([value for value, _ in counted], [count for _, count in counted])


def categories_in(column: Iterable[str]) -> Categories:
    """Return the distribution of a raw column of text."""
    return Categories(dict(Counter(column)))


def _part(low: float, point: float, high: float) -> float:
    """Return how far a point is from one number to another; halved, since their distance may be beyond all floats."""
    span = high / 2 - low / 2
    return min(max((point / 2 - low / 2) / span, 0.0), 1.0) if span > 0 else 0.5
