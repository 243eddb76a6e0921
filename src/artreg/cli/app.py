"""The Typer application, made of what the commands declare: it knows help, errors, and completion for every shell."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from artreg import __version__
from artreg.cli import completion
from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.session import open_session
from artreg.cli.table import COMMANDS, STANDING, Entry, Group
from artreg.errors import EXIT_CODES

_TITLE = """A filesystem artifact registry: train, publish, verify, promote, roll back; on a disk or in S3.

artreg alone says where things stand, and what to do next."""


def make_app() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        name="artreg",
        cls=_Group,
        invoke_without_command=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=_TITLE,
    )
    app.callback()(_root)
    for name, entry in COMMANDS.items():
        if isinstance(entry, Group):
            group = typer.Typer(help=entry.help, no_args_is_help=True)
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
    app.command(name, cls=_Command, epilog=_exits(entry.codes), no_args_is_help=False)(run)


def _call(function: Callable[..., None], common: dict[str, Any], arguments: dict[str, Any]) -> None:
    function(open_session(common), **arguments)


def _parameter(parameter: Parameter) -> inspect.Parameter:
    default = inspect.Parameter.empty if parameter.required else parameter.default
    return inspect.Parameter(
        parameter.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_typed(parameter)
    )


def _typed(parameter: Parameter) -> Any:
    marker = parameter.marker
    offer = _offers(marker.complete) if marker.complete else None
    if isinstance(marker, Argument):
        found: Any = typer.Argument(
            help=marker.help, metavar=marker.metavar, autocompletion=offer, show_default=marker.show_default
        )
    else:
        found = typer.Option(
            *marker.names, help=marker.help, metavar=marker.metavar, min=marker.least, autocompletion=offer
        )
    return Annotated[parameter.annotation, found]


def _offers(name: str) -> Callable[..., list[str]]:
    def offer(ctx: Any, incomplete: str) -> list[str]:
        return completion.offered(name, dict(ctx.find_root().obj or {}), ctx.params, incomplete)

    return offer


def _exits(codes: tuple[str, ...]) -> str:
    """Return the epilogue of a command's help: what it may exit with, besides 0, 1, 2 and 130."""
    named = "; ".join(f"{EXIT_CODES[code]} {code}" for code in ("invalid_input", *codes))
    return f"Exit codes: 0 done; {named}."


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
            rich_help_panel="Options of every command",
            help=option.help,
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
