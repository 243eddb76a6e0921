"""Fits a model, turns it into the bytes that are published, and judges what is read back from them.

Equal axes give equal bytes. What it takes, beside seeds and the order of the rows, is one thread: histogram boosting
stores the number of threads in the fitted model (`_bin_mapper.n_threads`), and sums over several threads are added in
whichever order they end. The number of cores is no axis, so it must not show.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artreg.errors import InvalidInput
from artreg.training.data import Dataset
from artreg.training.metrics import evaluate, figures
from artreg.training.model_files import stored
from artreg.training.recipe import Recipe
from artreg.training.split import folds
from artreg.training.threads import one_thread
from artreg.training.trainers import Model, Trainer, TrainingData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    Attributes:
        files: Its files by name.
        metrics: What it is worth.
        predicted: What it predicts for each test row, in the order of the rows: probabilities of the classes, shape
            (rows, classes), or values.
        warnings: What the libraries warned of.
    """

    files: Mapping[str, bytes]
    metrics: dict[str, Any]
    predicted: NDArray[Any]
    warnings: tuple[str, ...]


def fit(recipe: Recipe, dataset: Dataset) -> FittedModel:
    """Fit a model, and judge it on the test rows.

    Raises:
        InvalidInput: The trainer is not for this task, it failed, or what it predicts is not finite.
    """
    _require_task(recipe.trainer, dataset)
    with warnings.catch_warnings(record=True) as caught, one_thread():
        warnings.simplefilter("always")  # recorded and handed on; the filters of the process would print or raise
        model = _fitted(recipe, dataset, ~dataset.test)
        predicted = _predicted(model, dataset, dataset.test)
        metrics = evaluate(dataset, predicted)
        if recipe.cross_validation is not None:
            metrics["cv"] = _cross_validated(recipe, dataset, recipe.cross_validation.folds)
    messages = tuple(dict.fromkeys(f"{entry.category.__name__}: {entry.message}" for entry in caught))
    return FittedModel(files=model.files(), metrics=metrics, predicted=predicted, warnings=messages)


def _require_task(trainer: Trainer, dataset: Dataset) -> None:
    if dataset.task not in trainer.tasks:
        raise InvalidInput(
            f"the trainer {trainer.name} is for {' and '.join(trainer.tasks)}, not for {dataset.task}",
            hint="choose another trainer, or correct data.task",
        )


def _fitted(recipe: Recipe, dataset: Dataset, rows: NDArray[np.bool_]) -> Model:
    data = TrainingData(
        features=dataset.frame.loc[rows, dataset.features.ordered],
        target=dataset.target[rows],
        columns=dataset.features,
        task=dataset.task,
        classes=dataset.classes,
    )
    return stored(recipe.trainer.fit(data, recipe.params, recipe.seed), recipe.format)


def _predicted(model: Model, dataset: Dataset, rows: NDArray[np.bool_]) -> NDArray[Any]:
    import numpy as np

    predicted = np.asarray(model.predict(dataset.frame.loc[rows, dataset.features.ordered]), dtype=np.float64)
    shape = (int(rows.sum()), *((len(dataset.classes),) if dataset.classes else ()))
    if predicted.shape != shape:
        raise InvalidInput(
            f"the model predicts an array of shape {predicted.shape}, not {shape}",
            hint="for classes it must give the probability of each, for a regression one value a row",
        )
    return predicted


def _cross_validated(recipe: Recipe, dataset: Dataset, count: int) -> dict[str, Any]:
    """Return the figures of each fold of the training rows, by a model that was fitted on the others."""
    import numpy as np

    fold = np.array(folds(dataset.ids, dataset.salt, count))
    values: dict[str, list[float]] = {}
    for number in range(count):
        held_out = ~dataset.test & (fold == number)
        rest = ~dataset.test & (fold != number)
        _require_rows(dataset, rest, held_out, number)
        model = _fitted(recipe, dataset, rest)
        found = figures(dataset, dataset.target[held_out], _predicted(model, dataset, held_out))
        for name, value in found.items():
            values.setdefault(name, []).append(value)
    summary = {name: {"mean": _mean(each), "std": _deviation(each), "values": each} for name, each in values.items()}
    return {"folds": count, **summary}


def _require_rows(dataset: Dataset, rest: NDArray[np.bool_], held_out: NDArray[np.bool_], number: int) -> None:
    classes = len(dataset.classes)
    few = int(held_out.sum()) < 2 or int(rest.sum()) < 2  # noqa: PLR2004 (less is no sample)
    if few or (classes and len(set(dataset.target[rest].tolist())) < classes):
        raise InvalidInput(
            f"fold {number} of the cross-validation leaves too few rows to learn from",
            hint="ask for fewer folds in cross_validation.folds, or give it more rows",
        )


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: list[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
