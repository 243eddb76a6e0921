"""One seed for every source of chance that training may touch.

Every framework that is installed is seeded, whichever of them the trainer uses, because a preprocessing step or a
callback may draw from any of them. That imports an installed torch or TensorFlow, which takes a second or more; who
does not have them (they are extras) pays nothing. One that is installed but cannot be imported is reported and left
alone: it cannot draw numbers either.

`PYTHONHASHSEED` cannot be set from within a process that has started. Nothing in artreg depends on it: no output
follows the order of a set, and `hash()` is used for nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CUBLAS_WORKSPACE = ":4096:8"
"""The workspace with which cuBLAS (10.2 and later) is deterministic; read when CUDA is first used."""


@dataclass(frozen=True)
class SeedReport:
    """What was seeded, and with what.

    Attributes:
        seed: The seed.
        frameworks: Of each framework: "seeded", "not installed", or "cannot be imported".
    """

    seed: int
    frameworks: Mapping[str, str]

    def to_document(self) -> dict[str, object]:
        """Return the report as `run.json` holds it."""
        return {"seed": self.seed, "frameworks": dict(self.frameworks)}


def set_seed(seed: int) -> SeedReport:
    """Seed `random`, and NumPy, torch and TensorFlow where they are installed, and ask them for determinism.

    For torch: CPU and every CUDA device, deterministic cuDNN without benchmarking, deterministic algorithms only (an
    operation that has none then raises), and the cuBLAS workspace that this needs.

    Args:
        seed: From 0 to 2**32 - 1, the range that all of them take.
    """
    random.seed(seed)
    frameworks = {"random": "seeded"}
    for name, apply in _FRAMEWORKS.items():
        frameworks[name] = _seed_installed(name, apply, seed)
    return SeedReport(seed=seed, frameworks=frameworks)


def _seed_installed(name: str, apply: Callable[[Any, int], None], seed: int) -> str:
    if importlib.util.find_spec(name) is None:
        return "not installed"
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError):  # OSError: a shared library of it is missing
        return "cannot be imported"
    apply(module, seed)
    return "seeded"


def _seed_numpy(numpy: Any, seed: int) -> None:
    numpy.random.seed(seed)  # what scikit-learn falls back on where no random_state is passed


def _seed_torch(torch: Any, seed: int) -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)  # does nothing until CUDA is there
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)


def _seed_tensorflow(tensorflow: Any, seed: int) -> None:
    tensorflow.random.set_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()


_FRAMEWORKS: Mapping[str, Callable[[Any, int], None]] = {
    "numpy": _seed_numpy,
    "torch": _seed_torch,
    "tensorflow": _seed_tensorflow,
}
