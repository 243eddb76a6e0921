"""What a gate is: a section of the policy that can judge evidence."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.names import Alias
from artreg.core.record import Verdict
from artreg.errors import ArtregError


class Section(BaseModel):
    """A part of the policy: strict, immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class GateSection(Section, ABC):
    """One gate, as the policy names it.

    Attributes:
        gate: The kind.
    """

    gate: Any = Field()

    def needs(self, alias: Alias) -> Needs:
        """Say what must be gathered to judge a move of `alias`."""
        return Needs()

    @abstractmethod
    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Say whether the candidate may pass.

        Args:
            evidence: What was gathered.
            measured: What was measured outside for this very gate, or None.
        """

    def verdict(self, passed: bool, message: str, /, **figures: object) -> Verdict:
        """Return a verdict of this gate; figures that JSON has no word for (an infinite distance) become null."""
        return Verdict(self.gate, passed, message, {name: _representable(value) for name, value in figures.items()})


def _representable(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _representable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_representable(inner) for inner in value]
    return value


def alias_text(text: str) -> str:
    """Return `text` if it can be an alias; for validators, hence the ValueError."""
    try:
        return Alias(text).name
    except ArtregError as error:
        raise ValueError(error.message) from error
