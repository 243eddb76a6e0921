"""The command line, put together."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from artreg.cli.commands import (
    checking,
    comparing,
    data,
    exporting,
    judging,
    keeping,
    making,
    moving,
    reading,
    reproducing,
)
from artreg.cli.common import Group

app = typer.Typer(
    name="artreg",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A filesystem artifact registry: train, publish, verify, promote, roll back; on a disk or in S3.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"artreg {installed_version('artreg')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    pass


making.add_to(app)
data.add_to(app)
checking.add_to(app)
moving.add_to(app)
judging.add_to(app)
reading.add_to(app)
keeping.add_to(app)
comparing.add_to(app)
reproducing.add_to(app)
exporting.add_to(app)
