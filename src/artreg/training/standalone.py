"""Loads a model of artreg's where there is no artreg: this file goes along with models that are exported.

It imports nothing of artreg, and predicts what artreg's own `load(...).predict` does: the probability of each class,
shape (rows, classes), or a value a row. MLflow calls `_load_pyfunc` with the folder in which the model lies.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""The types that artreg's own models need besides those that skops trusts by itself.

A dtype holds data only, and so do a tree's arrays, which artreg looks through before they are used. The partial is
scikit-learn's own way to say how it checks its input; what it calls must be trusted by name as well, and the only such
function is the check of arrays.
"""

_ALLOWED = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"


class Model:
    """A model that MLflow can ask.

    Args:
        model: A fitted estimator, or whatever else predicts.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return the probability of each class, or a value a row."""
        return getattr(self.model, "predict_proba", self.model.predict)(model_input)


class Perceptron:
    """The multi-layer perceptron of artreg's trainer `mlp`: weights, and how a row of a table becomes numbers."""

    def __init__(self, folder: Path) -> None:
        from safetensors.torch import load_file
        from torch import nn

        self._shape = json.loads((folder / "architecture.json").read_bytes())
        activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[self._shape["activation"]]
        weights = load_file(folder / "model.safetensors")
        layers: list[Any] = []
        for place, _ in enumerate(self._shape["hidden"]):
            layers += [_linear(weights, 3 * place), activation(), nn.Dropout(self._shape["dropout"])]
        self._module = nn.Sequential(*layers, _linear(weights, 3 * len(self._shape["hidden"])))
        self._module.load_state_dict(weights)
        self._module.eval()

    def predict(self, features: Any) -> Any:
        """Return the probability of each class, or a value a row."""
        import torch

        with torch.no_grad():
            out = self._module(torch.from_numpy(encoded(self._shape, features))).double()
        if self._shape["task"] == "regression":
            return out[:, 0].numpy() * self._shape["target_scale"] + self._shape["target_mean"]
        return torch.softmax(out, dim=1).numpy()


def encoded(shape: Any, features: Any) -> Any:
    """Return rows of a table as the numbers that a perceptron of this architecture takes, shape (rows, inputs)."""
    import numpy as np

    parts: list[Any] = [np.zeros((len(features), 0))]
    for column in shape["numeric"]:
        values = features[column["name"]].to_numpy(dtype="float64", na_value=np.nan)
        missing = np.isnan(values)
        filled = np.where(missing, column["median"], values)
        parts.append(((filled - column["mean"]) / column["scale"])[:, None])
        parts += [missing[:, None]] if column["flag"] else []
    for column in shape["categorical"]:
        found = features[column["name"]]
        texts = ["" if gone else str(value) for value, gone in zip(found.tolist(), found.isna().tolist(), strict=True)]
        known = [[text == value for value in column["values"]] for text in texts]
        parts.append(np.array(known).reshape(len(texts), len(column["values"])))
    return np.concatenate(parts, axis=1).astype(np.float32)


def load(folder: Path) -> Any:
    """Return the model that lies in a folder.

    Raises:
        ValueError: There is none that this file knows, or it is a pickle, which the environment forbids.
    """
    if (folder / "architecture.json").is_file():
        return Perceptron(folder)
    if (folder / "model.skops").is_file():
        import skops.io

        return skops.io.load(folder / "model.skops", trusted=TRUSTED)
    if os.environ.get(_ALLOWED, "true").lower() in {"false", "0"}:
        raise ValueError(f"this model is a pickle, which may run code, and {_ALLOWED} forbids them")
    if (folder / "model.joblib").is_file():
        import joblib

        return joblib.load(folder / "model.joblib")
    for name in ("model.pkl", "model.pickle"):
        if (folder / name).is_file():
            import pickle

            with (folder / name).open("rb") as file:
                return pickle.load(file)  # noqa: S301  # whoever loads it was asked above
    raise ValueError(f"{folder} holds no model that can be loaded without artreg")


def _load_pyfunc(path: str) -> Model:
    return Model(load(Path(path)))


def _linear(weights: Any, place: int) -> Any:
    from torch import nn

    outputs, inputs = weights[f"{place}.weight"].shape
    return nn.Linear(inputs, outputs)
