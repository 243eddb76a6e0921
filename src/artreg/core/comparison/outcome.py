"""What two trainings came to: files by their digests, and metrics by their figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from artreg.core.comparison.difference import Difference, Likeness
from artreg.core.comparison.facts import Facts, leaves
from artreg.core.metric_directions import higher_is_better
from artreg.frozen import Frozen


class Outcome(Frozen):
    """How what came out compares.

    Attributes:
        files: Whether the files of the model and the metrics are the same, byte for byte.
        differing: The names of those that are not.
        metrics: The figures that differ.
        distance: The largest difference of a figure; infinite where one side lacks a figure.
    """

    files: Likeness
    differing: tuple[str, ...]
    metrics: tuple[Difference, ...]
    distance: float

    def within(self, tolerance: float) -> bool:
        """Return whether every figure lies within a tolerance, as an absolute difference."""
        return self.distance <= tolerance

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "files": self.files.value,
            "differing": list(self.differing),
            "metrics": [difference.document() for difference in self.metrics],
            "distance": self.distance if math.isfinite(self.distance) else None,
        }


def compare_outcome(before: Facts, after: Facts) -> Outcome:
    """Compare what came out of two trainings."""
    first, second = before.compared_files, after.compared_files
    differing = tuple(sorted(name for name in {*first, *second} if first.get(name) != second.get(name)))
    figures = tuple(_figures(before.metrics or {}, after.metrics or {}))
    distances = [_distance(one.before, one.after) for one in figures]
    return Outcome(
        files=Likeness.DIFFERENT if differing else Likeness.SAME,
        differing=differing,
        metrics=figures,
        distance=max(distances, default=0.0),
    )


def _figures(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    before, after = dict(leaves(first)), dict(leaves(second))
    keys = [*before, *(key for key in after if key not in before)]
    return [
        Difference(key, before.get(key), after.get(key), _verdict(key, before.get(key), after.get(key)))
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _verdict(key: str, before: object, after: object) -> str:
    """Return which way a figure moved, where it is known which way is better."""
    if not _is_number(before) or not _is_number(after):
        return ""
    moved = _float(after) - _float(before)
    higher = higher_is_better(key)
    word = "" if higher is None else ", better" if (moved > 0) == higher else ", worse"
    return f"{moved:+.6g}{word}"


def _distance(before: object, after: object) -> float:
    if not _is_number(before) or not _is_number(after):
        return math.inf
    distance = abs(_float(after) - _float(before))
    return math.inf if math.isnan(distance) else distance  # both may be beyond all floats


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # JSON has whole numbers that no float can hold
        return math.inf if value > 0 else -math.inf
