"""How comparisons of two trainings are shown: for `reproduce` and `diff`."""

from __future__ import annotations

from collections.abc import Sequence

from artreg.cli.view import Table
from artreg.core.comparison import Comparison, Difference

_SHOWN = 8
"""Differences of an axis that a table shows; `--json` has them all."""


def axes_table(axes: Sequence[Comparison], *more: tuple[str, str, str]) -> Table:
    """Return the table of the axes, and what else belongs below them."""
    rows = [row for comparison in axes for row in _rows(comparison)]
    return Table(("axis", "", "what"), (*rows, *more))


def metrics_table(metrics: Sequence[Difference]) -> Table:
    """Return the table of the figures that differ."""
    rows = tuple((one.what, _figure(one.before), _figure(one.after), one.note) for one in metrics)
    return Table(("metric", "before", "after", "difference"), rows, numeric=frozenset({1, 2}))


def _rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    lines = [str(difference) for difference in comparison.differences[:_SHOWN]]
    rest = len(comparison.differences) - _SHOWN
    lines += [f"and {rest} more"] if rest > 0 else []
    first, *others = lines or [comparison.summary]
    return [(comparison.axis.value, comparison.likeness.value, first), *(("", "", line) for line in others)]


def _figure(value: object) -> str:
    return "-" if value is None else f"{value:.8g}" if isinstance(value, int | float) else str(value)
