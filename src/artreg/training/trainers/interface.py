"""What a trainer is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from artreg.training.data import Columns


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
        build: Makes the unfitted estimator from the model section of the config (of the class that belongs to the
            kind), the feature columns, and the seed. The estimator takes a raw `DataFrame` and is made of
            scikit-learn's classes only, so that a saved model loads without artreg.
        nondeterministic: What in it is known not to be deterministic.
    """

    build: Callable[[Any, Columns, int], Any]
    nondeterministic: tuple[Nondeterminism, ...]
