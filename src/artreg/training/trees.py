"""Sees that boosted trees lead nowhere outside of themselves: scikit-learn follows their numbers without looking.

A type that is trusted says nothing of what is in it. A node whose child or column is the number two thousand million
makes `predict` read whatever lies there in memory, and one that is its own child never ends. Only the trees of
`HistGradientBoosting*` are trusted by artreg, and looked at here; skops trusts no others by itself.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from artreg.errors import IntegrityError

_BITSET = 8  # numbers of 32 bits for the 256 values that a category may have


def check_trees(made: Any, what: str) -> None:
    """Return if every boosted tree in a model that was just made can be followed safely.

    Args:
        made: The model, and whatever it holds.
        what: Its name, for errors.

    Raises:
        IntegrityError: One cannot.
    """
    import numpy as np
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    owned: set[int] = set()
    trees: set[int] = set()
    for part in _parts(made):
        if isinstance(part, TreePredictor):
            trees.add(id(part))
        elif isinstance(part, BaseHistGradientBoosting) and hasattr(part, "_predictors"):
            try:
                columns = _columns(part, np)
                for tree in (tree for trees_of_one in part._predictors for tree in trees_of_one):
                    _check_tree(tree, columns, np)
                    owned.add(id(tree))
            except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
                raise IntegrityError(f"{what} holds a tree that leads outside of itself: {error}") from error
    if trees - owned:
        raise IntegrityError(f"{what} holds a tree that belongs to no model")


def _parts(made: Any) -> Iterator[Any]:
    """Yield every object that a model holds, however deep."""
    import numpy as np

    seen, todo = {id(made)}, [made]
    while todo:
        part = todo.pop()
        yield part
        inside = part.ravel().tolist() if isinstance(part, np.ndarray) and part.dtype == object else ()
        for inner in (*gc.get_referents(part), *inside):
            if id(inner) not in seen and not isinstance(inner, type | ModuleType | FunctionType):
                seen.add(id(inner))
                todo.append(inner)


def _columns(model: Any, np: Any) -> int:
    """Return how many columns the trees of a model are given at least."""
    if np.asarray(model._bin_mapper.is_categorical_).size < model.n_features_in_:
        raise ValueError("its columns are not all known to be categories or numbers")
    preprocessor = model._preprocessor
    if preprocessor is None:
        return int(model.n_features_in_)
    given = 0
    for name, transformer, columns in preprocessor.transformers_:
        if isinstance(transformer, str):
            continue  # the columns that are dropped
        function = getattr(transformer, "func", None)
        checks = getattr(getattr(function, "func", None), "__name__", "") == "check_array"
        if type(transformer).__name__ not in {"OrdinalEncoder", "FunctionTransformer"} or (function and not checks):
            raise ValueError("its columns are prepared in a way that scikit-learn does not choose")
        given += min(_chosen(columns, np), len(preprocessor._transformer_to_input_indices[name]))
    return min(given, int(model.n_features_in_))


def _chosen(columns: Any, np: Any) -> int:
    chosen = np.asarray(columns)
    if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
        raise ValueError("its columns are not chosen by their numbers")
    return int(chosen.sum() if chosen.dtype.kind == "b" else chosen.size)


def _check_tree(tree: Any, columns: int, np: Any) -> None:
    nodes, bitsets = tree.nodes, tree.raw_left_cat_bitsets
    if nodes.ndim != 1 or not nodes.size or bitsets.ndim != 2 or bitsets.shape[1] != _BITSET:  # noqa: PLR2004
        raise ValueError("it has no nodes, or no sets of categories")
    places = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[places]
    for side in ("left", "right"):
        if (inner[side] <= places).any() or (inner[side] >= nodes.size).any():
            raise ValueError(f"a node's {side} child does not follow it")
    if (inner["feature_idx"] < 0).any() or (inner["feature_idx"] >= columns).any():
        raise ValueError("a node asks for a column that there is not")
    sets = inner["bitset_idx"][inner["is_categorical"] != 0]
    if (sets >= bitsets.shape[0]).any():
        raise ValueError("a node asks for a set of categories that there is not")
