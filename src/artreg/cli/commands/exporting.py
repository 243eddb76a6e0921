"""Commands that hand a version over to other tools: `export`."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from artreg.cli import completion
from artreg.cli.common import register, session_of
from artreg.cli.view import Line, Tone
from artreg.errors import AlreadyExists, StorageError


class Target(Enum):
    """What a version can be exported to."""

    CYCLONEDX = "cyclonedx"


def export(
    context: typer.Context,
    reference: Annotated[
        str, typer.Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", autocompletion=completion.references)
    ],
    to: Annotated[Target, typer.Option("--to", help="The format: a CycloneDX 1.6 ML-BOM")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A new file; by default it is printed")] = None,
) -> None:
    """Write what a version is and was made from in a format of others.

    Examples: artreg export churn@prod --to cyclonedx; artreg export churn@1.2.1 --to cyclonedx -o churn.cdx.json
    """
    from artreg.core.lineage import cyclonedx_bom
    from artreg.registry.origin import read_origin

    session = session_of(context)
    origin = read_origin(session.registry, session.reference(reference))
    document = {Target.CYCLONEDX: cyclonedx_bom}[to](origin)
    if out is None:
        session.output.document(document)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2) + "\n")
    except FileExistsError:
        raise AlreadyExists(f"{out} is there already", hint="remove it, or name another file") from None
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}", hint="name a file that can be") from error
    session.output.result(
        {"path": str(out), "format": to.value}, [Line(f"{origin.name} written to {out} as {to.value}", Tone.GOOD)]
    )


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    register(app, "export", export, "integrity", "not_found", "already_exists", "storage")
