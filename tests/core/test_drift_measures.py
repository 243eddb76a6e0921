"""The measures: against scipy and numpy on raw columns, and within their stated limits on thinned ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from artreg.core.drift.distribution import KNOTS, Categories, Numbers, categories_in, numbers_in
from artreg.core.drift.measures import FLOOR, Column, jensen_shannon, kolmogorov_smirnov, psi, psi_by_chance
from sizes import size

Draw = Callable[[np.random.Generator, int], "np.ndarray"]

CONTINUOUS: dict[str, tuple[Draw, Draw]] = {
    "the same": (lambda r, n: r.normal(size=n), lambda r, n: r.normal(size=n)),
    "shifted": (lambda r, n: r.normal(size=n), lambda r, n: r.normal(0.3, 1, size=n)),
    "wider": (lambda r, n: r.normal(size=n), lambda r, n: r.normal(0, 1.5, size=n)),
    "skewed": (lambda r, n: r.lognormal(size=n), lambda r, n: r.lognormal(0.2, 1.2, size=n)),
    "heavy tails": (lambda r, n: r.standard_cauchy(size=n), lambda r, n: 1 + r.standard_cauchy(size=n)),
    "two humps": (
        lambda r, n: r.normal(4.0 * r.integers(0, 2, size=n), 0.3),
        lambda r, n: r.normal(4.0 * (r.random(n) < 0.7), 0.3),
    ),
    "many zeros": (
        lambda r, n: np.where(r.random(n) < 0.4, 0.0, r.exponential(size=n)),
        lambda r, n: np.where(r.random(n) < 0.5, 0.0, r.exponential(size=n)),
    ),
    "apart": (lambda r, n: r.uniform(size=n), lambda r, n: r.uniform(5, 6, size=n)),
}
DISCRETE: dict[str, tuple[Draw, Draw]] = {
    "binary": (lambda r, n: r.binomial(1, 0.2, size=n), lambda r, n: r.binomial(1, 0.4, size=n)),
    "counts": (lambda r, n: r.poisson(2, size=n), lambda r, n: r.poisson(3, size=n)),
    "years": (lambda r, n: r.integers(18, 90, size=n), lambda r, n: r.integers(25, 90, size=n)),
    "constant": (lambda r, n: np.full(n, 5), lambda r, n: np.full(n, 5)),
    "constants": (lambda r, n: np.full(n, 5), lambda r, n: np.full(n, 3)),
}
LARGE = size(2500, 8000, 8000)
SIZES = ((2000, 1500), (LARGE, LARGE), (101, 90), (30, 4000), (1, 1), (2, 50))


def drawn(pair: tuple[Draw, Draw], sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(20260101)
    return tuple(draw(generator, size).astype(float) for draw, size in zip(pair, sizes, strict=True))  # type: ignore[return-value]


def psi_by_numpy(one: np.ndarray, two: np.ndarray) -> float:
    """The formula, with the bins counted one by one."""
    deciles = np.quantile(one, np.arange(1, 10) / 10, method="inverted_cdf")
    edges, times = np.unique(deciles, return_counts=True)
    terms, last = [], -np.inf

    def add(inside: Callable[[np.ndarray], np.ndarray]) -> None:
        p, q = (max(inside(side).mean(), FLOOR) for side in (one, two))
        terms.append((q - p) * np.log(q / p))

    for edge, count in zip(edges, times, strict=True):
        if count > 1:
            add(lambda x, low=last, high=edge: (x > low) & (x < high))
            add(lambda x, at=edge: x == at)
        else:
            add(lambda x, low=last, high=edge: (x > low) & (x <= high))
        last = edge
    add(lambda x, low=last: x > low)
    return float(np.sum(terms))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_raw_numbers_agree_with_scipy_and_numpy(name: str, sizes: tuple[int, int]) -> None:
    one, two = drawn((CONTINUOUS | DISCRETE)[name], sizes)
    ours, theirs = numbers_in(one.tolist()), numbers_in(two.tolist())
    distance = kolmogorov_smirnov(ours, theirs)
    assert distance.value == pytest.approx(ks_2samp(one, two).statistic, abs=1e-9)
    index = psi(Column(ours), Column(theirs))
    assert index.value == pytest.approx(psi_by_numpy(one, two), abs=1e-9)
    for estimate in (distance, index):
        assert estimate.low == pytest.approx(estimate.value, abs=1e-12)
        assert estimate.high == pytest.approx(estimate.value, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_raw_categories_agree_with_scipy_and_numpy(seed: int) -> None:
    generator = np.random.default_rng(seed)
    names = [f"c{place}" for place in range(generator.integers(1, 12))]
    one, two = (
        generator.choice(names, size=generator.integers(1, 3000), p=generator.dirichlet(np.ones(len(names)))).tolist()
        for _ in range(2)
    )
    p, q = (np.array([side.count(name) for name in names]) / len(side) for side in (one, two))
    ours, theirs = categories_in(one), categories_in(two)
    assert jensen_shannon(ours, theirs).value == pytest.approx(jensenshannon(p, q, base=2), abs=1e-9)
    p, q = np.maximum(p, FLOOR), np.maximum(q, FLOOR)
    assert psi(Column(ours), Column(theirs)).value == pytest.approx(np.sum((q - p) * np.log(q / p)), abs=1e-9)


def test_the_distance_of_equal_and_of_disjoint_categories() -> None:
    one, two = categories_in("aab"), categories_in("xyz")
    assert jensen_shannon(one, one).value == 0.0
    assert jensen_shannon(one, two).value == pytest.approx(1.0)


@pytest.mark.parametrize("sizes", SIZES[:4], ids=str)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_profiles_of_continuous_columns_are_within_the_stated_limits(name: str, sizes: tuple[int, int]) -> None:
    one, two = (numbers_in(side.tolist()) for side in drawn(CONTINUOUS[name], sizes))
    thin = one.thinned(), two.thinned()
    assert all(len(side.knots) <= KNOTS + 1 and side.widest_gap < 1 / KNOTS for side in thin)
    exact, near = kolmogorov_smirnov(one, two).value, kolmogorov_smirnov(*thin)
    assert abs(near.value - exact) < 2 / KNOTS
    assert near.low <= exact <= near.high
    exact, near = psi(Column(one), Column(two)).value, psi(Column(thin[0]), Column(thin[1]))
    assert near.low - 1e-12 <= exact <= near.high + 1e-12


@pytest.mark.parametrize("name", DISCRETE)
def test_profiles_of_discrete_columns_are_exact(name: str) -> None:
    one, two = (numbers_in(side.tolist()) for side in drawn(DISCRETE[name], (3000, 2500)))
    assert one.thinned() == one
    assert two.thinned() == two


numbers = st.lists(st.one_of(st.integers(-5, 5), st.floats(-1e308, 1e308)).map(float), min_size=1, max_size=60)


@settings(max_examples=size(50, 200, 200), deadline=None)
@given(numbers, numbers, st.integers(1, 12))
def test_limits_hold_for_any_numbers_and_any_thinning(one: list[float], two: list[float], parts: int) -> None:
    whole = numbers_in(one), numbers_in(two)
    # The deciles of the reference are knots where the parts are a multiple of ten.
    thin = whole[0].thinned(10 * parts), whole[1].thinned(parts)
    for side, thinned in zip(whole, thin, strict=True):
        assert thinned.total == side.total
        assert (thinned.knots[0], thinned.knots[-1]) == (side.knots[0], side.knots[-1])
    near, exact = kolmogorov_smirnov(*thin), kolmogorov_smirnov(*whole).value
    assert near.low - 1e-12 <= exact <= near.high + 1e-12
    columns = [(Column(pair[0]), Column(pair[1])) for pair in (thin, whole)]
    near, exact = psi(*columns[0]), psi(*columns[1]).value
    assert near.low - 1e-9 <= exact <= near.high + 1e-9


words = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=60)


@settings(max_examples=size(50, 200, 200), deadline=None)
@given(words, words, st.integers(0, 10), st.integers(0, 10))
def test_limits_hold_where_rare_categories_are_not_named(
    one: list[str], two: list[str], kept: int, others: int
) -> None:
    whole = categories_in(one), categories_in(two)
    thin = top(whole[0], kept), top(whole[1], others)
    near, exact = jensen_shannon(*thin), jensen_shannon(*whole).value
    assert near.low - 1e-7 <= exact <= near.high + 1e-7  # the root of a rounding error of 1e-16 is 1e-8
    near, exact = psi(Column(thin[0]), Column(thin[1])), psi(Column(whole[0]), Column(whole[1])).value
    assert near.low - 1e-9 <= exact <= near.high + 1e-9


def top(values: Categories, kept: int) -> Categories:
    ordered = sorted(values.counts.items(), key=lambda item: (-item[1], item[0]))
    return Categories(dict(ordered[:kept]), sum(count for _, count in ordered[kept:]))


def test_missing_values_are_a_bin_of_psi() -> None:
    values = numbers_in([1.0, 2.0, 3.0, 4.0])
    assert psi(Column(values, 0), Column(values, 0)).value == 0.0
    p, q = 1 / 5, 4 / 8
    expected = (q - p) * np.log(q / p) + 4 * (1 / 8 - 1 / 5) * np.log((1 / 8) / (1 / 5))
    assert psi(Column(values, 1), Column(values, 4)).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("missing", [0, 7])
def test_empty_columns_divide_by_nothing(missing: int) -> None:
    empty, some = Numbers((), (), ()), numbers_in([1.0, 2.0])
    assert psi(Column(empty, missing), Column(empty, missing)).value == 0.0
    for pair in ((empty, some), (some, empty)):
        assert psi(Column(pair[0], missing), Column(pair[1])).value > 5
    none = Categories({})
    assert psi(Column(none, missing), Column(categories_in("ab"))).value > 5


def test_numbers_and_categories_have_no_common_measure() -> None:
    with pytest.raises(TypeError):
        psi(Column(numbers_in([1.0])), Column(categories_in("a")))


def test_a_constant_that_changes_is_seen() -> None:
    one, two = numbers_in([5.0] * 10), numbers_in([3.0] * 10)
    assert psi(Column(one), Column(two)).value > 10
    assert kolmogorov_smirnov(one, two).value == 1.0


def test_the_ends_of_the_floats_are_no_obstacle() -> None:
    wide = numbers_in([-1.7e308, 0.0, 5e-324, 1.7e308]).thinned(1)
    assert kolmogorov_smirnov(wide, numbers_in([-1e308, 1.5e-323, 1e308])).value <= 1.0


@pytest.mark.parametrize("categorical", [False, True])
def test_psi_by_chance_is_the_mean_where_nothing_changed(*, categorical: bool) -> None:
    generator = np.random.default_rng(7)
    found = []
    for _ in range(200):
        one, two = (generator.normal(size=size) for size in (500, 800))
        pair = [
            Column(categories_in(map(str, np.clip(side, -1.5, 1.5).round().tolist())))
            if categorical
            else Column(numbers_in(side.tolist()))
            for side in (one, two)
        ]
        found.append((psi(*pair).value, psi_by_chance(*pair)))
    seen, told = np.mean(found, axis=0)
    assert seen == pytest.approx(told, rel=0.15)


def test_nothing_can_drift_by_chance_in_one_bin() -> None:
    empty = Column(Numbers((), (), ()))
    assert psi_by_chance(empty, empty) == 0.0
    assert psi_by_chance(Column(categories_in("aa")), Column(categories_in("a"))) == 0.0
