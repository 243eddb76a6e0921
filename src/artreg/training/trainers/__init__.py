"""The trainers, and the one table from a config's `trainer` to what makes its models."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.config import TrainerKind
from artreg.training.trainers.hist_gradient_boosting import HIST_GRADIENT_BOOSTING
from artreg.training.trainers.interface import Columns, Model, Trainer, TrainingData
from artreg.training.trainers.linear import LOGISTIC_REGRESSION, RIDGE
from artreg.training.trainers.mlp import MLP

TRAINERS: Mapping[TrainerKind, Trainer] = {
    "hist_gradient_boosting": HIST_GRADIENT_BOOSTING,
    "logistic_regression": LOGISTIC_REGRESSION,
    "ridge": RIDGE,
    "mlp": MLP,
}
"""Every trainer of artreg's own, by its kind."""

__all__ = ["TRAINERS", "Columns", "Model", "Trainer", "TrainingData"]
