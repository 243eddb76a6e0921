"""Models as files, and back: skops, joblib, and the two files of a perceptron.

What is judged is the model that was read back from the very bytes that are stored.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.core.config import Format
from artreg.errors import InvalidInput
from artreg.training import skops_bytes
from artreg.training.trainers import mlp
from artreg.training.trainers.interface import Model

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SKOPS = "model.skops"
JOBLIB = "model.joblib"


@dataclass(frozen=True)
class Estimator:
    """A fitted estimator of scikit-learn's, as it was read from a file.

    Attributes:
        name: The file's name.
        data: The file's bytes.
        estimator: What they hold.
    """

    name: str
    data: bytes
    estimator: Any

    def files(self) -> Mapping[str, bytes]:
        """Return the one file."""
        return {self.name: self.data}

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes), or a value a row."""
        method = self.estimator.predict_proba if hasattr(self.estimator, "predict_proba") else self.estimator.predict
        predicted: NDArray[Any] = method(features)
        return predicted


def stored(made: Any, wanted: Format) -> Model:
    """Return what a trainer made as it will be read from its files.

    Args:
        made: A model, or a fitted estimator.
        wanted: In which format an estimator is stored: `auto` is skops where that loads without running code.

    Raises:
        InvalidInput: It is neither; or it cannot be stored as skops, which was asked for.
    """
    if isinstance(made, mlp.Mlp):
        return mlp.load(made.files())
    if callable(getattr(made, "files", None)) and callable(getattr(made, "predict", None)):
        return made  # type: ignore[no-any-return]  # it has what a Model has, and only it can read its own files
    if not callable(getattr(made, "predict", None)):
        raise InvalidInput(
            f"the trainer returned {type(made).__name__}, which is no model",
            hint="return a fitted estimator, or an object with files() and predict(); see docs/trainers.md",
        )
    return _estimator(made, wanted)


def load_model(folder: Path) -> Model:
    """Read the model of a version that lies in a folder; joblib may run whatever is in the file.

    Raises:
        InvalidInput: There is none that artreg can read.
        IntegrityError: Its files do not go together.
    """
    if (folder / mlp.WEIGHTS).is_file():
        return mlp.load({name: (folder / name).read_bytes() for name in (mlp.WEIGHTS, mlp.ARCHITECTURE)})
    for name, read in ((SKOPS, skops_bytes.load), (JOBLIB, _from_joblib)):
        if (folder / name).is_file():
            data = (folder / name).read_bytes()
            return Estimator(name, data, read(data))
    raise InvalidInput(f"{folder} has no model that artreg can read", hint=f"it reads {SKOPS}, {JOBLIB} and model/")


def _estimator(estimator: Any, wanted: Format) -> Estimator:
    if wanted != "joblib":
        found = skops_bytes.stored(estimator)
        if found is not None:
            return Estimator(SKOPS, *found)
        if wanted == "skops":
            raise InvalidInput(
                "this model cannot be stored as skops without trusting code", hint="set format to joblib, or to auto"
            )
    # A pickle shows which equal strings were one object; only after a round trip does that depend on the model alone.
    data = _to_joblib(_from_joblib(_to_joblib(estimator)))
    return Estimator(JOBLIB, data, _from_joblib(data))


def _to_joblib(estimator: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=0)
    return buffer.getvalue()


def _from_joblib(data: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(data))
