"""Models as files, and back: skops, the two files of a perceptron, and, trusted, joblib and other pickles.

What is judged is the model that was read back from the very bytes that are stored. Everything here reads bytes that
nobody can change any more: in memory, or in a file that is held open.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from artreg.core.config import Format
from artreg.core.manifest import is_model_file
from artreg.errors import ArtregError, InvalidInput
from artreg.inspection.packing import unpacked
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
    """A fitted estimator of scikit-learn's, or whatever else a single file held."""

    estimator: Any

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes), or a value a row."""
        method = self.estimator.predict_proba if hasattr(self.estimator, "predict_proba") else self.estimator.predict
        predicted: NDArray[Any] = method(features)
        return predicted


@dataclass(frozen=True)
class StoredEstimator(Estimator):
    """A fitted estimator as it was read back from the file that will hold it.

    Attributes:
        name: The file's name.
        data: The file's bytes.
    """

    name: str
    data: bytes

    def files(self) -> Mapping[str, bytes]:
        """Return the one file."""
        return {self.name: self.data}


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


@dataclass(frozen=True)
class FileFormat:
    """A way in which models are stored.

    Attributes:
        name: What people call it.
        runs_code: Whether loading it may run whatever is in the file.
        read: Makes what the files hold, given their bytes by name, what they are called for errors, and the full names
            of types that the reader trusts.
    """

    name: str
    runs_code: bool
    read: Callable[[Mapping[str, IO[bytes]], str, Sequence[str]], Any]


def file_format(names: Collection[str], what: str) -> FileFormat:
    """Return the format of a model by the names of its files.

    Raises:
        InvalidInput: artreg cannot read it.
    """
    models = {name for name in names if is_model_file(name)}
    if models == {mlp.WEIGHTS, mlp.ARCHITECTURE}:
        return _MLP
    suffix = next(iter(models)).partition(".")[2] if len(models) == 1 else ""
    if suffix not in _FORMATS or models != {f"model.{suffix}"}:
        known = ", ".join(f"model.{ending}" for ending in _FORMATS)
        raise InvalidInput(
            f"{what} has no model that artreg can load",
            hint=f"it loads {known}, and {mlp.WEIGHTS}; artreg pull gets any",
        )
    return _FORMATS[suffix]


def load_model(folder: Path, *, run_code: bool = False) -> Any:
    """Read the model of a version that lies in a folder of one's own, to which nobody else writes.

    Args:
        folder: The version, pulled.
        run_code: Whether formats are read that may run whatever is in the file.

    Raises:
        InvalidInput: There is none that artreg can read, or only by running code.
        IntegrityError: Its files are damaged, or do not go together.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    models = {name: path for name, path in paths.items() if is_model_file(name)}
    found = file_format(models, str(folder))
    if found.runs_code and not run_code:
        raise InvalidInput(
            f"{', '.join(models)} may run code when loaded, and trust names nothing", hint="store it as skops"
        )
    with ExitStack() as stack:
        return found.read(
            {name: stack.enter_context(path.open("rb")) for name, path in models.items()}, "the model", ()
        )


def _only(files: Mapping[str, IO[bytes]]) -> tuple[str, IO[bytes]]:
    ((name, file),) = files.items()
    return name, file


def _read_skops(files: Mapping[str, IO[bytes]], what: str, types: Sequence[str]) -> Estimator:
    name, file = _only(files)
    return Estimator(skops_bytes.load(file, f"{name} of {what}", types))


def _read_joblib(files: Mapping[str, IO[bytes]], what: str, types: Sequence[str]) -> Estimator:
    import joblib

    name, file = _only(files)
    shown = f"{name} of {what}"
    return Estimator(_made(shown, joblib.load, unpacked(file, shown)))


def _read_pickle(files: Mapping[str, IO[bytes]], what: str, types: Sequence[str]) -> Estimator:
    import pickle

    name, file = _only(files)
    return Estimator(_made(f"{name} of {what}", pickle.load, file))


def _read_torch(files: Mapping[str, IO[bytes]], what: str, types: Sequence[str]) -> Estimator:
    torch = mlp.require_torch(what)
    name, file = _only(files)
    return Estimator(_made(f"{name} of {what}", partial(torch.load, weights_only=False), file))


def _read_mlp(files: Mapping[str, IO[bytes]], what: str, types: Sequence[str]) -> mlp.Mlp:
    return mlp.load({name: file.read() for name, file in files.items()})


def _made(what: str, load: Callable[[IO[bytes]], Any], file: IO[bytes]) -> Any:
    """Return what a file holds whose own code is trusted; what that code raises is told as it is."""
    try:
        return load(file)
    except ArtregError:
        raise
    except Exception as error:  # whatever it raises is not artreg's
        raise InvalidInput(
            f"{what} cannot be loaded: {type(error).__name__}: {error}",
            hint="the packages that it was made with stand in its uv.lock",
        ) from error


_MLP = FileFormat("safetensors", runs_code=False, read=_read_mlp)
_PICKLE = FileFormat("pickle", runs_code=True, read=_read_pickle)
_TORCH = FileFormat("torch", runs_code=True, read=_read_torch)
_FORMATS = {
    "skops": FileFormat("skops", runs_code=False, read=_read_skops),
    "joblib": FileFormat("joblib", runs_code=True, read=_read_joblib),
    "pkl": _PICKLE,
    "pickle": _PICKLE,
    "pt": _TORCH,
    "pth": _TORCH,
}
"""How a single file `model.<ending>` is read."""


def _estimator(estimator: Any, wanted: Format) -> StoredEstimator:
    if wanted != "joblib":
        found = skops_bytes.stored(estimator)
        if found is not None:
            data, read = found
            return StoredEstimator(read, SKOPS, data)
        if wanted == "skops":
            raise InvalidInput(
                "this model cannot be stored as skops without trusting code", hint="set format to joblib, or to auto"
            )
    # A pickle shows which equal strings were one object; only after a round trip does that depend on the model alone.
    data = _to_joblib(_from_joblib(_to_joblib(estimator)))
    return StoredEstimator(_from_joblib(data), JOBLIB, data)


def _to_joblib(estimator: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=0)
    return buffer.getvalue()


def _from_joblib(data: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(data))
