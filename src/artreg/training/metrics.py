"""The metrics of a model: figures of the test side, and the size of either side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from artreg.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THRESHOLD = 0.5
"""From this probability on a row counts as positive, for the accuracy."""


def evaluate(
    labels: NDArray[np.int64], test: NDArray[np.bool_], test_probabilities: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the document `metrics.json`; nothing in it changes from run to run.

    Args:
        labels: Of all rows, 0 or 1.
        test: Which rows are on the test side.
        test_probabilities: That the label is 1, for the test rows.

    Raises:
        InvalidInput: A figure is NaN or infinite.
    """
    import numpy as np
    from sklearn import metrics

    truth = labels[test]
    if not np.isfinite(test_probabilities).all():
        raise _not_finite("the predictions")
    predicted = (test_probabilities >= THRESHOLD).astype(np.int64)
    figures = {
        "roc_auc": metrics.roc_auc_score(truth, test_probabilities),
        "log_loss": metrics.log_loss(truth, test_probabilities, labels=[0, 1]),
        "average_precision": metrics.average_precision_score(truth, test_probabilities),
        "brier": metrics.brier_score_loss(truth, test_probabilities),
        "accuracy": metrics.accuracy_score(truth, predicted),
    }
    return {**check_finite(figures), "train": _side(labels[~test]), "test": _side(truth)}


def check_finite(figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures as plain floats.

    Raises:
        InvalidInput: One is NaN or infinite.
    """
    plain = {name: float(value) for name, value in figures.items()}
    bad = [name for name, value in plain.items() if not math.isfinite(value)]
    if bad:
        raise _not_finite(", ".join(bad))
    return plain


def _side(labels: NDArray[np.int64]) -> dict[str, Any]:
    return {"rows": len(labels), "positive_rate": float(labels.mean())}


def _not_finite(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} came out as NaN or infinite, so the model cannot be judged",
        hint="check the data, and lower model.learning_rate or model.C",
    )
