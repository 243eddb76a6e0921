"""Numbers in metrics.json, found by dotted keys."""

from __future__ import annotations

import math
from collections.abc import Mapping

from artreg.core.gates.evidence import Subject


def metric_of(subject: Subject, key: str) -> float | None:
    """Return a finite number of a version's metrics; a key that itself holds dots is found too."""
    return None if subject.metrics is None else find_number(subject.metrics, key)


def find_number(metrics: Mapping[str, object], key: str) -> float | None:
    """Return the finite number under a dotted key, or None if there is none."""
    if key in metrics:
        return _finite(metrics[key])
    head, _, rest = key.partition(".")
    inner = metrics.get(head)
    return find_number(inner, rest) if rest and isinstance(inner, Mapping) else None


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has whole numbers that no float can hold
        return None
    return number if math.isfinite(number) else None
