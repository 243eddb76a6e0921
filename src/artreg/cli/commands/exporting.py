"""Commands that hand a version over to others: `export`, `card`."""

from __future__ import annotations

import json
import os
from enum import Enum
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any

from artreg.cli import documents
from artreg.cli.cached import NoCacheOption, OfflineOption
from artreg.cli.commands.reading import find
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.core.wording import human_bytes, plural
from artreg.errors import AlreadyExists, InvalidInput, StorageError
from artreg.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Collection

    from artreg.consuming.handle import Consumer
    from artreg.consuming.remembering import Known
    from artreg.exporting.folder import Exported
    from artreg.exporting.mlflow_registration import Registered


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
    offline: OfflineOption = False,
    no_cache: NoCacheOption = False,
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
    if to in FOLDERS and out is None and tracking_uri is None:
        raise InvalidInput(f"--to {to.value} makes a folder", hint="name one that is not there yet: --out DIR")
    asked = _asked(session, reference, out, offline=offline, no_cache=no_cache)
    if to in DOCUMENTS:
        _document(asked, to, out)
        return
    if to is Target.MLFLOW:
        asked.make("mlflow", "require_loadable", only=())  # before what may be large is fetched
    written, lines = ({}, []) if out is None else _folder(asked, to, out)
    registered, more = ({}, []) if tracking_uri is None else _register(asked, tracking_uri, registered_name)
    session.output.result({**asked.document(), **written, **registered}, [*lines, *more])


def card(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    out: Annotated[Path | None, Option("--out", "-o", help="A new file; by default it is printed")] = None,
    draft: Annotated[bool, Option("--draft", help="Make a new one, even if the version has its own")] = False,
    offline: OfflineOption = False,
    no_cache: NoCacheOption = False,
) -> None:
    """Print the model card of a version: its own README.md, or a draft filled in from what is known of it.

    A draft has Hugging Face's front matter, and marks the places that people must write; the gate model_card refuses it
    until they have. Lay it beside the model before publishing, or name it in the training config, card: FILE.

    Examples: artreg card churn@1.2.1; artreg card churn@prod --draft -o README.md
    """
    from artreg.card import blanks
    from artreg.registry.origin import FILES

    asked = _asked(session, reference, out, offline=offline, no_cache=no_cache)
    found = asked.make("card", "find_card", only=FILES, draft=draft)
    text, left = found.text, blanks(found.text)
    document = {**asked.document(), "own": found.own, "blanks": left, "card": text}
    if out is None:
        session.output.result(document, [Line(line) for line in text.removesuffix("\n").split("\n")])
        return
    write_new(out, found.data)
    what = "its own card" if found.own else f"a draft with {plural(left, 'place')} to fill in"
    session.output.result(
        {**document, "path": str(out)}, [Line(f"{found.source}: {what}, written to {out}", Tone.GOOD)]
    )


class _Asked(Frozen):
    """A version that somebody wants handed over, and by which way it is read.

    Attributes:
        session: The session.
        consumer: Whose cache it goes through.
        known: The version.
    """

    session: Session
    consumer: Consumer
    known: Known

    def make(
        self,
        module: str,
        function: str,
        *words: object,
        only: Collection[str] | None = None,
        fills: bool = True,
        **options: object,
    ) -> Any:
        """Return what a function of `artreg.exporting` makes of it; see `artreg.consuming.shelf.work_on`."""
        from artreg.consuming.shelf import work_on

        found, output = self.known.found, self.session.output
        run = getattr(__import__(f"artreg.exporting.{module}", fromlist=[function]), function)
        made, note = work_on(
            self.consumer,
            found,
            lambda registry: run(registry, found, *words, **options),
            only=only,
            fills=fills,
            reporter=output.reporter,
        )
        if note:
            output.note(note)
        return made

    def document(self) -> dict[str, Any]:
        """Return what there is to say of the version itself."""
        return {**documents.resolved(self.known.found), "as_of": self.known.as_of or None}


def _asked(session: Session, reference: str, out: Path | None, *, offline: bool, no_cache: bool) -> _Asked:
    if out is not None:
        session.outside(out)
    consumer = session.consumer(no_cache=no_cache, offline=offline)
    return _Asked(session, consumer, find(session, consumer, reference))


def _document(asked: _Asked, to: Target, out: Path | None) -> None:
    from artreg.registry.origin import FILES

    made, output = asked.make(*DOCUMENTS[to], only=FILES), asked.session.output
    if out is None:
        output.document(made.content)
        return
    write_new(out, (json.dumps(made.content, indent=2) + "\n").encode())
    output.result(
        {"path": str(out), "format": to.value}, [Line(f"{made.name} written to {out} as {to.value}", Tone.GOOD)]
    )


def _folder(asked: _Asked, to: Target, out: Path) -> tuple[dict[str, Any], list[Line]]:
    from artreg.exporting.folder import free_place

    free_place(out)
    output = asked.session.output
    made: Exported = asked.make(*FOLDERS[to], out, reporter=output.reporter)
    for note in made.notes:
        output.note(note)
    size = f"{plural(made.files, 'file')}, {human_bytes(made.bytes)}, verified"
    lines = [Line(f"{made.source} written to {made.path} as {made.format}", Tone.GOOD), Line(size)]
    return documents.exported(made), lines


def _register(asked: _Asked, uri: str, name: str | None) -> tuple[dict[str, Any], list[Line]]:
    from artreg.exporting.mlflow_registration import registered_at

    done: Registered = registered_at(asked.known.found, uri, name) or asked.make(
        "mlflow_registration", "register_at", uri, name, fills=False, reporter=asked.session.output.reporter
    )
    said = "is registered" if done.created else "was registered already"
    lines = [Line(f"{done.source} {said} at {done.tracking_uri}: {done.name}, version {done.version}", Tone.GOOD)]
    if done.alias:
        lines.append(Line(f"{done.name}@{done.alias} points at it there"))
    return {"registered": documents.registered(done)}, lines


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
