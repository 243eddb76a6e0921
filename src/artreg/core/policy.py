"""The policy: what a version must show before an alias may point at it, and who may move the alias."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from artreg.core import canonical
from artreg.core.fields import check_fields
from artreg.core.gates import KINDS
from artreg.core.gates.age import SoakGate
from artreg.core.gates.from_alias import FromGate
from artreg.core.gates.interface import NONE, Gate
from artreg.core.gates.people import SignedGate
from artreg.core.names import Alias, ModelName, is_alias, is_name
from artreg.errors import InvalidInput
from artreg.frozen import Frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

_NO_GATES: list[Gate] = []
_NO_MOVES: list[Literal["promote", "rollback"]] = []
_NO_RULES: dict[str, Any] = {}


class AliasPolicy(Frozen):
    """What holds for one alias.

    Attributes:
        gates: Every one must pass before a promotion; integrity is always checked too.
        require_reason: Whether a move, rollbacks included, must say why.
        who: Who may move it, as names or patterns such as `*@example.org`; empty: anybody.
        force: Who may promote although gates say no, giving a reason; empty: nobody.
        signed_moves: Which moves whoever makes them must sign, with the key that `signers` names for that person.
    """

    gates: list[Gate] = _NO_GATES
    require_reason: bool = False
    who: list[str] = NONE
    force: list[str] = NONE
    signed_moves: list[Literal["promote", "rollback"]] = _NO_MOVES

    def may_move(self, actor: str) -> bool:
        """Return whether `actor` may move the alias."""
        return not self.who or matches(actor, self.who)

    def may_force(self, actor: str) -> bool:
        """Return whether `actor` may promote although gates say no."""
        return matches(actor, self.force)

    def document(self) -> dict[str, object]:
        """Return it as a JSON object, with every default spelt out."""
        gates = [gate.document() for gate in self.gates]
        rules = {"gates": gates, "require_reason": self.require_reason, "who": self.who, "force": self.force}
        # Left out otherwise, so that a policy from before there was such a thing keeps its digest.
        return {**rules, "signed_moves": sorted(set(self.signed_moves))} if self.signed_moves else rules


Aliases = dict[str, AliasPolicy]


class Policy(Frozen):
    """The whole policy of a registry.

    Attributes:
        aliases: What holds for each alias.
        projects: Of single projects: aliases whose rules replace those above.
        models: Of single models (`project/model`): aliases whose rules replace both.
        signers: Public SSH keys by the names of those whose signatures they verify.
    """

    aliases: Aliases
    projects: dict[str, Aliases] = _NO_RULES
    models: dict[str, Aliases] = _NO_RULES
    signers: dict[str, str] = _NO_RULES

    def check(self) -> None:
        """See that every name makes sense where it stands, and every figure lies within its limits.

        Raises:
            ValueError: One does not.
        """
        if not self.aliases:
            raise ValueError("it names no alias")
        check_fields(replace(self, aliases={}, projects={}, models={}))
        _check_aliases(self.aliases, self.aliases)
        for aliases in (self.aliases, *self.projects.values(), *self.models.values()):
            self._check_signers(aliases)
        for project, aliases in self.projects.items():
            if not is_name(project):
                raise ValueError(f"{project!r} is not a project name")
            _check_aliases(aliases, {**self.aliases, **aliases})
        for name, aliases in self.models.items():
            project, slash, model = name.partition("/")
            if not slash or not is_name(project) or not is_name(model):
                raise ValueError(f"{name!r} is not project/model")
            _check_aliases(aliases, {**self.aliases, **self.projects.get(project, {}), **aliases})

    def _check_signers(self, aliases: Aliases) -> None:
        for name, rules in aliases.items():
            wanted = {who for gate in rules.gates if isinstance(gate, SignedGate) for who in gate.of}
            for who in sorted(wanted - self.signers.keys()):
                raise ValueError(f"{name} asks for a signature of {who}, whose key is not under signers")
            if rules.signed_moves and not self.signers:
                raise ValueError(f"{name} wants its moves signed, but no key is under signers, so that nobody could")

    @property
    def digest(self) -> str:
        """The sha256 of the policy's canonical form; comments, layout and spelt-out defaults do not count."""
        return canonical.digest(canonical.dumps(self.document()))

    def document(self) -> dict[str, object]:
        """Return it as a JSON object, with every default spelt out."""
        return {
            "aliases": _document(self.aliases),
            "projects": {name: _document(aliases) for name, aliases in self.projects.items()},
            "models": {name: _document(aliases) for name, aliases in self.models.items()},
            "signers": self.signers,
        }

    def of(self, model: ModelName, alias: Alias) -> AliasPolicy:
        """Return what holds for an alias of a model.

        Raises:
            InvalidInput: The policy names no such alias.
        """
        known = self.names(model)
        if alias.name not in known:
            from artreg.core.near import did_you_mean, near  # noqa: PLC0415  # only errors need it

            found = near(alias.name, known)
            there = f"its aliases are {', '.join(known)}; add one to the policy, or use one of these"
            raise InvalidInput(
                f"the policy names no alias {alias.name!r}",
                hint="; ".join(words for words in (did_you_mean(found), there) if words),
                suggestions=found,
            )
        return known[alias.name]

    def names(self, model: ModelName) -> Aliases:
        """Return the rules of every alias that a model can have."""
        return {**self.aliases, **self.projects.get(model.project, {}), **self.models.get(str(model), {})}


