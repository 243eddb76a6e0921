"""What follows from an interval."""

from __future__ import annotations

import pytest

from artreg.core.significance import HIGHER_IS_BETTER, Interval, Undecided


def interval(metric: str, low: float, high: float) -> Interval:
    return Interval(metric, 0.8, 0.7, (low + high) / 2, low, high, 0.95, 2000, 42, 100)


CASES = [
    # metric, low, high, better, not worse, not worse by more than 0.02
    ("roc_auc", 0.01, 0.03, True, True, True),
    ("roc_auc", 0.0, 0.03, False, True, True),
    ("roc_auc", -0.01, 0.03, False, False, True),
    ("roc_auc", -0.02, 0.03, False, False, True),
    ("roc_auc", -0.021, 0.03, False, False, False),
    ("roc_auc", -0.03, -0.01, False, False, False),
    ("log_loss", -0.03, -0.01, True, True, True),
    ("log_loss", -0.03, 0.0, False, True, True),
    ("log_loss", -0.03, 0.02, False, False, True),
    ("log_loss", -0.03, 0.021, False, False, False),
    ("log_loss", 0.01, 0.03, False, False, False),
    ("accuracy", 0.0, 0.0, False, True, True),
    ("brier", 0.0, 0.0, False, True, True),
]


@pytest.mark.parametrize(("metric", "low", "high", "better", "not_worse", "by_margin"), CASES)
def test_what_an_interval_says(
    *, metric: str, low: float, high: float, better: bool, not_worse: bool, by_margin: bool
) -> None:
    found = interval(metric, low, high)
    assert found.better is better
    assert found.not_worse() is not_worse
    assert found.not_worse(0.02) is by_margin
    assert found.direction == ("higher" if HIGHER_IS_BETTER[metric] else "lower")


def test_a_reason_reads_as_text() -> None:
    assert str(Undecided("roc_auc", "too few rows", 3)) == "too few rows"
