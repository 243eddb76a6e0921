"""Commands that bring a registry to another place, and back from there what is damaged: `mirror`, `repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.commands.keeping import age
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.wording import human_bytes, plural
from artreg.errors import AlreadyExists, ArtregError, IntegrityError, exit_code

if TYPE_CHECKING:
    from artreg.registry.mirror import Mirrored
    from artreg.registry.repair import Repaired


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


def repair(
    session: Session,
    model: Annotated[str | None, Argument(help="MODEL; everything by default", complete="models")] = None,
    spare: Annotated[
        str | None, Option("--from", metavar="OTHER", help="A mirror or a backup to restore damaged bytes from")
    ] = None,
    apply: Annotated[bool, Option("--apply", help="Do it; otherwise nothing is changed")] = False,
    older_than: Annotated[
        str, Option("--older-than", help="Leave alone unfinished things that were written more recently: 15m, 24h, 7d")
    ] = "24h",
) -> None:
    """Say what is wrong in a registry and what heals it; with --apply, heal it.

    Pointers and marks are set by the histories, and what dead writers left is removed. Files, records and events that
    are damaged or missing are restored --from another registry, to the bytes that are pinned here; what they replace is
    kept in .artreg/damaged/. What cannot be healed is named, with what to do.

    Examples: artreg repair; artreg repair --apply; artreg repair --from s3://backup/registry --apply
    """
    from artreg.registry.repair import repair as run

    result = run(
        session.registry,
        None if model is None else session.model(model),
        spare=None if spare is None else session.open(spare),
        apply=apply,
        older_than=age(older_than),
        reporter=session.output.reporter,
    )
    document = documents.repaired(result)
    if not result.hopeless:
        session.output.result(document, _repair_view(result))
        return
    error = IntegrityError(
        f"cannot be healed: {', '.join(dict.fromkeys(fault.ref for fault in result.hopeless))}",
        hint="each is listed with what to do",
    )
    session.output.result({**document, "error": error_document(error)}, _repair_view(result))
    raise Exit(exit_code(error))


def _repair_view(result: Repaired) -> list[Block]:
    verb = "" if result.applied else "would be "
    rows = tuple(
        (
            "ok" if fault.healed else "FAIL" if fault in result.hopeless else "",
            fault.ref,
            f"{fault.file}: {fault.problem}",
            f"{verb}{fault.remedy}" if fault.remedy else fault.hint,
        )
        for fault in result.faults
    )
    blocks: list[Block] = [Table(("", "of", "what is wrong", "what heals it"), rows)] if rows else []
    blocks += [Line(f"{verb}removed: {removed.what} ({human_bytes(removed.bytes)})") for removed in result.removed]
    if result.hopeless:
        count = plural(len(result.hopeless), "fault")
        return [*blocks, Line(f"{count} cannot be healed{'' if result.applied else ' so'}", Tone.BAD)]
    if not rows and not result.removed:
        return [Line("nothing is wrong", Tone.GOOD)]
    return [*blocks, Line("healed" if result.applied else "--apply does it", Tone.GOOD)]


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
