"""Logistic and ridge regression, each with its imputer, scaler and one-hot encoder in one pipeline."""

from __future__ import annotations

from typing import Any

from artreg.core.config import LogisticRegressionParams, RidgeParams
from artreg.training.trainers.interface import Columns, Nondeterminism, Trainer, TrainingData

MAX_CATEGORIES = 100
"""A column with more categories than this has its rarest ones share a column of the one-hot matrix."""


def fit_logistic(data: TrainingData, params: LogisticRegressionParams, seed: int) -> Any:
    """Return the fitted pipeline for classes."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=params.C,
        max_iter=params.max_iter,
        tol=params.tol,
        class_weight=params.class_weight,
        random_state=seed,
    )
    return _pipeline(data.columns, model).fit(data.features, data.target)


def fit_ridge(data: TrainingData, params: RidgeParams, seed: int) -> Any:
    """Return the fitted pipeline for values."""
    from sklearn.linear_model import Ridge

    return _pipeline(data.columns, Ridge(alpha=params.alpha, random_state=seed)).fit(data.features, data.target)


def _pipeline(columns: Columns, model: Any) -> Any:
    """Return the unfitted pipeline round a model.

    Missing numbers become the training median and are flagged in a column of their own; a missing category is a
    category, and one that was not seen in training counts as a rare one, or as none.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numeric = Pipeline([("impute", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())])
    categorical = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
    )
    columns_in_order = ColumnTransformer(
        [("categorical", categorical, list(columns.categorical)), ("numeric", numeric, list(columns.numeric))],
        verbose_feature_names_out=False,
    )
    return Pipeline([("columns", columns_in_order), ("model", model)])


_BLAS = Nondeterminism(
    operation="matrix products of the linear algebra library (BLAS)",
    depends_on="the kernel that BLAS chooses for the CPU (see environment.blas)",
    remedy="the same model of CPU, or OPENBLAS_CORETYPE set to the same",
)

LOGISTIC_REGRESSION = Trainer(
    name="logistic_regression",
    fit=fit_logistic,
    tasks=("classification",),
    nondeterministic=(
        _BLAS,
        Nondeterminism(
            operation="exp and log of losses in NumPy's and scikit-learn's compiled code",
            depends_on="the CPU's vector instructions and the C library",
            remedy="the same platform and the same uv.lock",
        ),
    ),
)

RIDGE = Trainer(name="ridge", fit=fit_ridge, tasks=("regression",), nondeterministic=(_BLAS,))
