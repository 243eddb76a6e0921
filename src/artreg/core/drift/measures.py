"""How far two columns are apart: PSI, Kolmogorov-Smirnov, Jensen-Shannon, each with limits where it is estimated."""

from __future__ import annotations

import math
from typing import NamedTuple

from artreg.core.drift.distribution import Categories, Count, Distribution, Numbers
from artreg.frozen import Frozen

BINS = 10
"""Into how many bins of the reference PSI cuts a numeric column."""

FLOOR = 1e-4
"""What an empty bin counts as, and the least share that PSI sees: else one rare value would make it infinite."""

MODERATE = 0.1
"""From this PSI on a column has shifted, by the rule of thumb of Siddiqi, "Credit Risk Scorecards", 2006."""

MAJOR = 0.25
"""From this PSI on it is another column altogether, by the same rule."""


class Estimate(NamedTuple):
    """A figure, and between which limits it surely lies; these are equal where all values are known."""

    value: float
    low: float
    high: float


class Column(Frozen):
    """A column: its values, and how many are missing."""

    values: Distribution
    missing: int = 0

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.values.total + self.missing

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / max(self.rows, 1)


class _Bin(NamedTuple):
    reference: int
    candidate: Count


def psi(reference: Column, candidate: Column) -> Estimate:
    """Return the population stability index: the sum over bins of (q - p) * ln(q / p), p of the reference.

    It is the sum of the Kullback-Leibler divergences in both directions (Yurdakul, "Statistical Properties of
    Population Stability Index", 2018). Bins of numbers are cut at the deciles of the reference, (d1, d2] and so on,
    open to either side; a value that fills two deciles or more is a bin of its own, so that a constant that changes is
    seen. Bins of categories are their values. Missing values are a bin. A share below `FLOOR` counts as `FLOOR`.

    Raises:
        TypeError: One column is of numbers and the other of categories.
    """
    bins, hidden = _bins(reference.values, candidate.values)
    bins.append(_Bin(reference.missing, _exact(candidate.missing)))
    rows = max(reference.rows, 1), max(candidate.rows, 1)
    terms = [_psi_term(pair, *rows) for pair in bins]
    value, low, high = (math.fsum(term[index] for term in terms) for index in range(3))
    if not any(hidden):
        return Estimate(value, low, high)
    p, q = (count / total for count, total in zip(hidden, rows, strict=True))
    pooled = _contribution(p, q)
    # Each hidden value adds at most its shares times the logarithm; see how both grow with the share.
    return Estimate(value + pooled, low, high + (p + q) * math.log(max(p, q, FLOOR) / FLOOR))


def psi_by_chance(reference: Column, candidate: Column) -> float:
    """Return what the index is on average when both columns are drawn from one population.

    It is about (bins - 1) * (1 / n + 1 / m) for n and m rows, since the index is then nearly chi-squared (Yurdakul,
    2018): a hundred rows on either side make 0.2 out of nothing. Empty bins do not count.
    """
    bins, hidden = _bins(reference.values, candidate.values)
    bins.append(_Bin(reference.missing, _exact(candidate.missing)))
    occupied = sum(pair.reference > 0 or pair.candidate.value > 0 for pair in bins) + any(hidden)
    return max(occupied - 1, 0) * (1 / max(reference.rows, 1) + 1 / max(candidate.rows, 1))


def kolmogorov_smirnov(reference: Numbers, candidate: Numbers) -> Estimate:
    """Return the greatest distance of the two cumulative distributions; neither may be empty.

    Both are right-continuous steps or straight between knots, so that the greatest distance is at a knot of either, on
    one side of it. Between knots each is off by less than its widest gap, hence the limits.
    """
    distance = 0.0
    for point in {*reference.knots, *candidate.knots}:
        for inclusive in (False, True):
            ours, theirs = (
                side.count(point, inclusive=inclusive).value / side.total for side in (reference, candidate)
            )
            distance = max(distance, abs(ours - theirs))
    slack = reference.widest_gap + candidate.widest_gap
    return Estimate(distance, max(distance - slack, 0.0), min(distance + slack, 1.0))


