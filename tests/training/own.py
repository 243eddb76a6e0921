"""Trainers such as users write, good ones and bad ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from artreg.training.trainers import TrainingData


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    depth: int = 3
    leaves: int = 7


class NoParams(BaseModel):
    model_config = ConfigDict(extra="forbid")


def fit(data: TrainingData, params: Params, seed: int) -> Any:
    numbers = make_column_transformer((SimpleImputer(), make_column_selector(dtype_include="number")))
    tree = DecisionTreeClassifier(max_depth=params.depth, max_leaf_nodes=params.leaves, random_state=seed)
    return Pipeline([("numbers", numbers), ("tree", tree)]).fit(data.features, data.target)


def _numbers(frame: Any) -> Any:
    return frame.select_dtypes("number").fillna(0)


def fit_strange(data: TrainingData, params: NoParams, seed: int) -> Any:
    """A function of its own is in it, which skops would have to trust."""
    tree = DecisionTreeClassifier(max_depth=2, random_state=seed)
    return Pipeline([("numbers", FunctionTransformer(_numbers)), ("tree", tree)]).fit(data.features, data.target)


class Constant:
    def __init__(self, share: float) -> None:
        self.share = share

    def files(self) -> dict[str, bytes]:
        return {"model.json": str(self.share).encode()}

    def predict(self, features: Any) -> Any:
        return np.tile([1 - self.share, self.share], (len(features), 1))


def fit_constant(data: TrainingData, params: NoParams, seed: int) -> Constant:
    return Constant(0.25)


def fit_lost(data: TrainingData, params: NoParams, seed: int) -> Constant:
    return Constant(float("nan"))


def fit_untold(data: TrainingData, params: dict, seed: int) -> None:
    return None


def fit_broken(data: TrainingData, params: NoParams, seed: int) -> None:
    raise ZeroDivisionError(f"{seed} / 0")


def fit_nothing(data: TrainingData, params: NoParams, seed: int) -> None:
    return None


class WrongShape(Constant):
    def predict(self, features: Any) -> Any:
        return np.ones(len(features))


def fit_wrong_shape(data: TrainingData, params: NoParams, seed: int) -> WrongShape:
    return WrongShape(0.5)
