"""How two trainings differ, axis by axis: the rules behind `artreg reproduce` and `artreg diff`."""

from artreg.core.comparison.axes import AXES, compare_axes
from artreg.core.comparison.difference import Axis, Comparison, Difference, Likeness
from artreg.core.comparison.facts import Facts
from artreg.core.comparison.outcome import Outcome, compare_outcome

__all__ = [
    "AXES",
    "Axis",
    "Comparison",
    "Difference",
    "Facts",
    "Likeness",
    "Outcome",
    "compare_axes",
    "compare_outcome",
]
