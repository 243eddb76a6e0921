"""What a comparison of two models on the same test rows says, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.frozen import Frozen

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "roc_auc": True,
    "average_precision": True,
    "accuracy": True,
    "log_loss": False,
    "brier": False,
}
"""The metrics that can be compared, and which way they improve."""

MINIMUM_ROWS = 30
"""Of fewer common test rows no interval is made: the bootstrap needs a sample that looks like its population."""

MINIMUM_CLASS = 10
"""So many of them must be of either class: else resamples without a class (one in e**10) would count."""


class Interval(Frozen):
    """The difference of a metric between two models, with the interval in which it lies.

    Attributes:
        metric: A key of `HIGHER_IS_BETTER`.
        candidate: The metric of the candidate on the common rows.
        incumbent: That of the incumbent.
        difference: Candidate less incumbent.
        low: Where the interval of the difference begins.
        high: Where it ends.
        level: How often such an interval holds the true difference.
        resamples: From how many resamples it was made.
        seed: Of the resampling.
        rows: How many test rows both predicted.
    """

    metric: str
    candidate: float
    incumbent: float
    difference: float
    low: float
    high: float
    level: float
    resamples: int
    seed: int
    rows: int

    @property
    def direction(self) -> str:
        """`higher` or `lower`: which way the metric improves."""
        return "higher" if HIGHER_IS_BETTER[self.metric] else "lower"

    @property
    def least_gain(self) -> float:
        """The least improvement in the interval; negative where the candidate may be worse."""
        return self.low if HIGHER_IS_BETTER[self.metric] else -self.high

    @property
    def better(self) -> bool:
        """Whether the candidate is better beyond chance: the whole interval lies on the better side of 0."""
        return self.least_gain > 0

    def not_worse(self, margin: float = 0.0) -> bool:
        """Say whether the candidate is worse by more than a margin at no point of the interval."""
        return self.least_gain >= -margin


class Undecided(Frozen):
    """Two models that cannot be compared.

    Attributes:
        metric: What was to be compared.
        reason: Why not, in one sentence.
        rows: How many test rows both predicted.
    """

    metric: str
    reason: str
    rows: int

    def __str__(self) -> str:
        return self.reason


Comparison = Interval | Undecided
