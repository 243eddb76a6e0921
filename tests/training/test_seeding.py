from __future__ import annotations

import importlib.util
import random
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from artreg.training import seeding
from artreg.training.seeding import CUBLAS_WORKSPACE, set_seed


class Recorder:
    """Stands for a framework: remembers every call and every attribute that is set."""

    def __init__(self) -> None:
        object.__setattr__(self, "calls", [])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inner = Step(self.calls, name)
        object.__setattr__(self, name, inner)
        return inner


class Step:
    def __init__(self, calls: list[tuple[str, object]], path: str) -> None:
        self.__dict__.update(_calls=calls, _path=path)

    def __getattr__(self, name: str) -> Step:
        return Step(self._calls, f"{self._path}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        self._calls.append((f"{self._path}.{name}", value))

    def __call__(self, *values: object) -> None:
        self._calls.append((self._path, values))


def test_random_and_numpy_repeat_themselves() -> None:
    draws = []
    for _ in range(2):
        report = set_seed(7)
        draws.append((random.random(), np.random.rand()))
    assert draws[0] == draws[1]
    assert report.seed == 7
    assert report.frameworks["random"] == report.frameworks["numpy"] == "seeded"
    set_seed(8)
    assert (random.random(), np.random.rand()) != draws[0]


def install(monkeypatch: pytest.MonkeyPatch, **modules: object) -> None:
    """Make exactly these of the optional frameworks look installed."""
    real = importlib.util.find_spec

    def find_spec(name: str) -> object:
        if name in ("torch", "tensorflow"):
            return SimpleNamespace() if name in modules else None
        return real(name)

    monkeypatch.setattr(seeding.importlib.util, "find_spec", find_spec)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_torch_is_seeded_and_made_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = Recorder()
    install(monkeypatch, torch=torch)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert set_seed(7).frameworks["torch"] == "seeded"
    assert torch.calls == [
        ("manual_seed", (7,)),
        ("cuda.manual_seed_all", (7,)),
        ("backends.cudnn.deterministic", True),
        ("backends.cudnn.benchmark", False),
        ("use_deterministic_algorithms", (True,)),
    ]
    assert seeding.os.environ["CUBLAS_WORKSPACE_CONFIG"] == CUBLAS_WORKSPACE


def test_a_workspace_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch=Recorder())
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    set_seed(7)
    assert seeding.os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_tensorflow_is_seeded_and_made_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = Recorder()
    install(monkeypatch, tensorflow=tensorflow)
    report = set_seed(7)
    assert tensorflow.calls == [("random.set_seed", (7,)), ("config.experimental.enable_op_determinism", ())]
    assert (report.frameworks["tensorflow"], report.frameworks["torch"]) == ("seeded", "not installed")


def test_a_broken_framework_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch=None)  # None in sys.modules makes the import fail
    assert set_seed(7).to_document() == {
        "seed": 7,
        "frameworks": {
            "random": "seeded",
            "numpy": "seeded",
            "torch": "cannot be imported",
            "tensorflow": "not installed",
        },
    }


@pytest.mark.torch
def test_the_real_torch_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    draws = []
    for _ in range(2):
        set_seed(7)
        draws.append(torch.rand(4).tolist())
    assert draws[0] == draws[1]
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert torch.initial_seed() == 7
    torch.use_deterministic_algorithms(False)
