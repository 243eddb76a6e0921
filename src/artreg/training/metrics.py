"""The metrics of a model: figures of the test side, and what is on either side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from artreg.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from artreg.training.data import Dataset

THRESHOLD = 0.5
"""From this probability on a row counts as positive, for the accuracy."""

_BINARY = 2


def evaluate(dataset: Dataset, predicted: NDArray[Any]) -> dict[str, Any]:
    """Return the document `metrics.json`; nothing in it changes from run to run.

    Args:
        dataset: The table.
        predicted: For the test rows the probabilities of the classes, shape (rows, classes), or values.

    Raises:
        InvalidInput: A figure is NaN or infinite.
    """
    test = dataset.target[dataset.test]
    return {
        **figures(dataset, test, predicted),
        "train": _side(dataset, dataset.target[~dataset.test]),
        "test": _side(dataset, test),
    }


def figures(dataset: Dataset, truth: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Return the figures of the task: of two classes, of several, or of values.

    Args:
        dataset: Says which task it is.
        truth: The number of each row's class, or its value.
        predicted: The probabilities of the classes, shape (rows, classes), or values.

    Raises:
        InvalidInput: One is NaN or infinite.
    """
    import numpy as np

    if not np.isfinite(predicted).all():
        raise _not_finite("the predictions")
    if dataset.task == "regression":
        found = _of_values(truth, predicted)
    elif len(dataset.classes) == _BINARY:
        found = _of_two_classes(truth, predicted[:, 1])
    else:
        found = _of_classes(truth, predicted)
    return check_finite(found)


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


def _of_two_classes(truth: NDArray[Any], probabilities: NDArray[Any]) -> dict[str, Any]:
    from sklearn import metrics

    return {
        "roc_auc": metrics.roc_auc_score(truth, probabilities),
        "log_loss": metrics.log_loss(truth, probabilities, labels=[0, 1]),
        "average_precision": metrics.average_precision_score(truth, probabilities),
        "brier": metrics.brier_score_loss(truth, probabilities),
        "accuracy": metrics.accuracy_score(truth, (probabilities >= THRESHOLD).astype("int64")),
    }


def _of_classes(truth: NDArray[Any], probabilities: NDArray[Any]) -> dict[str, Any]:
    from sklearn import metrics

    chosen = probabilities.argmax(axis=1)
    numbers = list(range(probabilities.shape[1]))
    return {
        "accuracy": metrics.accuracy_score(truth, chosen),
        "balanced_accuracy": metrics.recall_score(truth, chosen, labels=sorted(set(truth.tolist())), average="macro"),
        "macro_f1": metrics.f1_score(truth, chosen, labels=numbers, average="macro", zero_division=0),
        "log_loss": metrics.log_loss(truth, probabilities, labels=numbers),
        "roc_auc_ovr": _one_against_the_rest(truth, probabilities),
    }


def _one_against_the_rest(truth: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Return the mean of the areas of each class against the rest; of a class that is nowhere there is none."""
    from sklearn.metrics import roc_auc_score

    sides = [(truth == number, probabilities[:, number]) for number in range(probabilities.shape[1])]
    areas = [float(roc_auc_score(is_it, score)) for is_it, score in sides if 0 < is_it.sum() < len(is_it)]
    return math.fsum(areas) / len(areas) if areas else math.nan


def _of_values(truth: NDArray[Any], values: NDArray[Any]) -> dict[str, Any]:
    from sklearn import metrics

    return {
        "rmse": math.sqrt(metrics.mean_squared_error(truth, values)),
        "mae": metrics.mean_absolute_error(truth, values),
        "median_absolute_error": metrics.median_absolute_error(truth, values),
        "r2": metrics.r2_score(truth, values),
    }


def _side(dataset: Dataset, target: NDArray[Any]) -> dict[str, Any]:
    if dataset.task == "regression":
        return {"rows": len(target), "mean": float(target.mean()), "std": float(target.std())}
    if len(dataset.classes) == _BINARY:
        return {"rows": len(target), "positive_rate": float(target.mean())}
    counts = {label: int((target == number).sum()) for number, label in enumerate(dataset.classes)}
    return {"rows": len(target), "classes": counts}


def _not_finite(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} came out as NaN or infinite, so the model cannot be judged",
        hint="check the data, and lower model.learning_rate or model.C",
    )
