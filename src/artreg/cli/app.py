"""The Typer application, made of what the commands declare: it finds words for whatever is wrong with a line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from artreg import __version__
from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.session import carry_out
from artreg.cli.table import COMMANDS, STANDING, Entry, Group


def make_app() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        name="artreg",
        cls=_Group,
        invoke_without_command=True,
        add_completion=False,
        add_help_option=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, entry in COMMANDS.items():
        if isinstance(entry, Group):
            group = typer.Typer(add_help_option=False)
            for inner, command in entry.entries.items():
                _add(group, inner, command)
            app.add_typer(group, name=name)
        else:
            _add(app, name, entry)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"artreg {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        _call(STANDING.load(), context.find_root().ensure_object(dict), {})


def _add(app: typer.Typer, name: str, entry: Entry) -> None:
    function = entry.load()
    parameters = parameters_of(function)

    def run(context: typer.Context, **arguments: Any) -> None:
        _call(function, context.find_root().ensure_object(dict), arguments)

    run.__doc__ = function.__doc__
    run.__annotations__ = {"context": typer.Context, **{it.name: _typed(it) for it in parameters}}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # where Typer looks
        [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(_parameter(it) for it in parameters),
        ]
    )
    app.command(name, cls=_Command, add_help_option=False)(run)


def _call(function: Callable[..., None], common: dict[str, Any], arguments: dict[str, Any]) -> None:
    carry_out(function, common, arguments)


def _parameter(parameter: Parameter) -> inspect.Parameter:
    default = inspect.Parameter.empty if parameter.required else parameter.default
    return inspect.Parameter(
        parameter.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_typed(parameter)
    )


def _typed(parameter: Parameter) -> Any:
    marker = parameter.marker
    if isinstance(marker, Argument):
        found: Any = typer.Argument(metavar=marker.metavar or parameter.name.upper())
    else:
        found = typer.Option(*marker.names, metavar=marker.metavar, min=marker.least)
    return Annotated[parameter.annotation, found]


def _keep(context: Any, option: Any, value: object) -> None:
    if value:
        context.find_root().ensure_object(dict)[option.name] = value


def _common_options() -> list[TyperOption]:
    settings: list[tuple[Option, dict[str, Any]]] = [(it, {"metavar": it.metavar}) for it in COMMON.values()]
    settings += [(it, {"is_flag": True, "default": False}) for it in COMMON_FLAGS.values()]
    return [
        TyperOption(
            param_decls=option.names,
            callback=_keep,
            expose_value=False,
            **rest,
        )
        for option, rest in settings
    ]


class _Command(TyperCommand):
    """A command that also takes the common options."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_common_options()], **kwargs)


class _Group(TyperGroup):
    """A group whose common options may stand before the command's name."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_common_options()], **kwargs)
