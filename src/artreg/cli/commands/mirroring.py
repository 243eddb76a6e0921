"""Commands that bring a registry to another place: `mirror`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Tone, human_bytes, plural
from artreg.errors import AlreadyExists, ArtregError, IntegrityError, exit_code

if TYPE_CHECKING:
    from artreg.registry.mirror import Mirrored


def mirror(
    session: Session,
    source: Annotated[str, Argument(help="Registry root to copy from", metavar="SRC")],
    target: Annotated[str, Argument(help="Registry root to copy to", metavar="DST")],
    what: Annotated[
        list[str] | None, Argument(help="MODEL or PROJECT/; everything by default", complete="models")
    ] = None,
    quick: Annotated[
        bool, Option("--quick", help="Do not compare what both list with as many files and bytes")
    ] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be copied")] = False,
) -> None:
    """Copy what DST lacks of SRC, verified and with its whole history: to back up a registry, or to move it.

    Versions, histories, logs, data snapshots and policies are the same to the byte. What DST has is never overwritten:
    where it is something else it is named. Cut off, the same command goes on; run again, it copies what is new.

    Examples: artreg mirror registry s3://backup/registry; artreg mirror s3://models/r /mnt/copy churn other/
    """
    from artreg.registry.mirror import mirror as run

    scope = [one.removesuffix("/") if one.endswith("/") else session.model(one) for one in what or ()]
    result = run(
        session.open(source),
        session.open(target),
        scope,
        quick=quick,
        dry_run=dry_run,
        reporter=session.output.reporter,
    )
    document, error = documents.mirrored(result), _error(result)
    if error is None:
        session.output.result(document, _view(result))
        return
    session.output.result({**document, "error": error_document(error)}, [*_view(result), Line(f"hint: {error.hint}")])
    raise Exit(exit_code(error))


def _error(result: Mirrored) -> ArtregError | None:
    if result.damaged:
        return IntegrityError(
            f"damaged at the source, and not copied: {', '.join(one.ref for one in result.damaged)}",
            hint="everything else was copied; heal the source (artreg repair), then run this again",
        )
    if result.diverged:
        return AlreadyExists(
            f"something else at the target, and left as it is: {', '.join(one.ref for one in result.diverged)}",
            hint="everything else was copied; decide which of the two holds, or copy to another root",
        )
    return None


def _view(result: Mirrored) -> list[Block]:
    verb = "would be copied" if result.dry_run else "copied"
    blocks: list[Block] = [
        Line(f"{verb}: {one.what} ({plural(one.files, 'file')}, {human_bytes(one.bytes)})") for one in result.copied
    ]
    blocks += [Line(f"{name} is being published, or was never finished", Tone.DIM) for name in result.unfinished]
    blocks += [Line(f"{name}: the target has more than the source", Tone.DIM) for name in result.ahead]
    blocks += [Line(f"damaged at the source: {one.ref}: {one.problem}", Tone.BAD) for one in result.damaged]
    blocks += [Line(f"not the same: {one.ref}: {one.problem}", Tone.BAD) for one in result.diverged]
    size = human_bytes(sum(one.bytes for one in result.copied))
    summary = f"{verb} {plural(len(result.copied), 'item')}, {size}; {result.present:,} were there already"
    return [*blocks, Line(summary, Tone.PLAIN if result.damaged or result.diverged else Tone.GOOD)]
