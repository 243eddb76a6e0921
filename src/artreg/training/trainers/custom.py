"""A user's own trainer: a function that a config names, with settings of a class of its own.

    class Params(BaseModel):              # what `trainer` may say besides `kind`; unknown keys should be refused
        model_config = ConfigDict(extra="forbid")
        depth: int = 3

    def fit(data: TrainingData, params: Params, seed: int): ...

It returns an estimator of scikit-learn's, fitted, which artreg stores; or a `Model`, which says its own files. Its
module is looked for where Python looks, and last in the folder that is trained in.
"""

from __future__ import annotations

import importlib
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from artreg.core.config import CustomConfig, CustomTrainer
from artreg.core.validation import validate
from artreg.errors import ArtregError, InvalidInput
from artreg.training.trainers.interface import Nondeterminism, Trainer, TrainingData

_PARAMS = "params"


def custom_trainer(kind: str, base: Path) -> Trainer:
    """Return the trainer that a kind names.

    Args:
        kind: `package.module:function`.
        base: The folder that is trained in.

    Raises:
        InvalidInput: There is no such function.
    """
    function = _function(kind, base)

    def fit(data: TrainingData, params: Any, seed: int) -> Any:
        try:
            return function(data, params, seed)
        except ArtregError:
            raise
        except Exception as error:  # whatever it raises is not artreg's
            raise InvalidInput(
                f"the trainer {kind} failed: {type(error).__name__}: {error}",
                hint="-v shows where; the function gets (data, params, seed), see docs/trainers.md",
            ) from error

    return Trainer(
        name=kind,
        fit=fit,
        tasks=("classification", "regression"),
        nondeterministic=(
            Nondeterminism(
                operation=f"whatever {kind} does",
                depends_on="its own code",
                remedy="artreg reproduce shows whether it gives the same bytes again",
            ),
        ),
    )


def validated(config: CustomConfig, base: Path) -> tuple[CustomConfig, BaseModel]:
    """Return a config with the settings of its trainer checked and their defaults spelt out, and the settings.

    Raises:
        InvalidInput: There is no such trainer, or it refuses a setting.
    """
    kind = config.trainer.kind
    params = validate(
        _params_class(kind, base), config.trainer.params, hint="correct the config", what=f"trainer ({kind})"
    )
    spelt_out = CustomTrainer(kind=kind, **params.model_dump(mode="json"))
    return config.model_copy(update={"trainer": spelt_out}), params


def packages_of(kind: str) -> tuple[str, ...]:
    """Return the names of the installed packages that a trainer's module comes from, if it is installed."""
    top = kind.partition(":")[0].partition(".")[0]
    return tuple(sorted(set(metadata.packages_distributions().get(top, []))))


def _function(kind: str, base: Path) -> Any:
    module_name, _, name = kind.partition(":")
    try:
        with _also_in(base):
            module = importlib.import_module(module_name)
    except ImportError as error:
        raise InvalidInput(
            f"trainer.kind: {module_name} cannot be imported: {error}",
            hint=f"install it, or put it into {base}, and give its name as package.module:function",
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise InvalidInput(f"trainer.kind: {module_name} has no function {name}", hint="correct trainer.kind")
    return function


def _params_class(kind: str, base: Path) -> type[BaseModel]:
    function = _function(kind, base)
    try:
        found = typing.get_type_hints(function).get(_PARAMS)
    except (NameError, TypeError) as error:
        raise InvalidInput(f"the annotations of {kind} cannot be read: {error}", hint="see docs/trainers.md") from error
    if not isinstance(found, type) or not issubclass(found, BaseModel):
        raise InvalidInput(
            f"{kind} does not say what it may be told",
            hint=f"annotate its argument {_PARAMS} with a pydantic class; see docs/trainers.md",
        )
    return found


@contextmanager
def _also_in(folder: Path) -> Iterator[None]:
    """Look for modules in a folder too, after everything that is installed; what was found stays importable."""
    entry = str(folder.absolute())
    if entry not in sys.path:
        sys.path.append(entry)
    importlib.invalidate_caches()
    yield
