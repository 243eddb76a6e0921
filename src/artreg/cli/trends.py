"""How a metric went from version to version: which is shown, and as what."""

from __future__ import annotations

from artreg.core.gates.numbers import find_number
from artreg.core.metric_directions import DIRECTIONS, higher_is_better
from artreg.core.sparkline import sparkline
from artreg.core.version import Version
from artreg.core.wording import figure
from artreg.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Figures = Mapping[Version, Mapping[str, object] | None]

LONGEST_TREND = 30
"""Versions, the newest, of which metrics are read unless a metric is asked for by name; and bars that are drawn."""


def chosen_metric(figures: Figures) -> str | None:
    """Return the metric to show where none was named: the first that artreg knows the direction of, else any."""
    there = [key for metrics in figures.values() for key in _numbers(metrics or {})]
    return next((key for key in DIRECTIONS if key in there), there[0] if there else None)


def require_metric(figures: Figures, key: str) -> str:
    """Return a key that at least one version has a number under.

    Raises:
        InvalidInput: None has.
    """
    if any(find_number(metrics, key) is not None for metrics in figures.values() if metrics):
        return key
    import difflib

    known = list(dict.fromkeys(name for metrics in figures.values() for name in _numbers(metrics or {})))
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known[:10]) or 'none'}"
    raise InvalidInput(f"no version has a number {key!r} in its metrics.json", hint=hint)


def values_of(figures: Figures, key: str) -> dict[Version, float | None]:
    """Return the number under a key for each version, None where there is none."""
    return {version: find_number(metrics, key) if metrics else None for version, metrics in figures.items()}


def told(key: str, values: Mapping[Version, float | None]) -> str:
    """Return a metric in one line: bars of the newest versions, where it began, where it is, and the best."""
    line = sorted(values.items(), key=lambda item: item[0].precedence())
    numbers = [(value, version) for version, value in line if value is not None]
    bars = sparkline([value for _, value in line[-LONGEST_TREND:]])
    if not numbers:
        return f"{key}  {bars}"
    text = f"{key}  {bars}  {figure(numbers[0][0])} → {figure(numbers[-1][0])}"
    better = higher_is_better(key)
    if better is None:
        return text
    value, version = (max if better else min)(numbers, key=lambda item: item[0])
    return f"{text}, best {figure(value)} in {version}"


def _numbers(metrics: Mapping[str, object]) -> Iterable[str]:
    return (key for key in metrics if find_number(metrics, key) is not None)
