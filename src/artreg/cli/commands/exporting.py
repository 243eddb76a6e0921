"""Commands that hand a version over to other tools: `export`."""

from __future__ import annotations

import json
import os
from enum import Enum
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any

from artreg.cli import documents
from artreg.cli.commands.reading import warn
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.core.wording import human_bytes, plural
from artreg.errors import AlreadyExists, InvalidInput, StorageError

if TYPE_CHECKING:
    from artreg.core.names import Reference


class Target(Enum):
    """What a version can be exported to."""

    CYCLONEDX = "cyclonedx"
    CROISSANT = "croissant"
    MLFLOW = "mlflow"
    HUGGINGFACE = "huggingface"
    OCI = "oci"


DOCUMENTS = {
    Target.CYCLONEDX: ("documents", "export_cyclonedx"),
    Target.CROISSANT: ("documents", "export_croissant"),
}
"""What becomes one JSON document, which is printed or becomes a new file; made by which function of which module."""

FOLDERS = {
    Target.MLFLOW: ("mlflow", "export_mlflow"),
    Target.HUGGINGFACE: ("huggingface", "export_huggingface"),
    Target.OCI: ("oci", "export_oci"),
}
"""What becomes a new folder."""


def export(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    to: Annotated[
        Target,
        Option(
            "--to",
            help="The format: a CycloneDX 1.6 ML-BOM, Croissant 1.0 of its data, a folder that MLflow loads, "
            "a Hugging Face repository, an OCI image layout (ModelPack)",
        ),
    ],
    out: Annotated[
        Path | None,
        Option("--out", "-o", help="A new file, or for mlflow, huggingface and oci a new folder"),
    ] = None,
    tracking_uri: Annotated[
        str | None, Option("--tracking-uri", metavar="URI", help="For mlflow: register it at this tracking server too")
    ] = None,
    registered_name: Annotated[
        str | None, Option("--registered-name", metavar="NAME", help="For mlflow: under this name; by default MODEL")
    ] = None,
) -> None:
    """Write what a version is and was made from in a format of others.

    What is written was verified on the way; it appears whole, or not at all, and replaces nothing.

    Examples: artreg export churn@prod --to cyclonedx; artreg export churn@1.2.1 --to cyclonedx -o churn.cdx.json;
    artreg export churn@1.2.1 --to oci -o churn-oci
    """
    if (tracking_uri or registered_name) and to is not Target.MLFLOW:
        raise InvalidInput("--tracking-uri and --registered-name are for --to mlflow", hint="leave them out")
    if registered_name and not tracking_uri:
        raise InvalidInput("--registered-name needs a server", hint="name it: --tracking-uri http://localhost:5000")
    wanted = session.reference(reference)
    if to in DOCUMENTS:
        _document(session, wanted, to, out)
    elif out is None:
        raise InvalidInput(f"--to {to.value} makes a folder", hint="name one that is not there yet: --out DIR")
    else:
        _folder(session, wanted, to, out, tracking_uri, registered_name)


def _document(session: Session, reference: Reference, to: Target, out: Path | None) -> None:
    made = _load(*DOCUMENTS[to])(session.registry, reference)
    if out is None:
        session.output.document(made.content)
        return
    write_new(out, json.dumps(made.content, indent=2) + "\n")
    session.output.result(
        {"path": str(out), "format": to.value}, [Line(f"{made.name} written to {out} as {to.value}", Tone.GOOD)]
    )


def _folder(
    session: Session, reference: Reference, to: Target, out: Path, tracking_uri: str | None, name: str | None
) -> None:
    made = _load(*FOLDERS[to])(session.registry, reference, out, reporter=session.output.reporter)
    warn(session, made.source)
    if tracking_uri is not None:
        name = name or made.source.model.model
        made = _load("mlflow_registration", "register_at")(session.registry, made, tracking_uri, name)
    for note in made.notes:
        session.output.note(note)
    size = f"{plural(made.files, 'file')}, {human_bytes(made.bytes)}, verified"
    first = Line(f"{made.source} written to {made.path} as {made.format}", Tone.GOOD)
    session.output.result(documents.exported(made), [first, Line(size)])


def write_new(out: Path, text: str) -> None:
    """Make a new file, whole or not at all.

    Raises:
        InvalidInput: A file cannot be named so.
        AlreadyExists: Something lies there.
        StorageError: It cannot be written.
    """
    if not out.name:
        raise InvalidInput(f"{out} cannot be a file", hint="name one that is not there yet")
    beside = out.with_name(f".artreg-tmp-{token_hex(16)}")
    try:
        try:
            with beside.open("x", encoding="utf-8") as file:
                file.write(text)
            os.link(beside, out)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise AlreadyExists(f"{out} is there already", hint="remove it, or name another file") from None
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}", hint="name a file that can be") from error


def _load(module: str, function: str) -> Any:
    return getattr(__import__(f"artreg.exporting.{module}", fromlist=[function]), function)
