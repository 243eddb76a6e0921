"""Fits a model and turns it into the bytes that are published.

Equal axes give equal bytes. What it takes, beside seeds and the order of the rows:

- One thread. Histogram boosting stores the number of threads in the fitted model (`_bin_mapper.n_threads`), and sums
  over several threads are added in whichever order they end. The number of cores is no axis, so it must not show.
- A round trip through the pickle format before the bytes are kept: a pickle shows which equal strings were one object,
  and only after a round trip does that depend on the model alone.
- The metrics are taken from the model that was read back, so that what is measured is what is stored.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from artreg.core.config import TrainingConfig
from artreg.training.data import Dataset
from artreg.training.metrics import evaluate
from artreg.training.trainers import TRAINERS

THREADS = 1
"""How many threads OpenMP and BLAS get while a model is fitted and judged."""


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    Attributes:
        data: The model as bytes.
        metrics: What it is worth.
        scores: The probability of the positive label that it gives each test row, in the order of the rows.
        warnings: What the libraries warned of.
    """

    data: bytes
    metrics: dict[str, Any]
    scores: tuple[float, ...]
    warnings: tuple[str, ...]


def fit(config: TrainingConfig, dataset: Dataset) -> FittedModel:
    """Fit the model that a config asks for, and judge it on the test rows.

    Raises:
        InvalidInput: The model's predictions or metrics are not finite.
    """
    from threadpoolctl import threadpool_limits

    table = dataset.frame[[*dataset.features.categorical, *dataset.features.numeric]]
    estimator = TRAINERS[config.trainer].build(config.model, dataset.features, config.seed)
    with warnings.catch_warnings(record=True) as caught, threadpool_limits(limits=THREADS):
        warnings.simplefilter("always")  # recorded and handed on; the filters of the process would print or raise
        estimator.fit(table.loc[~dataset.test], dataset.labels[~dataset.test])
        data = model_bytes(estimator)
        probabilities = load_model(data).predict_proba(table.loc[dataset.test])[:, 1]
        metrics = evaluate(dataset.labels, dataset.test, probabilities)
    messages = tuple(dict.fromkeys(f"{entry.category.__name__}: {entry.message}" for entry in caught))
    return FittedModel(data=data, metrics=metrics, scores=tuple(probabilities.tolist()), warnings=messages)


def model_bytes(estimator: Any) -> bytes:
    """Return the one joblib file of a fitted estimator."""
    return _dump(load_model(_dump(estimator)))


def load_model(data: bytes) -> Any:
    """Read a model from bytes that this process has made itself; a pickle from elsewhere may run any code."""
    import joblib

    return joblib.load(io.BytesIO(data))


def _dump(estimator: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=0)
    return buffer.getvalue()
