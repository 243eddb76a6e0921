"""The trainers, and the one table from a config's `trainer` to what builds it."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.config import TrainerKind
from artreg.training.trainers.hist_gradient_boosting import HIST_GRADIENT_BOOSTING
from artreg.training.trainers.interface import Trainer
from artreg.training.trainers.logistic_regression import LOGISTIC_REGRESSION

TRAINERS: Mapping[TrainerKind, Trainer] = {
    "hist_gradient_boosting": HIST_GRADIENT_BOOSTING,
    "logistic_regression": LOGISTIC_REGRESSION,
}
"""Every trainer by its kind."""

__all__ = ["TRAINERS", "Trainer"]
