"""The policy: what a version must show before an alias may point at it, and who may move the alias."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Self

from pydantic import Field, model_validator

from artreg.core import canonical
from artreg.core.gates import Gate
from artreg.core.gates.age import SoakGate
from artreg.core.gates.from_alias import FromGate
from artreg.core.gates.interface import Section, alias_text
from artreg.core.names import Alias, ModelName, is_name
from artreg.core.validation import validate
from artreg.errors import InvalidInput


class AliasPolicy(Section):
    """What holds for one alias.

    Attributes:
        gates: Every one must pass before a promotion; integrity is always checked too.
        require_reason: Whether a move, rollbacks included, must say why.
        who: Who may move it, as names or patterns such as `*@example.org`; empty: anybody.
        force: Who may promote although gates say no, giving a reason; empty: nobody.
    """

    gates: list[Gate] = Field(default=[])
    require_reason: bool = False
    who: list[str] = Field(default=[])
    force: list[str] = Field(default=[])

    def may_move(self, actor: str) -> bool:
        """Return whether `actor` may move the alias."""
        return not self.who or matches(actor, self.who)

    def may_force(self, actor: str) -> bool:
        """Return whether `actor` may promote although gates say no."""
        return matches(actor, self.force)


Aliases = dict[str, AliasPolicy]

_STAR_ONLY = re.compile(r"[\[?]")  # what else means something to fnmatch, but stands in names: github-actions[bot]


class Policy(Section):
    """The whole policy of a registry.

    Attributes:
        aliases: What holds for each alias.
        projects: Of single projects: aliases whose rules replace those above.
        models: Of single models (`project/model`): aliases whose rules replace both.
        signers: Public SSH keys by the names of those whose signatures they verify.
    """

    aliases: Aliases = Field(min_length=1)
    projects: dict[str, Aliases] = Field(default={})
    models: dict[str, Aliases] = Field(default={})
    signers: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _names_make_sense(self) -> Self:
        _check_aliases(self.aliases, self.aliases)
        for project, aliases in self.projects.items():
            if not is_name(project):
                raise ValueError(f"{project!r} is not a project name")
            _check_aliases(aliases, {**self.aliases, **aliases})
        for name, aliases in self.models.items():
            project, slash, model = name.partition("/")
            if not slash or not is_name(project) or not is_name(model):
                raise ValueError(f"{name!r} is not project/model")
            _check_aliases(aliases, {**self.aliases, **self.projects.get(project, {}), **aliases})
        return self

    @property
    def digest(self) -> str:
        """The sha256 of the policy's canonical form; comments, layout and spelt-out defaults do not count."""
        return canonical.digest(canonical.dumps(self.document()))

    def document(self) -> dict[str, object]:
        """Return it as a JSON object, with every default spelt out."""
        return self.model_dump(mode="json")

    def of(self, model: ModelName, alias: Alias) -> AliasPolicy:
        """Return what holds for an alias of a model.

        Raises:
            InvalidInput: The policy names no such alias.
        """
        known = self.names(model)
        if alias.name not in known:
            raise InvalidInput(
                f"the policy names no alias {alias.name!r}",
                hint=f"its aliases are {', '.join(known)}; add one to the policy, or use one of these",
            )
        return known[alias.name]

    def names(self, model: ModelName) -> Aliases:
        """Return the rules of every alias that a model can have."""
        return {**self.aliases, **self.projects.get(model.project, {}), **self.models.get(str(model), {})}


def matches(actor: str, patterns: Sequence[str]) -> bool:
    """Return whether a name is among the patterns, in which `*` stands for anything."""
    return any(fnmatchcase(actor, _STAR_ONLY.sub(r"[\g<0>]", pattern)) for pattern in patterns)


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


def _check_aliases(aliases: Aliases, known: Aliases) -> None:
    for name, policy in aliases.items():
        alias_text(name)
        for gate in policy.gates:
            if isinstance(gate, FromGate) and gate.alias == name:
                raise ValueError(f"{name} cannot take from itself")
            if isinstance(gate, SoakGate) and gate.alias == name:
                raise ValueError(f"{name} cannot soak in itself: nothing could pass")
            other = getattr(gate, "alias", None) or getattr(gate, "against", None)
            if other is not None and other not in known:
                raise ValueError(f"a gate of {name} looks at {other}, which the policy does not name")
