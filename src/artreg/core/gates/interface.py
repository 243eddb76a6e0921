"""What a gate is: a part of the policy that can judge evidence.

A gate is a plain frozen value, since whoever promotes needs no more than that. What a person may write for each of its
fields stands in the annotations, which only `artreg.core.policy_file` evaluates: it alone imports pydantic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.names import Alias
from artreg.core.record import Verdict
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NONE: list[str] = []
"""The default of a list of names."""

NO_OPTIONS: dict[str, Any] = {}
"""The default of a mapping."""

AliasText = str
"""A name that can be an alias's."""


class Gate(Frozen):
    """One gate, as the policy names it.

    Attributes:
        gate: The kind.
    """

    gate: str

    def check(self) -> None:
        """See that it makes sense as a whole.

        Raises:
            ValueError: It does not.
        """

    def needs(self, alias: Alias) -> Needs:
        """Say what must be gathered to judge a move of `alias`."""
        return Needs()

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Say whether the candidate may pass.

        Args:
            evidence: What was gathered.
            measured: What was measured outside for this very gate, or None.
        """
        raise NotImplementedError  # each kind has its own rule

    def verdict(self, passed: bool, message: str, /, **figures: object) -> Verdict:
        """Return a verdict of this gate; figures that JSON has no word for (an infinite distance) become null."""
        return Verdict(self.gate, passed, message, {name: _representable(value) for name, value in figures.items()})

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, with every default spelt out."""
        return {name: getattr(self, name) for name in type(self).__match_args__}

    def settings(self) -> dict[str, Any]:
        """Return what was said that is not the default, without the kind."""
        defaults = type(self).frozen_defaults
        return {
            name: value
            for name, value in self.document().items()
            if name != "gate" and (name not in defaults or defaults[name] != value)
        }


def _representable(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _representable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_representable(inner) for inner in value]
    return value
