"""The options that every command takes, declared once, and the epilogue that says what a command may exit with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from artreg.cli.session import Session, open_session
from artreg.errors import EXIT_CODES

_COMMON: tuple[tuple[list[str], dict[str, Any]], ...] = (
    (
        ["--registry", "-r"],
        {"metavar": "ROOT", "help": "Registry root: a path or s3://bucket/prefix [ARTREG_REGISTRY]"},
    ),
    (["--project"], {"metavar": "NAME", "help": "Project of a model that names none [ARTREG_PROJECT]"}),
    (["--policy"], {"metavar": "FILE", "help": "Policy file [ARTREG_POLICY]"}),
    (["--actor"], {"metavar": "NAME", "help": "Who acts, for the records [ARTREG_ACTOR]"}),
    (["--json"], {"is_flag": True, "default": False, "help": "Print one JSON document to stdout, on failure too"}),
    (["--quiet", "-q"], {"is_flag": True, "default": False, "help": "Print results and errors only"}),
    (["--verbose", "-v"], {"is_flag": True, "default": False, "help": "Show the traceback behind an error"}),
)


def _keep(context: Any, option: Any, value: object) -> None:
    if value:
        context.find_root().ensure_object(dict)[option.name] = value


def _common_options() -> list[TyperOption]:
    return [
        TyperOption(
            param_decls=names,
            callback=_keep,
            expose_value=False,
            rich_help_panel="Options of every command",
            **settings,
        )
        for names, settings in _COMMON
    ]


class Command(TyperCommand):
    """A command that also takes the common options."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_common_options()], **kwargs)


class Group(TyperGroup):
    """A group whose common options may stand before the command's name."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_common_options()], **kwargs)


def session_of(context: typer.Context) -> Session:
    """Return the session that the shared options ask for."""
    return open_session(context.find_root().ensure_object(dict))


def exits(*codes: str) -> str:
    """Return the epilogue of a command's help: what it may exit with, besides 0, 1, 2 and 130."""
    named = "; ".join(f"{EXIT_CODES[code]} {code}" for code in ("invalid_input", *codes))
    return f"Exit codes: 0 done; {named}."


def register(app: typer.Typer, name: str, command: Callable[..., None], *codes: str) -> None:
    """Add a command to an app.

    Args:
        app: The app.
        name: The command's name.
        command: The function; its docstring is the help.
        codes: The `error.code`s that it may exit with, besides `invalid_input`.
    """
    app.command(name, cls=Command, epilog=exits(*codes), no_args_is_help=False)(command)
