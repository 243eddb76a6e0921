"""A sparkline: numbers in a row, each as a bar of one letter."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
"""What stands for a number that is missing, or none: NaN, an infinity."""


def sparkline(values: Sequence[float | None]) -> str:
    """Return a letter for each value: the lowest has the lowest bar, the highest the highest; equal ones are alike.

    Where all are equal, each has the bar in the middle: nothing has moved.
    """
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if not numbers:
        return GAP * len(values)
    low, high = min(numbers), max(numbers)
    return "".join(
        GAP if value is None or not math.isfinite(value) else BARS[_height(value, low, high)] for value in values
    )


def _height(value: float, low: float, high: float) -> int:
    if low == high:
        return len(BARS) // 2 - 1
    span = high / 2 - low / 2  # halves, for the whole may be more than a float can hold
    part = (value / 2 - low / 2) / span if span else float(value == high)  # halves of the smallest floats are equal
    return min(int(part * len(BARS)), len(BARS) - 1)
