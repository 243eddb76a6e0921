"""Sees that the fields of a value are what its class says they may be: for what was stored, where pydantic is too slow.

The same annotations make the models that check what people write (`artreg.core.policy_file`); a test holds one against
the other.
"""

from __future__ import annotations

import math

from artreg.core.ages import parse_age
from artreg.core.names import is_alias
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def check_fields(value: Frozen) -> None:
    """See that every field of a value is of the kind that its annotation names, and within its limits.

    Raises:
        ValueError: One is not.
    """
    for name in type(value).__match_args__:
        if not _fits(getattr(value, name), _annotation(type(value), name)):
            raise ValueError(f"{name} of {type(value).__name__} is not what it may be")


class _Text(str):
    """A text of some kind; classes, so that they can stand in unions."""


class _AliasText(_Text):
    pass


class _Age(_Text):
    pass


class _Limited:
    """What `Annotated` makes: a kind, and limits."""

    def __init__(self, kind: Any, *limits: Mapping[str, Any]) -> None:
        self.kind, self.limits = kind, {name: limit for one in limits for name, limit in one.items()}


class _Choice:
    """What `Literal` makes."""

    def __init__(self, *values: object) -> None:
        self.values = values

    def __or__(self, other: None) -> _Choice:
        return _Choice(*self.values, other)


class _Subscript:
    def __init__(self, make: Callable[..., object]) -> None:
        self._make = make

    def __getitem__(self, items: Any) -> object:
        return self._make(*items) if isinstance(items, tuple) else self._make(items)


_SCOPE = {
    "Annotated": _Subscript(_Limited),
    "Literal": _Subscript(_Choice),
    "Field": dict,
    "Any": object,
    "Aliases": dict[str, object],
    "Gate": object,  # checked one by one
    "AliasText": _AliasText,
    "Age": _Age,
}


def _annotation(kind: type[Frozen], name: str) -> Any:
    text = next(found[name] for base in kind.__mro__ if name in (found := vars(base).get("__annotations__", {})))
    return eval(text, {}, _SCOPE)  # noqa: S307  # text of our own source


def _fits(value: object, kind: Any) -> bool:
    if isinstance(kind, _Limited):
        return _fits(value, kind.kind) and (value is None or all(_within(value, *it) for it in kind.limits.items()))
    if isinstance(kind, _Choice):
        return value in kind.values
    made_of = getattr(kind, "__origin__", None)
    if made_of is list:
        return isinstance(value, list) and all(_fits(inner, kind.__args__[0]) for inner in value)
    if made_of is dict:
        key_kind, inner_kind = kind.__args__
        return isinstance(value, dict) and all(_fits(k, key_kind) and _fits(v, inner_kind) for k, v in value.items())
    if hasattr(kind, "__args__"):
        return any(_fits(value, one) for one in kind.__args__)
    return kind is object or _is(value, kind)


def _is(value: object, kind: type) -> bool:
    """Return whether a value is of a plain kind; true is no number, and no number is infinite."""
    if issubclass(kind, _Text):
        return isinstance(value, str) and (is_alias(value) if kind is _AliasText else _is_age(value))
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        return False
    if kind is float and type(value) is int:
        return abs(value) < 2**1023
    return type(value) is kind and (not isinstance(value, float) or math.isfinite(value))


def _is_age(text: str) -> bool:
    try:
        parse_age(text)
    except ValueError:
        return False
    return True


def _within(value: Any, name: str, limit: Any) -> bool:
    match name:
        case "gt":
            return bool(value > limit)
        case "ge":
            return bool(value >= limit)
        case "lt":
            return bool(value < limit)
        case "le":
            return bool(value <= limit)
        case "min_length":
            return bool(len(value) >= limit)
        case _:
            raise AssertionError(name)
