"""The policy: what a version must show before an alias may point at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from artreg.core import canonical
from artreg.core.names import Alias
from artreg.core.validation import validate
from artreg.errors import ArtregError, InvalidInput


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class MetricGate(_Section):
    """A number in metrics.json must lie within limits; both are inclusive.

    Attributes:
        key: The metric's name; dots reach into nested objects.
        min: The least that passes.
        max: The most that passes.
    """

    gate: Literal["metric"]
    key: str = Field(min_length=1)
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a metric gate needs min, max, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max, so that nothing could pass")
        return self


class FromGate(_Section):
    """Another alias must hold the very same version.

    Attributes:
        alias: The alias that comes before this one.
    """

    gate: Literal["from"]
    alias: str

    @field_validator("alias")
    @classmethod
    def _is_alias(cls, text: str) -> str:
        return _alias(text)


Gate = MetricGate | FromGate


class AliasPolicy(_Section):
    """What holds for one alias.

    Attributes:
        gates: Every one must pass before a promotion; integrity is always checked too.
        require_reason: Whether a move, rollbacks included, must say why.
    """

    gates: list[Annotated[Gate, Field(discriminator="gate")]] = []
    require_reason: bool = False


class Policy(_Section):
    """The whole policy of a registry.

    Attributes:
        aliases: What holds for each alias; there are no others.
    """

    aliases: dict[str, AliasPolicy] = Field(min_length=1)

    @field_validator("aliases")
    @classmethod
    def _are_aliases(cls, aliases: dict[str, AliasPolicy]) -> dict[str, AliasPolicy]:
        for name, policy in aliases.items():
            _alias(name)
            for gate in policy.gates:
                if isinstance(gate, FromGate) and gate.alias not in aliases:
                    raise ValueError(f"{name} takes from {gate.alias}, which the policy does not name")
                if isinstance(gate, FromGate) and gate.alias == name:
                    raise ValueError(f"{name} cannot take from itself")
        return aliases

    @property
    def digest(self) -> str:
        """The sha256 of the policy's canonical form; comments and layout do not count."""
        return canonical.digest(canonical.dumps(self.model_dump(mode="json")))

    def of(self, alias: Alias) -> AliasPolicy:
        """Return what holds for `alias`.

        Raises:
            InvalidInput: The policy names no such alias.
        """
        if alias.name not in self.aliases:
            raise InvalidInput(
                f"the policy names no alias {alias.name!r}",
                hint=f"its aliases are {', '.join(self.aliases)}; add one to the policy file, or use one of these",
            )
        return self.aliases[alias.name]


def parse_policy(document: object, what: str = "policy") -> Policy:
    """Check a policy that a person wrote.

    Args:
        document: What the YAML file holds.
        what: The file's name, for errors.

    Raises:
        InvalidInput: It is no policy; every problem is named.
    """
    return validate(Policy, document, what=what, hint="correct the policy")


DEFAULT_POLICY: Mapping[str, object] = {
    "aliases": {
        "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}]},
        "prod": {"gates": [{"gate": "from", "alias": "staging"}, {"gate": "metric", "key": "roc_auc", "min": 0.8}]},
    }
}
"""What holds where there is no policy file."""


def _alias(text: str) -> str:
    try:
        return Alias(text).name
    except ArtregError as error:
        raise ValueError(error.message) from error
