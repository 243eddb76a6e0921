"""Names of projects, models and aliases, and references: text from outside is parsed here once, into types."""

from __future__ import annotations

import re
from enum import Enum

from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.frozen import Frozen

_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?"  # compiled, and kept by `re`, when first used
_ALIAS = r"[a-z](?:[a-z0-9_-]{0,30}[a-z0-9])?"
_RESERVED_ALIASES = {"history", "latest"}
_SHOWN = 80


class ModelName(Frozen):
    """A model's full name."""

    project: str
    model: str

    def __post_init__(self) -> None:
        """Refuse what is no name.

        Raises:
            InvalidInput: Either part is not made of lower-case letters, digits and inner `.`, `_`, `-`.
        """
        _check_name("project", self.project)
        _check_name("model", self.model)

    @classmethod
    def parse(cls, text: str, project: str) -> ModelName:
        """Read `project/model`, or `model` alone, which then lies in `project`.

        Raises:
            InvalidInput: It is neither.
        """
        owner, slash, model = text.rpartition("/")
        return cls(owner, model) if slash else cls(project, model)

    def __str__(self) -> str:
        return f"{self.project}/{self.model}"

    def __lt__(self, other: ModelName) -> bool:
        return (self.project, self.model) < (other.project, other.model)


class Alias(Frozen):
    """A name that moves from version to version, such as `staging` and `prod`."""

    name: str

    def __post_init__(self) -> None:
        """Refuse what is no alias.

        Raises:
            InvalidInput: It is reserved, or not made of lower-case letters, digits, `_`, `-`.
        """
        if self.name in _RESERVED_ALIASES:
            raise InvalidInput(f"{self.name!r} is a reserved word and cannot be an alias")
        if not re.fullmatch(_ALIAS, self.name):
            raise InvalidInput(
                f"{self.name[:_SHOWN]!r} is not an alias",
                hint="an alias is 1 to 32 lower-case letters, digits, and - _ between them; a letter comes first",
            )

    def __str__(self) -> str:
        return self.name

    def __lt__(self, other: Alias) -> bool:
        return self.name < other.name


class Computed(Enum):
    """Targets that are computed when asked for, and stored nowhere."""

    LATEST = "latest"

    def __str__(self) -> str:
        return self.value


Target = Alias | Version | Computed


class Reference(Frozen):
    """A model and which of its versions is meant."""

    model: ModelName
    target: Target

    @classmethod
    def parse(cls, text: str, project: str) -> Reference:
        """Read `[project/]model@alias`, `[project/]model@version`, `models:/model@alias` or `models:/model/version`.

        Args:
            text: The reference.
            project: Where a model without a project lies.

        Raises:
            InvalidInput: It is none of these.
        """
        body = text.removeprefix("models:/")
        name, at, target = body.partition("@")
        if not at and body != text:
            name, at, target = body.rpartition("/")
        if not at or not name or not target:
            raise InvalidInput(
                f"{text[:_SHOWN]!r} is not a reference",
                hint="write model@alias or model@version, such as churn@prod or churn@1.2.1",
            )
        return cls(ModelName.parse(name, project), parse_target(target))

    def __str__(self) -> str:
        return f"{self.model}@{self.target}"


def parse_target(text: str) -> Target:
    """Read what stands after the `@` of a reference.

    Raises:
        InvalidInput: It is neither an alias nor a version.
    """
    if text == str(Computed.LATEST):
        return Computed.LATEST
    if text[:1].isdigit() or (text.startswith("v") and text[1:2].isdigit() and "." in text):
        return Version.parse(text)
    return Alias(text)


def is_name(text: str) -> bool:
    """Return whether `text` can be the name of a project or a model."""
    return re.fullmatch(_NAME, text) is not None and ".." not in text


def is_alias(text: str) -> bool:
    """Return whether `text` can be an alias."""
    return re.fullmatch(_ALIAS, text) is not None and text not in _RESERVED_ALIASES


def _check_name(what: str, text: str) -> None:
    if not is_name(text):
        raise InvalidInput(
            f"{text[:_SHOWN]!r} is not a {what} name",
            hint="names are 1 to 64 lower-case letters, digits, and . _ - between them",
        )
