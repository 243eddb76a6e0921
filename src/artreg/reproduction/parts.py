"""Reads those files of two versions that differ, and finds where."""

from __future__ import annotations

from collections.abc import Sequence

from artreg.core.comparison import Difference
from artreg.core.manifest import METRICS
from artreg.reproduction.model_difference import first_difference
from artreg.reproduction.recorded import Recorded

LARGEST = 512 * 2**20
"""Bytes of a file beyond which nobody looks into it."""


def first_differences(before: Recorded, after: Recorded, names: Sequence[str]) -> tuple[Difference, ...]:
    """Return the first part in which each of the named files differs; the metrics are compared by their figures.

    Raises:
        IntegrityError: A file is damaged.
    """
    found = (_difference(before, after, name) for name in names if name != METRICS)
    return tuple(difference for difference in found if difference is not None)


def _difference(before: Recorded, after: Recorded, name: str) -> Difference | None:
    if any(side.sizes.get(name, 0) > LARGEST for side in (before, after)):
        return Difference(name, note="too large to look into")
    first, second = (side.read(name, LARGEST) for side in (before, after))
    if first is None or second is None:
        one, other = ("there" if side is not None else None for side in (first, second))
        return Difference(name, one, other)
    return first_difference(name, first, second)
