"""Trees whose numbers lead outside of them are refused before anybody predicts with them."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from artreg.errors import IntegrityError
from artreg.training import skops_bytes
from artreg.training.trees import check_trees

ROWS = 200
NUMBERS = np.random.default_rng(1)
FRAME = pd.DataFrame({"n": NUMBERS.random(ROWS), "c": pd.Categorical(NUMBERS.choice(list("abcd"), ROWS))})
TARGET = (FRAME["n"] > 0.5) ^ FRAME["c"].isin(["a", "b"])


def boosted(kind: type = HistGradientBoostingClassifier, **settings: Any) -> Any:
    return copy.deepcopy(_boosted(kind, **settings))


@cache
def _boosted(kind: type, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(max_iter=3, min_samples_leaf=5, **settings).fit(FRAME, TARGET)


def read_back(model: Any) -> Any:
    return skops_bytes.load(io.BytesIO(skops.io.dumps(model)), "the model")


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor])
def test_honest_trees_load(kind: type) -> None:
    model = boosted(kind, categorical_features="from_dtype")
    assert any(tree.nodes["is_categorical"].any() for (tree,) in model._predictors)
    assert (read_back(model).predict(FRAME) == model.predict(FRAME)).all()
    alone = kind(max_iter=2).fit(FRAME[["n"]], TARGET)
    piped = make_pipeline(StandardScaler(), kind(max_iter=2)).fit(FRAME[["n"]], TARGET)
    for model in (alone, piped):
        assert (read_back(model).predict(FRAME[["n"]]) == model.predict(FRAME[["n"]])).all()


def first(model: Any) -> Any:
    return model._predictors[0][0]


def inner(model: Any) -> int:
    return int(np.flatnonzero(first(model).nodes["is_leaf"] == 0)[0])


def node(field: str, value: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        first(model).nodes[field][inner(model)] = value

    return change


def categorical(model: Any) -> None:
    nodes = first(model).nodes
    nodes["is_categorical"][inner(model)] = 1
    nodes["bitset_idx"][inner(model)] = 10_000


def narrow_sets(model: Any) -> None:
    first(model).raw_left_cat_bitsets = np.zeros((3, 1), dtype=np.uint32)


def own_function(model: Any) -> None:
    for _, transformer, _ in model._preprocessor.transformers_:
        if isinstance(transformer, FunctionTransformer):
            transformer.func = np.sqrt


def fewer_columns(model: Any) -> None:
    name, transformer, columns = model._preprocessor.transformers_[0]
    model._preprocessor.transformers_[0] = (name, transformer, np.zeros_like(columns))


def fewer_labels(model: Any) -> None:
    model._preprocessor._transformer_to_input_indices["encoder"] = []


def other_preprocessor(model: Any) -> None:
    model._preprocessor = StandardScaler()


def no_categories(model: Any) -> None:
    model._bin_mapper.is_categorical_ = np.zeros(0, dtype=np.uint8)


CHANGES: dict[str, Callable[[Any], None]] = {
    "a left child far away": node("left", 2**31),
    "a right child far away": node("right", 2**31),
    "a child that is its own parent": node("left", 0),
    "a column far away": node("feature_idx", 2**40),
    "a column before the first": node("feature_idx", -1),
    "a column more than there are": node("feature_idx", 2),
    "a set of categories far away": categorical,
    "sets that are too short": narrow_sets,
    "no nodes": lambda model: setattr(first(model), "nodes", first(model).nodes[:0]),
    "columns changed by a function": own_function,
    "columns that are left out": fewer_columns,
    "columns that are left out by name": fewer_labels,
    "columns prepared otherwise": other_preprocessor,
    "columns of which nothing is known": no_categories,
    "no mapper": lambda model: delattr(model, "_bin_mapper"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_tree_that_leads_outside_is_refused(change: str) -> None:
    model = boosted(categorical_features="from_dtype")
    check_trees(model, "it")
    CHANGES[change](model)
    with pytest.raises(IntegrityError, match="leads outside of itself"):
        read_back(model)


def test_a_tree_that_hides_elsewhere_is_found() -> None:
    tree = first(boosted(categorical_features="from_dtype"))
    hidden = np.empty(1, dtype=object)
    hidden[0] = {"deep": [tree]}
    for holder in ([tree], {"a": (tree,)}, hidden):
        with pytest.raises(IntegrityError, match="belongs to no model"):
            check_trees(holder, "it")
