"""Loading what torch made: a perceptron of artreg's as it is, whole modules by trust only."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import artreg
from artreg.errors import IntegrityError, InvalidInput
from inspection.hostile_pickles import torch_archive
from loading.conftest import Put

pytestmark = pytest.mark.torch


def perceptron() -> dict[str, bytes]:
    from artreg.training.trainers import mlp

    columns = (mlp.Numeric("a", 0.0, 0.0, 1.0, False), mlp.Numeric("b", 0.0, 0.0, 1.0, True))
    layers = mlp.Architecture("classification", ("0", "1"), columns, (), (3,), "relu", 0.0, 0.0, 1.0)
    return dict(mlp.Mlp(layers, mlp._module(layers)).files())


def test_a_perceptron_loads_without_trust(put: Put) -> None:
    files = perceptron()
    loaded = put(files).load("churn@prod")
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, np.nan]})
    assert loaded.format == "safetensors"
    assert loaded.predict(frame).sum(axis=1) == pytest.approx([1, 1])
    assert dict(loaded.model.files()) == files


def test_weights_that_do_not_go_with_the_architecture_are_refused(put: Put) -> None:
    files = perceptron()
    files["model/architecture.json"] = files["model/architecture.json"].replace(b"    3\n", b"    1000000000\n")
    with pytest.raises(IntegrityError, match="do not have the shapes"):
        put(files).load("churn@prod")


def test_a_whole_module_loads_by_trust_only(put: Put) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(2, 1), buffer)
    registry = put({"model.pt": buffer.getvalue()})
    with pytest.raises(InvalidInput, match="may run code"):
        registry.load("churn@prod")
    assert registry.load("churn@prod", trust=artreg.THIS_REGISTRY).model.in_features == 2


def test_a_hostile_module_runs_nothing_unless_trusted(put: Put, canary: Path) -> None:
    registry = put({"model.pth": torch_archive(canary)})
    with pytest.raises(InvalidInput, match="may run code"):
        registry.load("churn@prod")
    with pytest.raises(IntegrityError, match="not the trusted"):
        registry.load("churn@prod", trust=f"sha256:{'0' * 64}")
