"""Sparklines: what holds of every row of numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core.sparkline import BARS, GAP, sparkline

PROPERTY = settings(derandomize=True, deadline=None, database=None)
ROWS = st.lists(st.one_of(st.none(), st.floats()), max_size=30)


@PROPERTY
@given(ROWS)
def test_each_value_has_a_letter_and_higher_ones_no_lower_bars(values: list[float | None]) -> None:
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    told = [(value, sign) for value, sign in zip(values, drawn, strict=True) if value is not None]
    assert all((sign == GAP) == (not math.isfinite(value)) for value, sign in told)
    assert all(sign == GAP for value, sign in zip(values, drawn, strict=True) if value is None)
    finite = [(value, sign) for value, sign in told if sign != GAP]
    heights = [BARS.index(sign) for _, sign in sorted(finite)]
    assert heights == sorted(heights)
    if len({value for value, _ in finite}) > 1:
        assert (heights[0], heights[-1]) == (0, len(BARS) - 1)
    else:
        assert set(heights) <= {3}


@PROPERTY
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.sampled_from([0.5, 2, 4, 1024]))
def test_the_unit_makes_no_difference(values: list[int], scale: float) -> None:
    assert sparkline([value * scale for value in values]) == sparkline(values)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([None, math.nan, math.inf], "···"),
        ([0.5, None, 0.5], "▄·▄"),
        (range(8), BARS),
        ([-1.7e308, 0, 1.7e308], "▁▅█"),
        ([5e-324, 0.0], "█▁"),
    ],
)
def test_rows_that_are_drawn(values: list[float | None], drawn: str) -> None:
    assert sparkline(values) == drawn