def jensen_shannon(reference: Categories, candidate: Categories) -> Estimate:
    """Return the Jensen-Shannon distance, the root of the divergence to base 2, from 0 to 1; neither may be empty.

    Values that one side does not count by name are taken together. That can only bring the two nearer (the data
    processing inequality), and at most what was taken together is wholly different: hence the limits.
    """
    pairs, hidden = _paired(reference, candidate)
    totals = reference.total, candidate.total
    known = math.fsum(_js_term(a / totals[0], b / totals[1]) for a, b in pairs)
    p, q = hidden[0] / totals[0], hidden[1] / totals[1]
    pooled = _root(known + _js_term(p, q))
    return Estimate(pooled, pooled, _root(known + (p + q) / 2) if p and q else pooled)


def _bins(reference: Distribution, candidate: Distribution) -> tuple[list[_Bin], tuple[int, int]]:
    """Return the bins of the values, and how many values of either side are in no bin that both know."""
    match reference, candidate:
        case Numbers(), Numbers():
            return _numeric_bins(reference, candidate), (0, 0)
        case Categories(), Categories():
            pairs, hidden = _paired(reference, candidate)
            return [_Bin(a, _exact(b)) for a, b in pairs], hidden
    raise TypeError("numbers and categories cannot be compared")


def _numeric_bins(reference: Numbers, candidate: Numbers) -> list[_Bin]:
    cuts = [
        (reference.count(point, inclusive=inclusive).value, candidate.count(point, inclusive=inclusive))
        for point, inclusive in _cuts(reference)
    ]
    starts = [(0.0, _exact(0)), *cuts]
    ends = [*cuts, (float(reference.total), _exact(candidate.total))]
    return [
        _Bin(
            round(after - before),  # cuts are knots of the reference: its counts are whole
            Count(max(end.low - start.high, 0), max(end.value - start.value, 0), max(end.high - start.low, 0)),
        )
        for (before, start), (after, end) in zip(starts, ends, strict=True)
    ]


def _cuts(reference: Numbers) -> list[tuple[float, bool]]:
    """Return where bins end: at a value, and whether that value is still inside."""
    if not reference.total:
        return []
    deciles = [reference.knots[reference.quantile_place(part, BINS)] for part in range(1, BINS)]
    own = {point for point in deciles if deciles.count(point) > 1}
    return sorted({(point, True) for point in deciles} | {(point, False) for point in own})


def _paired(reference: Categories, candidate: Categories) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Return the counts of each value that both sides know, and how many values of either side are left."""
    pairs = [
        (reference.counts.get(value, 0), candidate.counts.get(value, 0))
        for value in sorted({*reference.counts, *candidate.counts})
        if reference.knows(value) and candidate.knows(value)
    ]
    left = reference.total - sum(a for a, _ in pairs), candidate.total - sum(b for _, b in pairs)
    return pairs, left


def _psi_term(pair: _Bin, rows: int, candidate_rows: int) -> Estimate:
    p = pair.reference / rows
    ends = [share / candidate_rows for share in (pair.candidate.low, pair.candidate.high)]
    worst = max(_contribution(p, q) for q in ends)
    # The contribution falls until q is p and grows from there, so the least is at the share nearest to p.
    least = _contribution(p, min(max(p, ends[0]), ends[1]))
    return Estimate(_contribution(p, pair.candidate.value / candidate_rows), least, worst)


def _contribution(p: float, q: float) -> float:
    p, q = max(p, FLOOR), max(q, FLOOR)
    return (q - p) * math.log(q / p)


def _js_term(p: float, q: float) -> float:
    middle = (p + q) / 2
    return math.fsum(_half(share, middle) for share in (p, q))


def _half(share: float, middle: float) -> float:
    return share / 2 * math.log2(share / middle) if share else 0.0


def _root(divergence: float) -> float:
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _exact(count: int) -> Count:
    return Count(count, count, count)
