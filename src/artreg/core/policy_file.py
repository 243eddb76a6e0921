"""The policy as people write it: checked by pydantic models that are made of the very values that hold it.

Only whoever reads a policy file loads this. What was checked once and stored in the registry is read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union

from pydantic import AfterValidator, Field, create_model, model_validator

from artreg.core.ages import parse_age
from artreg.core.gates import KINDS
from artreg.core.gates.interface import Gate
from artreg.core.names import Alias
from artreg.core.policy import AliasPolicy, Policy, policy_of
from artreg.core.validation import Section, validate
from artreg.errors import ArtregError
from artreg.frozen import Frozen


def checked_policy(document: object, what: str) -> Mapping[str, Any]:
    """Return a policy that a person wrote as a JSON object with every default spelt out.

    Args:
        document: What the YAML file holds.
        what: The file's name, for errors.

    Raises:
        InvalidInput: It is no policy; every problem is named.
    """
    return validate(_policy_model(), document, what=what, hint="correct the policy").model_dump(mode="json")


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file."""
    return _policy_model().model_json_schema()


@cache
def _policy_model() -> type[Section]:
    gates = tuple(_gate_model(name, kind) for name, kind in KINDS.items())
    gate = Annotated[Union[gates], Field(discriminator="gate")]  # type: ignore[valid-type]  # noqa: UP007  # of a tuple
    rules = _model(AliasPolicy, Section, {}, {"Gate": gate})
    aliases = dict[Annotated[str, AfterValidator(_alias)], rules]  # type: ignore[valid-type]  # a class made here
    names = {"Aliases": aliases}
    return _model(Policy, _Checked, {"aliases": (Annotated[aliases, Field(min_length=1)], ...)}, names)


class _Checked(Section):
    @model_validator(mode="after")
    def _make_sense(self) -> _Checked:
        policy_of(self.model_dump(mode="json")).check()
        return self


def _gate_model(name: str, kind: type[Gate]) -> type[Section]:
    def makes_sense(section: Section) -> Section:
        kind(**section.model_dump(mode="json")).check()
        return section

    check: Any = model_validator(mode="after")(makes_sense)
    return _model(kind, Section, {"gate": (Literal[name], ...)}, {}, check=check)


def _model(
    kind: type[Frozen],
    base: type[Section],
    fields: dict[str, Any],
    names: Mapping[str, Any],
    **validators: Callable[..., Any],
) -> type[Section]:
    """Return the model of a value's class: its fields with their annotations, but for those that are given."""
    scope = {"Annotated": Annotated, "Literal": Literal, "Field": Field, "Any": Any, **_TEXTS, **names}
    found = {
        name: text for base in reversed(kind.__mro__) for name, text in vars(base).get("__annotations__", {}).items()
    }
    for name in kind.__match_args__:
        if name not in fields:
            annotation = eval(found[name], scope)  # noqa: S307  # text of our own source
            fields[name] = (annotation, kind.frozen_defaults.get(name, ...))
    return create_model(kind.__name__, __base__=base, __doc__=kind.__doc__, __validators__=validators, **fields)


def _alias(text: str) -> str:
    try:
        return Alias(text).name
    except ArtregError as error:
        raise ValueError(error.message) from error


def _age(text: str) -> str:
    parse_age(text)
    return text


_TEXTS = {"AliasText": Annotated[str, AfterValidator(_alias)], "Age": Annotated[str, AfterValidator(_age)]}
