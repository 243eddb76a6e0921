"""How a command says what it takes: in the annotations of its function, and nowhere else.

`Annotated[str, Argument("what it is")]` and `Annotated[bool, Option("--quick", help="…")]` are read twice from the same
place: by `artreg.cli.words`, which understands a well-formed command line in a moment, and by `artreg.cli.app`, which
makes a Typer application of them for help, errors and whatever else the first has no word for.
"""

from __future__ import annotations

from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Argument(Frozen):
    """What stands by itself on the command line.

    Attributes:
        help: What it is.
        metavar: What the help calls it; by default its name.
        complete: What completion offers: names of `artreg.cli.offers.OFFERS`, and `files`.
        show_default: Whether the help tells the default.
    """

    help: str
    metavar: str | None = None
    complete: str = ""
    show_default: bool = True


class Option(Frozen):
    """What is named on the command line.

    Attributes:
        name: Its name, such as `--out`.
        short: Its short name, such as `-o`, or ''.
        help: What it is; the variable that says it where the command line does not stands in brackets at the end.
        metavar: What the help calls its value; by default its type.
        least: The least number that it may be.
        complete: What completion offers: names of `artreg.cli.offers.OFFERS`, and `files`.
    """

    name: str
    short: str = ""
    help: str = ""
    metavar: str | None = None
    least: int | None = None
    complete: str = ""

    @property
    def names(self) -> list[str]:
        """Its names, the long one first."""
        return [self.name, self.short] if self.short else [self.name]

    @property
    def about(self) -> str:
        """What it is, without the variable."""
        return self.help.partition(" [ARTREG_")[0]

    @property
    def environment(self) -> str:
        """The variable, or ''."""
        return self.help[len(self.about) :].strip(" []")


class Parameter(Frozen):
    """One parameter of a command's function.

    Attributes:
        name: Of the parameter.
        marker: What stands on the command line.
        annotation: Its type as it was declared.
        kind: The type of one value.
        many: Whether it may be given several times.
        required: Whether it must be given.
        default: What it is otherwise.
    """

    name: str
    marker: Argument | Option
    annotation: Any
    kind: type
    many: bool
    required: bool
    default: Any = None


COMMON: dict[str, Option] = {
    "registry": Option(
        "--registry", "-r", "Registry root: a path or s3://bucket/prefix [ARTREG_REGISTRY]", metavar="ROOT"
    ),
    "project": Option(
        "--project", help="Project of a model that names none [ARTREG_PROJECT]", metavar="NAME", complete="projects"
    ),
    "policy": Option("--policy", help="Policy file [ARTREG_POLICY]", metavar="FILE"),
    "actor": Option("--actor", help="Who acts, for the records [ARTREG_ACTOR]", metavar="NAME"),
}
"""The options with a value that every command takes."""

COMMON_FLAGS: dict[str, Option] = {
    "json": Option("--json", help="Print one JSON document to stdout, on failure too"),
    "quiet": Option("--quiet", "-q", help="Print results and errors only"),
    "verbose": Option("--verbose", "-v", help="Show the traceback behind an error"),
}
"""The options without a value that every command takes."""


class Exit(Exception):  # no error: the command has said what it found
    """Ends a command that has printed its result with an exit code other than 0."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Annotated:
    """Stands for `typing.Annotated`, which costs more to import than reading a command line."""

    def __class_getitem__(cls, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        return pair


def parameters_of(function: Callable[..., object]) -> list[Parameter]:
    """Return what a command takes besides its session, the first parameter."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[1 : code.co_argcount]
    without = len(names) - len(defaults)
    found = []
    for place, name in enumerate(names):
        annotation, marker = _declared(function, name)
        kind, many = _kind_of(annotation)
        default = defaults[place - without] if place >= without else None
        found.append(Parameter(name, marker, annotation, kind, many, place < without, default))
    return found


def _declared(function: Callable[..., object], name: str) -> tuple[Any, Argument | Option]:
    scope = {**function.__globals__, "Annotated": _Annotated}
    value = eval(function.__annotations__[name], scope)  # noqa: S307  # text of our own source
    annotation, marker = value if isinstance(value, tuple) else (value.__origin__, value.__metadata__[0])
    return annotation, marker


def _kind_of(annotation: Any) -> tuple[type, bool]:
    kinds = [kind for kind in getattr(annotation, "__args__", ()) if kind is not type(None)]
    if getattr(annotation, "__origin__", None) is list:
        return kinds[0], True
    return _kind_of(kinds[0]) if kinds else (annotation, False)
