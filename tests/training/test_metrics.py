from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from artreg.core.metric_directions import higher_is_better
from artreg.errors import InvalidInput
from artreg.training.metrics import check_finite, evaluate, figures

TEST = np.array([True, True, True, True, False, False])


@dataclass
class Table:
    """As much of a dataset as the metrics look at."""

    target: np.ndarray
    classes: tuple[str, ...] = ("no", "yes")
    task: str = "classification"
    test: np.ndarray = field(default_factory=lambda: TEST)


BINARY = Table(np.array([0, 1, 0, 1, 1, 0]))
THREE = Table(np.array([0, 1, 2, 1, 0, 2]), ("a", "b", "c"))
VALUES = Table(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0]), (), "regression")


def of_two(scores: list[float]) -> np.ndarray:
    return np.array([[1 - score, score] for score in scores])


def test_the_figures_of_a_known_case() -> None:
    found = evaluate(BINARY, of_two([0.1, 0.4, 0.35, 0.8]))
    assert found["roc_auc"] == 1.0
    assert found["accuracy"] == 0.75
    assert found["brier"] == pytest.approx((0.1**2 + 0.6**2 + 0.35**2 + 0.2**2) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.65, 0.8]).mean())
    assert found["average_precision"] == 1.0
    assert found["test"] == {"rows": 4, "positive_rate": 0.5}
    assert found["train"] == {"rows": 2, "positive_rate": 0.5}
    assert all(type(value) is float for name, value in found.items() if name not in ("train", "test"))


def test_a_worthless_order_is_half_the_area() -> None:
    assert evaluate(BINARY, of_two([0.3, 0.3, 0.3, 0.3]))["roc_auc"] == 0.5
    assert evaluate(BINARY, of_two([0.9, 0.1, 0.8, 0.2]))["roc_auc"] == 0.0


def test_several_classes_by_hand() -> None:
    found = evaluate(THREE, np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.7, 0.2], [0.1, 0.8, 0.1]]))
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((1 + 0.8 + 0) / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.6, 0.2, 0.8]).mean())
    assert found["test"] == {"rows": 4, "classes": {"a": 1, "b": 2, "c": 1}}


def test_a_class_that_is_nowhere_on_a_side_is_left_out_of_the_areas() -> None:
    found = figures(
        THREE, np.array([0, 1, 1, 0]), np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.3, 0.7, 0], [0.6, 0.4, 0]])
    )
    assert found["roc_auc_ovr"] == 1.0
    assert found["balanced_accuracy"] == 1.0


@given(st.lists(st.tuples(st.integers(0, 2), *[st.integers(1, 99)] * 3), min_size=6, max_size=40))
def test_several_classes_as_scikit_learn_counts_them(rows: list[tuple[int, int, int, int]]) -> None:
    truth = np.array([row[0] for row in rows])
    raw = np.array([row[1:] for row in rows], dtype=float)
    predicted = raw / raw.sum(axis=1, keepdims=True)
    if len(set(truth.tolist())) < 3:
        return
    found = figures(THREE, truth, predicted)
    assert found["roc_auc_ovr"] == pytest.approx(metrics.roc_auc_score(truth, predicted, multi_class="ovr"))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, predicted.argmax(axis=1)))


def test_values_by_hand() -> None:
    found = evaluate(VALUES, np.array([1.0, 2.0, 3.0, 6.0]))
    assert (found["rmse"], found["mae"], found["median_absolute_error"]) == (1.0, 0.5, 0.0)
    assert found["r2"] == pytest.approx(1 - 4 / 5)
    assert found["test"] == {"rows": 4, "mean": 2.5, "std": pytest.approx(1.25**0.5)}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(InvalidInput, match="the predictions came out as NaN"):
        evaluate(BINARY, of_two([0.1, bad, 0.3, 0.4]))
    with pytest.raises(InvalidInput, match="brier came out as NaN") as caught:
        check_finite({"roc_auc": 0.5, "brier": bad})
    assert caught.value.hint


def test_every_figure_has_a_direction() -> None:
    for table, predicted in ((BINARY, of_two([0.1, 0.4, 0.35, 0.8])), (VALUES, np.ones(4))):
        names = [name for name in evaluate(table, predicted) if name not in ("train", "test")]
        assert all(higher_is_better(name) is not None for name in names)
    assert higher_is_better("cv.roc_auc_ovr.mean")
    assert higher_is_better("cv.rmse.mean") is False
    assert higher_is_better("cv.rmse.std") is None
    assert higher_is_better("test.rows") is None
