"""The file that says which hooks there are, as people write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from artreg.core.ages import parse_age
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action
from artreg.core.told import check_hook_name
from artreg.core.validation import Section, validate
from artreg.errors import ArtregError, InvalidInput
from artreg.frozen import Frozen
from artreg.hooks.signature import PREFIX
from artreg.yamldoc import read_yaml

TOLD = (Action.PROMOTE, Action.ROLLBACK)
"""What a hook is told of unless it asks for something else."""

_ACTIONS = {action.value: action for action in Action if action is not Action.FENCE}
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_LONGEST_URL = 2000


class Hook(Frozen):
    """Somebody who is to be told of moves.

    Attributes:
        name: Its name, under which the registry keeps what it was told.
        url: Where a webhook is sent, or None.
        secret: The variable of the environment that holds the secret by which it is signed, or None.
        command: The program that is run instead, with its arguments, or none.
        models: Of which models it is told; of all if there are none.
        aliases: Of which aliases; of all if there are none.
        actions: Of what.
        since: From when on.
        timeout: How many seconds one attempt may take.
        retry_for: For how many seconds without any success it is tried again before it is left to the next flush.
    """

    name: str
    url: str | None
    secret: str | None
    command: tuple[str, ...]
    models: frozenset[ModelName]
    aliases: frozenset[Alias]
    actions: frozenset[Action]
    since: datetime
    timeout: float
    retry_for: float

    @property
    def target(self) -> str:
        """Where it goes, as anybody may see it: of a URL, whose path may be a secret, the server alone."""
        return self.command[0] if self.url is None else server_of(self.url)

    def asks_for(self, model: ModelName, alias: Alias) -> bool:
        """Return whether it is to be told of an alias."""
        return (not self.models or model in self.models) and (not self.aliases or alias in self.aliases)


class Hooks(Frozen):
    """What a hooks file says.

    Attributes:
        hooks: The hooks by name.
        source: What the registry is called in events, where it is not to be its URL.
    """

    hooks: Mapping[str, Hook]
    source: str | None

    def named(self, name: str | None) -> list[Hook]:
        """Return the hook of a name, or all of them.

        Raises:
            InvalidInput: There is none of that name.
        """
        if name is None:
            return list(self.hooks.values())
        if name not in self.hooks:
            raise InvalidInput(f"there is no hook {name[:80]!r}", hint=f"there is {', '.join(self.hooks) or 'none'}")
        return [self.hooks[name]]


def read_hooks(path: str, project: str) -> Hooks:
    """Read a hooks file.

    Args:
        path: The file.
        project: In which a model lies that is named without one.

    Raises:
        InvalidInput: It cannot be read, or is wrong; every problem is named.
    """
    document = read_yaml(Path(path), "hooks file")
    written = validate(_File, document, what=path, hint=_hint(), secret=_secret(document))
    return Hooks({name: _hook(name, one, project) for name, one in written.hooks.items()}, written.source)


def server_of(url: str) -> str:
    """Return the scheme and the server of a URL, with an ellipsis where more follows."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" + (
        "/…" if parts.path.strip("/") or parts.query else ""
    )


def _secret(document: object) -> set[str]:
    """Return the keys whose values no error may show: somebody may have put the secret itself there."""
    hooks = document.get("hooks") if isinstance(document, dict) else None
    names = hooks if isinstance(hooks, dict) else ()
    return {f"hooks.{name}{key}" for name in names for key in ("", ".secret", ".url", ".command")}


def _hint() -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"correct the hooks file; a hook is told of what comes from its time on, such as since: {now}, which is now"


def _hook(name: str, written: _Hook, project: str) -> Hook:
    return Hook(
        name=name,
        url=written.url,
        secret=written.secret,
        command=tuple(written.command or ()),
        models=frozenset(ModelName.parse(one, project) for one in written.models),
        aliases=frozenset(Alias(one) for one in written.aliases),
        actions=frozenset(_ACTIONS[one] for one in written.actions),
        since=_moment(written.since),
        timeout=parse_age(written.timeout).total_seconds(),
        retry_for=parse_age(written.retry_for).total_seconds(),
    )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _name(text: str) -> str:
    return _said(lambda: check_hook_name(text))


def _model(text: str) -> str:
    return _said(lambda: str(ModelName.parse(text, "any")) and text)


def _alias(text: str) -> str:
    return _said(lambda: Alias(text).name)


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except ArtregError as error:
        raise ValueError(error.message) from error


def _action(text: str) -> str:
    if text not in _ACTIONS:
        raise ValueError(f"there is no such action; it may be {', '.join(_ACTIONS)}")
    return text


def _time(text: str) -> str:
    try:
        _moment(text)
    except ValueError:
        raise ValueError("write a time such as 2026-03-01T12:00:00Z") from None
    return text


def _age(text: str) -> str:
    parse_age(text)
    return text


def _some_time(text: str) -> str:
    if not parse_age(text):
        raise ValueError("that is no time at all")
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(_VARIABLE, text) or text.startswith(PREFIX):
        raise ValueError("it is the name of a variable of the environment, never the secret itself")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not text.isascii() or not text.isprintable():
        raise ValueError("it must be an http:// or https:// URL")
    if "@" in parts.netloc or parts.fragment or " " in text or len(text) > _LONGEST_URL:
        raise ValueError("it must be without a user, a password, a fragment and blanks")
    _ = parts.port  # raises where it is none
    return text


_Age = Annotated[str, AfterValidator(_age)]
_Models = list[Annotated[str, AfterValidator(_model)]]
_Aliases = list[Annotated[str, AfterValidator(_alias)]]
_Actions = Annotated[list[Annotated[str, AfterValidator(_action)]], Field(min_length=1)]
_Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class _Hook(Section):
    url: Annotated[str, AfterValidator(_url)] | None = None
    secret: Annotated[str, AfterValidator(_variable)] | None = None
    command: _Words | None = None
    since: Annotated[str, AfterValidator(_time)]
    models: _Models = Field(default=[])
    aliases: _Aliases = Field(default=[])
    actions: _Actions = Field(default=[it.value for it in TOLD])
    timeout: Annotated[str, AfterValidator(_some_time)] = "15s"
    retry_for: _Age = "5m"

    @model_validator(mode="after")
    def _go_one_way(self) -> _Hook:
        if (self.url is None) == (self.command is None):
            raise ValueError("a hook has a url or a command")
        if self.url is not None and self.secret is None:
            raise ValueError("a webhook is signed: secret names the variable of the environment that holds its secret")
        if self.command is not None and self.secret is not None:
            raise ValueError("a command is not signed, and needs no secret")
        return self


class _File(Section):
    hooks: Annotated[dict[Annotated[str, AfterValidator(_name)], _Hook], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[!#$&-;=?-Z_a-z~]+$")] | None = None
