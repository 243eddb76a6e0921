"""Frozen values without the price of `dataclasses`, for whatever every command loads.

Importing `dataclasses` and building two dozen classes with it costs more than a whole `artreg resolve` may take. A
subclass of `Frozen` looks and behaves like a frozen dataclass with slots, but its `__init__` is compiled when its first
instance is made, and never if there is none. What only some commands load is a dataclass as anywhere else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Self, TypeVar, dataclass_transform

    _T = TypeVar("_T", bound="Frozen")
else:

    def dataclass_transform(**_):
        """Mark for type checkers (PEP 681)."""
        return lambda kind: kind


_MANY = 20
"""Instances after which compiling pays."""


def _first(self: Any, *args: Any, **kwargs: Any) -> None:
    """Make the first instances without a compiled `__init__`: most classes have no more than these."""
    kind = type(self)
    fields = kind.__match_args__
    values = {**kind.frozen_defaults, **dict(zip(fields, args, strict=False)), **kwargs}
    if len(values) != len(fields) or len(args) > len(fields) or not kwargs.keys().isdisjoint(fields[: len(args)]):
        kind.__init__ = _compiled(kind)
        kind.__init__(self, *args, **kwargs)  # says what is wrong
        return
    for name in fields:
        object.__setattr__(self, name, values[name])
    if hasattr(kind, "__post_init__"):
        self.__post_init__()
    kind.frozen_made += 1
    if kind.frozen_made == _MANY:
        kind.__init__ = _compiled(kind)


class _Kind(type):
    """Gives a class a slot for each annotation, and remembers the defaults."""

    __match_args__: tuple[str, ...]
    frozen_defaults: dict[str, Any]
    frozen_made: int

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _Kind:
        annotations = namespace.get("__annotations__", {})
        own = tuple(field for field, kind in annotations.items() if not str(kind).startswith("ClassVar"))
        inherited = [base for base in bases if isinstance(base, _Kind)]
        defaults = {field: namespace.pop(field) for field in own if field in namespace}
        namespace["__slots__"] = own
        namespace["__match_args__"] = (*(field for base in inherited for field in base.__match_args__), *own)
        namespace["frozen_defaults"] = {k: v for base in inherited for k, v in base.frozen_defaults.items()} | defaults
        namespace["frozen_made"] = 0
        namespace.setdefault("__init__", _first)  # its own: one that a base class has compiled lacks its fields
        return super().__new__(cls, name, bases, namespace)


@dataclass_transform(frozen_default=True)
class Frozen(metaclass=_Kind):
    """A value: its annotated attributes are its fields, in order; `__post_init__` may check them.

    Two are equal if they are of one class and their fields are. Instances can be hashed (if their fields can), copied
    and pickled; assigning to a field raises AttributeError.
    """

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be assigned to")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(value == other_value for value, other_value in zip(_values(self), _values(other), strict=True))

    def __hash__(self) -> int:
        return hash(tuple(_values(self)))

    def __repr__(self) -> str:
        fields = zip(type(self).__match_args__, _values(self), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), tuple(_values(self)))

    def __copy__(self) -> Self:
        return self


def replace(value: _T, **changes: Any) -> _T:
    """Return a copy of a value with some fields changed.

    Raises:
        TypeError: There is no such field.
    """
    fields = dict(zip(type(value).__match_args__, _values(value), strict=True))
    return type(value)(**{**fields, **changes})


def _values(value: Frozen) -> Iterator[Any]:
    return (getattr(value, name) for name in type(value).__match_args__)


def _rebuild(kind: type[Frozen], values: tuple[Any, ...]) -> Frozen:
    return kind(*values)


def _compiled(kind: type[Frozen]) -> Callable[..., None]:
    """Return an `__init__` that sets each slot by the descriptor, which takes no notice of `__setattr__`."""
    fields, defaults = kind.__match_args__, kind.frozen_defaults
    names: dict[str, Any] = {f"_default_{name}": value for name, value in defaults.items()}
    names |= {f"_set_{name}": getattr(kind, name).__set__ for name in fields}
    parameters = [f"{name}=_default_{name}" if name in defaults else name for name in fields]
    body = [f"_set_{name}(self, {name})" for name in fields]
    body += ["self.__post_init__()"] if hasattr(kind, "__post_init__") else []
    exec(f"def __init__(self, {', '.join(parameters)}):\n " + ("\n ".join(body) or "pass"), names)  # noqa: S102  # names of fields only
    made: Callable[..., None] = names["__init__"]
    return made
