"""Commands that hand a version over to other tools: `export`."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.errors import AlreadyExists, StorageError


class Target(Enum):
    """What a version can be exported to."""

    CYCLONEDX = "cyclonedx"


def export(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    to: Annotated[Target, Option("--to", help="The format: a CycloneDX 1.6 ML-BOM")],
    out: Annotated[Path | None, Option("--out", "-o", help="A new file; by default it is printed")] = None,
) -> None:
    """Write what a version is and was made from in a format of others.

    Examples: artreg export churn@prod --to cyclonedx; artreg export churn@1.2.1 --to cyclonedx -o churn.cdx.json
    """
    from artreg.core.lineage import cyclonedx_bom
    from artreg.registry.origin import read_origin

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
