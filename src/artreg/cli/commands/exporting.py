"""Commands that hand a version over to others: `export`, `card`."""

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
    from artreg.exporting.folder import Exported


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
        str | None, Option("--tracking-uri", metavar="URI", help="For mlflow: register it at this tracking server")
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
    elif tracking_uri is not None:
        _register(session, wanted, tracking_uri, registered_name, out)
    elif out is None:
        raise InvalidInput(f"--to {to.value} makes a folder", hint="name one that is not there yet: --out DIR")
    else:
        made = _folder(session, wanted, to, out)
        session.output.result(documents.exported(made), _written(made))


def _document(session: Session, reference: Reference, to: Target, out: Path | None) -> None:
    made = _load(*DOCUMENTS[to])(session.registry, reference)
    if out is None:
        session.output.document(made.content)
        return
    write_new(out, (json.dumps(made.content, indent=2) + "\n").encode())
    session.output.result(
        {"path": str(out), "format": to.value}, [Line(f"{made.name} written to {out} as {to.value}", Tone.GOOD)]
    )


def _folder(session: Session, reference: Reference, to: Target, out: Path) -> Exported:
    made: Exported = _load(*FOLDERS[to])(session.registry, reference, out, reporter=session.output.reporter)
    warn(session, made.source)
    for note in made.notes:
        session.output.note(note)
    return made


def _written(made: Exported) -> list[Line]:
    size = f"{plural(made.files, 'file')}, {human_bytes(made.bytes)}, verified"
    return [Line(f"{made.source} written to {made.path} as {made.format}", Tone.GOOD), Line(size)]


def _register(session: Session, reference: Reference, uri: str, name: str | None, out: Path | None) -> None:
    made = None if out is None else _folder(session, reference, Target.MLFLOW, out)
    register = _load("mlflow_registration", "register_at")
    done = register(session.registry, reference, uri, name, reporter=session.output.reporter)
    if made is None:
        warn(session, done.source)
    said = "is registered" if done.created else "was registered already"
    lines = [Line(f"{done.source} {said} at {done.tracking_uri}: {done.name}, version {done.version}", Tone.GOOD)]
    if done.alias:
        lines.append(Line(f"{done.name}@{done.alias} points at it there"))
    written = {} if made is None else documents.exported(made)
    document = {**documents.resolved(done.source), **written, "registered": documents.registered(done)}
    session.output.result(document, [*(_written(made) if made else ()), *lines])


def card(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    out: Annotated[Path | None, Option("--out", "-o", help="A new file; by default it is printed")] = None,
    draft: Annotated[bool, Option("--draft", help="Make a new one, even if the version has its own")] = False,
) -> None:
    """Print the model card of a version: its own README.md, or a draft filled in from what is known of it.

    A draft has Hugging Face's front matter, and marks the places that people must write; the gate model_card refuses it
    until they have. Lay it beside the model before publishing, or name it in the training config, card: FILE.

    Examples: artreg card churn@1.2.1; artreg card churn@prod --draft -o README.md
    """
    from artreg.card import blanks
    from artreg.exporting.card import find_card

    found = find_card(session.registry, session.reference(reference), draft=draft)
    warn(session, found.source)
    text, left = found.text, blanks(found.text)
    document = {**documents.resolved(found.source), "own": found.own, "blanks": left, "card": text}
    if out is None:
        session.output.result(document, [Line(line) for line in text.removesuffix("\n").split("\n")])
        return
    write_new(out, found.data)
    what = "its own card" if found.own else f"a draft with {plural(left, 'place')} to fill in"
    session.output.result(
        {**document, "path": str(out)}, [Line(f"{found.source}: {what}, written to {out}", Tone.GOOD)]
    )


def write_new(out: Path, data: bytes) -> None:
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
            with beside.open("xb") as file:
                file.write(data)
            os.link(beside, out)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise AlreadyExists(f"{out} is there already", hint="remove it, or name another file") from None
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}", hint="name a file that can be") from error


def _load(module: str, function: str) -> Any:
    return getattr(__import__(f"artreg.exporting.{module}", fromlist=[function]), function)