def matches(actor: str, patterns: Sequence[str]) -> bool:
    """Return whether a name is among the patterns, in which `*` stands for anything."""
    # What else means something to fnmatch stands in names: github-actions[bot].
    return any(fnmatchcase(actor, re.sub(r"[\[?]", r"[\g<0>]", pattern)) for pattern in patterns)


def parse_policy(document: object, what: str = "policy") -> Policy:
    """Check a policy that a person wrote.

    Args:
        document: What the YAML file holds.
        what: The file's name, for errors.

    Raises:
        InvalidInput: It is no policy; every problem is named.
    """
    from artreg.core.policy_file import checked_policy  # noqa: PLC0415  # pydantic costs more than a whole promotion

    return policy_of(checked_policy(document, what))


def policy_of(document: Mapping[str, Any]) -> Policy:
    """Return the policy that a document stands for which was checked before, as a stored one was; defaults may lack.

    Raises:
        InvalidInput: It holds what this artreg does not know.
    """
    unknown = sorted(map(str, set(document) - set(Policy.__match_args__)))
    if unknown:
        raise InvalidInput(f"the policy holds something that this artreg does not know: {', '.join(unknown)}")
    try:
        return Policy(
            aliases=_aliases(document["aliases"]),
            projects={name: _aliases(aliases) for name, aliases in document.get("projects", {}).items()},
            models={name: _aliases(aliases) for name, aliases in document.get("models", {}).items()},
            signers=dict(document.get("signers", {})),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"the policy holds something that this artreg does not know: {error}") from error


DEFAULT_POLICY: Mapping[str, Any] = {
    "aliases": {
        "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}]},
        "prod": {"gates": [{"gate": "from", "alias": "staging"}, {"gate": "metric", "key": "roc_auc", "min": 0.8}]},
    }
}
"""What holds where there is no policy file."""


def _aliases(document: Mapping[str, Any]) -> Aliases:
    return {name: _alias_policy(**rules) for name, rules in document.items()}


def _alias_policy(gates: Sequence[Mapping[str, Any]] = (), **rules: Any) -> AliasPolicy:
    if not isinstance(gates, list | tuple):
        raise TypeError("gates are no list")
    return AliasPolicy(gates=[KINDS[gate["gate"]](**gate) for gate in gates], **rules)


def _document(aliases: Aliases) -> dict[str, object]:
    return {name: rules.document() for name, rules in aliases.items()}


def _check_aliases(aliases: Aliases, known: Aliases) -> None:
    for name, policy in aliases.items():
        if not is_alias(name):
            raise ValueError(f"{name!r} is not an alias")
        check_fields(policy)
        for gate in policy.gates:
            check_fields(gate)
            gate.check()
            if isinstance(gate, FromGate) and gate.alias == name:
                raise ValueError(f"{name} cannot take from itself")
            if isinstance(gate, SoakGate) and gate.alias == name:
                raise ValueError(f"{name} cannot soak in itself: nothing could pass")
            other = getattr(gate, "alias", None) or getattr(gate, "against", None)
            if other is not None and other not in known:
                raise ValueError(f"a gate of {name} looks at {other}, which the policy does not name")
