"""A command that looks into models: `inspect`."""

from __future__ import annotations

from pathlib import Path

from artreg.cli import documents
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.inspection import Danger, FileReport, Inspected
from artreg.core.wording import human_bytes, plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

_FINDINGS_SHOWN = 40
_PARTS_SHOWN = 10
_TONES = {Danger.NONE: Tone.GOOD, Danger.PICKLE: Tone.PLAIN}


def inspect(
    session: Session,
    subject: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS, or a file", complete="files references")],
    types: Annotated[
        list[str] | None, Option("--type", metavar="NAME", help="A type that you trust skops to make; repeat for more")
    ] = None,
    fickling: Annotated[
        bool, Option("--fickling", help="Also ask fickling about pickles (extra inspect); it informs")
    ] = False,
) -> None:
    """Say what loading a model would run or make, without loading it.

    Of a skops archive the types that it needs, and who trusts them; of a pickle, joblib or torch file what it imports
    and calls, followed operation by operation; of safetensors the tensors. It informs: a pickle in which nothing was
    found can still run code, and loads only by trust.

    Examples: artreg inspect churn@prod; artreg inspect model.joblib --json; artreg inspect churn@1.2.0 --type my.Model
    """
    from artreg.loading.look import look_at, look_at_file

    named = tuple(types or ())
    path = Path(subject)
    if not subject.startswith(("/", ".")) and ("@" in subject or ":/" in subject):
        found, inspected = look_at(session.registry, session.reference(subject), named, ask_others=fickling)
        title, about = str(found), documents.resolved(found)
    else:
        inspected, title, about = Inspected((look_at_file(path, named, ask_others=fickling),)), subject, {}
    session.output.result(
        {**about, **documents.inspected(inspected)},
        [Line(title, Tone.STRONG), *(block for file in inspected.files for block in _file_view(file))],
    )


def _file_view(file: FileReport) -> list[Block]:
    tone = _TONES.get(file.danger, Tone.BAD)
    blocks: list[Block] = [Line(f"{file.name}: {file.format}, {human_bytes(file.size)}; {file.danger.value}", tone)]
    if file.findings:
        rows = tuple(
            (finding.danger.value, finding.what, finding.detail, str(finding.times))
            for finding in file.findings[:_FINDINGS_SHOWN]
        )
        blocks.append(Table(("loading it", "what", "how", "times"), rows, numeric=frozenset({3})))
    if file.opinion:
        blocks.append(Line(f"fickling says: {file.opinion}"))
    if file.parts:
        blocks.append(Table(("holds", "of"), tuple(list(file.parts.items())[:_PARTS_SHOWN])))
    left_out = max(len(file.findings) - _FINDINGS_SHOWN, 0) + max(len(file.parts) - _PARTS_SHOWN, 0)
    if left_out:
        blocks.append(Line(f"and {plural(left_out, 'line')} more, which --json shows", Tone.DIM))
    return blocks
