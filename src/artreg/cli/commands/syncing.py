"""The command that brings what a lock pins: `sync`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from artreg.cli.commands.pinning import FileOption, choose_root
from artreg.cli.declare import Exit, Option
from artreg.cli.output import error_document
from artreg.cli.pins import pin_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.consuming.lock_file import read_lock
from artreg.consuming.pull import pull
from artreg.consuming.sync import Failed, Synced, Syncing
from artreg.consuming.sync import sync as run
from artreg.core.lock import LOCK_FILE
from artreg.core.wording import human_bytes, plural
from artreg.errors import InvalidInput, exit_code


def sync(
    session: Session,
    out: Annotated[Path, Option("--out", "-o", metavar="DIR", help="The folder to fill")] = Path("models"),
    file: FileOption = Path(LOCK_FILE),
    frozen: Annotated[
        bool, Option("--frozen", help="Ask the registry for nothing but bytes, not even what was yanked")
    ] = False,
    no_yanked: Annotated[bool, Option("--no-yanked", help="Refuse what was yanked since; exit with 3")] = False,
    offline: Annotated[bool, Option("--offline", help="Go by the cache alone [ARTREG_OFFLINE]")] = False,
    no_cache: Annotated[bool, Option("--no-cache", help="Take nothing from the cache, and keep nothing there")] = False,
    quick: Annotated[bool, Option("--quick", help="Look at what is there by name and size alone")] = False,
    force: Annotated[bool, Option("--force", help="Replace what somebody changed, too")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be done")] = False,
) -> None:
    """Fetch exactly what the lock pins, each into DIR/PROJECT/MODEL@TARGET, verified by the digests in the lock.

    Each version is there whole, or what was there before is; what is there already is looked at byte by byte, and left
    alone. The registry is the one that the lock names, unless the command line or the environment names another.

    Examples: artreg sync; artreg sync -o models --frozen; artreg sync --no-yanked --json
    """
    there = read_lock(file)
    root = choose_root(session, there, every=True)
    consumer = session.consumer(no_cache=no_cache, offline=offline)
    if no_yanked and (frozen or consumer.offline):
        raise InvalidInput("nobody can say what was yanked without asking", hint="leave out one: --no-yanked, or this")
    how = Syncing(
        out.absolute(),
        session.registry,
        partial(pull, consumer),
        frozen=frozen or consumer.offline,
        no_yanked=no_yanked,
        quick=quick,
        force=force,
        dry_run=dry_run,
    )
    results = run(there, how, session.output.reporter)
    for result in results:
        for note in () if isinstance(result, Failed) else result.notes:
            session.output.note(note)
    errors = [result.error for result in results if isinstance(result, Failed)]
    document = _document(results, file=str(file), registry=root, folder=str(out), dry_run=dry_run)
    session.output.result(document, _view(results, str(out), dry_run=dry_run))
    if errors:
        raise Exit(exit_code(errors[0]))


def _document(results: Sequence[Synced | Failed], **more: object) -> dict[str, Any]:
    errors = [result.error for result in results if isinstance(result, Failed)]
    document = {**more, "ok": not errors, "pins": [_synced(result) for result in results]}
    return {**document, "error": error_document(errors[0])} if errors else document


def _synced(result: Synced | Failed) -> dict[str, Any]:
    if isinstance(result, Failed):
        return {**pin_document(result.pin), "error": error_document(result.error)}
    return {
        **pin_document(result.pin),
        "path": result.path,
        "files": result.files,
        "bytes": result.bytes,
        "outcome": result.done.name.lower(),
        "fetched": result.fetched,
        "notes": list(result.notes),
    }


def _view(results: Sequence[Synced | Failed], folder: str, *, dry_run: bool) -> list[Block]:
    rows, blocks = [], list[Block]()
    for result in results:
        size = "" if isinstance(result, Failed) else human_bytes(result.bytes)
        outcome = "FAIL" if isinstance(result, Failed) else result.done.value
        rows.append((str(result.pin.reference), str(result.pin.version), size, outcome))
        if isinstance(result, Failed):
            blocks.append(Line(f"error: {result.error.message}", Tone.BAD))
            blocks += [Line(f"hint: {result.error.hint}")] if result.error.hint else []
    table = [Table(("reference", "version", "size", "outcome"), tuple(rows), numeric=frozenset({2}))] if rows else []
    failed, count = sum(isinstance(result, Failed) for result in results), plural(len(rows), "pin")
    if failed:
        blocks.append(Line(f"{failed} of {count} failed, and left as before", Tone.BAD))
    else:
        blocks.append(Line(f"{folder} {'would hold' if dry_run else 'holds'} what is locked: {count}", Tone.GOOD))
    return [*table, *blocks]
