from __future__ import annotations

import numpy as np
import pytest

from artreg.errors import InvalidInput
from artreg.training.metrics import check_finite, evaluate

LABELS = np.array([0, 1, 0, 1, 1, 0])
TEST = np.array([True, True, True, True, False, False])


def test_the_figures_of_a_known_case() -> None:
    found = evaluate(LABELS, TEST, np.array([0.1, 0.4, 0.35, 0.8]))
    assert found["roc_auc"] == 1.0
    assert found["accuracy"] == 0.75
    assert found["brier"] == pytest.approx((0.1**2 + 0.6**2 + 0.35**2 + 0.2**2) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.65, 0.8]).mean())
    assert found["average_precision"] == 1.0
    assert found["test"] == {"rows": 4, "positive_rate": 0.5}
    assert found["train"] == {"rows": 2, "positive_rate": 0.5}
    assert all(type(value) is float for name, value in found.items() if name not in ("train", "test"))


def test_a_worthless_order_is_half_the_area() -> None:
    assert evaluate(LABELS, TEST, np.array([0.3, 0.3, 0.3, 0.3]))["roc_auc"] == 0.5
    assert evaluate(LABELS, TEST, np.array([0.9, 0.1, 0.8, 0.2]))["roc_auc"] == 0.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(InvalidInput, match="the predictions came out as NaN"):
        evaluate(LABELS, TEST, np.array([0.1, bad, 0.3, 0.4]))
    with pytest.raises(InvalidInput, match="brier came out as NaN") as caught:
        check_finite({"roc_auc": 0.5, "brier": bad})
    assert caught.value.hint
