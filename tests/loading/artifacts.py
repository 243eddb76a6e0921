"""Models to load, harmless and not: each hostile one leaves a canary behind if anything in it ever runs."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

FRAME = pd.DataFrame({"a": np.linspace(0, 1, 40), "b": np.linspace(1, 0, 40) ** 2})
LABELS = np.arange(40) % 2


def estimator(strength: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=strength).fit(FRAME, LABELS)


def as_skops(made: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skops.io.dumps(made)


def as_joblib(made: Any, compress: Any = 0) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(made, buffer, compress=compress)
    return buffer.getvalue()


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def canary_command(canary: Path) -> Command:
    return Command(f"touch '{canary}'")
