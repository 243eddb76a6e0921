"""Histogram gradient boosting with native categoricals."""

from __future__ import annotations

from typing import Any

from artreg.core.config import HistGradientBoostingParams
from artreg.training.trainers.interface import Nondeterminism, Trainer, TrainingData


def fit(data: TrainingData, params: HistGradientBoostingParams, seed: int) -> Any:
    """Return the fitted pipeline.

    The categories are fixed by an encoder in the pipeline, not by pandas' dtype, so that a raw row with plain text in
    it can be scored. A category that was not seen in training is treated as a missing value, and where a column has
    more categories than there are bins the rarest share one.
    """
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    columns = data.columns
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=params.max_bins,
    )
    columns_in_order = ColumnTransformer(
        [
            ("categorical", encoder, list(columns.categorical)),
            ("numeric", "passthrough", list(columns.numeric)),
        ],
        verbose_feature_names_out=False,
    )
    kind = HistGradientBoostingRegressor if data.task == "regression" else HistGradientBoostingClassifier
    model = kind(
        learning_rate=params.learning_rate,
        max_iter=params.max_iter,
        max_depth=params.max_depth,
        l2_regularization=params.l2_regularization,
        max_leaf_nodes=params.max_leaf_nodes,
        min_samples_leaf=params.min_samples_leaf,
        max_bins=params.max_bins,
        categorical_features=[True] * len(columns.categorical) + [False] * len(columns.numeric),
        early_stopping=False,  # "auto" would switch it on above 10,000 rows, and max_iter would not be what was asked
        random_state=seed,
    )
    return Pipeline([("columns", columns_in_order), ("model", model)]).fit(data.features, data.target)


HIST_GRADIENT_BOOSTING = Trainer(
    name="hist_gradient_boosting",
    fit=fit,
    tasks=("classification", "regression"),
    nondeterministic=(
        Nondeterminism(
            operation="exp and log of gradients and losses in NumPy's and scikit-learn's compiled code",
            depends_on="the CPU's vector instructions and the C library",
            remedy="the same platform and the same uv.lock",
        ),
    ),
)
