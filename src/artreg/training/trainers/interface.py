"""What a trainer is: the contract that scikit-learn's models, torch's and a user's own all keep.

A trainer takes the training rows, its settings and the seed, and gives a model that can say its files and predict. It
draws no number that does not follow from the seed, and looks at nothing but what it is given: then equal rows and
equal settings give equal bytes, which is what artreg promises of every version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from artreg.core.config import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    """The features, in the order of the table."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def ordered(self) -> list[str]:
        """The features as models get them: the categorical ones first."""
        return [*self.categorical, *self.numeric]


@dataclass(frozen=True)
class TrainingData:
    """The rows to learn from.

    Attributes:
        features: A row each; the categorical columns come first, in them text or missing, then the numeric ones.
        target: Of each row the number of its class (int64), or for a regression its value (float64).
        columns: Which features are numeric and which categorical.
        task: `classification` or `regression`.
        classes: The label of each class, by its number; of two, 1 is the positive one. Empty for a regression.
    """

    features: pd.DataFrame
    target: NDArray[Any]
    columns: Columns
    task: Task
    classes: tuple[str, ...]


class Model(Protocol):
    """A fitted model."""

    def files(self) -> Mapping[str, bytes]:
        """Return its files by name: one `model.<ext>`, or several in `model/`. Equal models give equal bytes."""

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Predict.

        Args:
            features: As in `TrainingData`.

        Returns:
            For a classification the probability of each class, shape (rows, classes); else a value a row, (rows,).
        """


@dataclass(frozen=True)
class Nondeterminism:
    """An operation whose last bits are known to depend on something outside the four axes.

    Attributes:
        operation: What is computed.
        depends_on: What its last bits depend on.
        remedy: What keeps them the same.
    """

    operation: str
    depends_on: str
    remedy: str

    def to_document(self) -> dict[str, str]:
        """Return it as `run.json` holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Trainer:
    """How one kind of model is made.

    Attributes:
        name: Its name, for people.
        fit: Takes the training rows, the settings (of the class that belongs to the kind) and the seed; returns a
            `Model`, or an estimator of scikit-learn's, which artreg knows how to store.
        tasks: What it can be used for.
        nondeterministic: What in it is known not to be deterministic.
    """

    name: str
    fit: Callable[[TrainingData, Any, int], Any]
    tasks: tuple[Task, ...]
    nondeterministic: tuple[Nondeterminism, ...]
