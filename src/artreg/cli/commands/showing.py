"""Commands that show a registry to readers elsewhere: `site`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Tone
from artreg.core.names import ModelName, is_name
from artreg.core.wording import human_bytes, plural
from artreg.errors import InvalidInput

if TYPE_CHECKING:
    from artreg.site import Built

_SHOWN = 10  # problems; the pages and --json have all


def site(
    session: Session,
    what: Annotated[
        list[str] | None, Argument(help="MODEL or PROJECT/; everything by default", complete="models")
    ] = None,
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="DIR", help="The folder: new, empty, or with a site in it already")
    ] = None,
    title: Annotated[str | None, Option("--title", metavar="TEXT", help="What the site calls itself")] = None,
) -> None:
    """Write the registry as a static site: for any web server, a bucket's own hosting, or to open from the disk.

    All models with what is in staging and prod; each with its versions, metrics and history; each version with its
    files and what it was made from; any two side by side. Pages fetch nothing from anywhere, and what is damaged shows
    on them. The folder is written whole or not at all; the same registry gives the same bytes.

    Examples: artreg site --out public/; artreg site churn risk/ --out public/; artreg site -o public --json
    """
    from artreg.site import TITLE, build

    if out is None:
        raise InvalidInput("nothing says where to write the site", hint="add --out DIR, such as --out public/")
    scopes = [_scope(session, text) for text in what or ()]
    with session.output.busy("making pages"):
        result = build(session.registry, out, scopes, title=title or TITLE)
    session.output.result(documents.site(result), _view(result))


def _scope(session: Session, text: str) -> ModelName | str:
    if not text.endswith("/"):
        return session.model(text)
    if not is_name(text[:-1]):
        raise InvalidInput(f"{text!r} is no project", hint="write PROJECT/, or a model")
    return text[:-1]


def _view(result: Built) -> list[Block]:
    told = f"{plural(result.models, 'model')} and {plural(result.versions, 'version')}"
    size = f"{plural(result.files, 'file')}, {human_bytes(result.bytes)}"
    blocks: list[Block] = [Line(f"{told} written to {result.path} ({size})", Tone.GOOD)]
    blocks += [Line(problem, Tone.BAD) for problem in result.problems[:_SHOWN]]
    if len(result.problems) > _SHOWN:
        blocks.append(Line(f"and {len(result.problems) - _SHOWN} more problems, which the pages show", Tone.BAD))
    return blocks
