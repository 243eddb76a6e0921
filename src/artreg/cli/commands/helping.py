"""Commands about the program itself: `help`."""

from __future__ import annotations

from typing import Annotated

from artreg.cli.declare import Argument
from artreg.cli.session import Session


def help_(
    session: Session,
    command: Annotated[
        list[str] | None, Argument(help="A command; all by default", metavar="COMMAND", complete="commands")
    ] = None,
) -> None:
    """Show what there is, or what one command does, takes and may exit with.

    Examples: artreg help; artreg help promote; artreg help data snapshot; artreg help promote --json
    """
    from artreg.cli.help import show_help

    show_help(session.output, command or [])
