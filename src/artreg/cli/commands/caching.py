"""Commands for the cache of this machine: `cache list`, `prune`, `clear`, `verify`, `path`."""

from __future__ import annotations

from typing import Annotated, Any

from artreg.cli.declare import Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Fields, Line, Table, Tone
from artreg.consuming.cache import Cache
from artreg.consuming.keeping import Removed
from artreg.core.wording import human_bytes, plural

_SHOWN = 20

DryRun = Annotated[bool, Option("--dry-run", help="Say what would be removed")]


def list_(
    session: Session,
    every: Annotated[bool, Option("--all", help=f"Every file, not only the {_SHOWN} that were used last")] = False,
) -> None:
    """Show what is in the cache, what was used last first.

    Examples: artreg cache list; artreg cache list --json
    """
    from artreg.consuming.keeping import usage

    cache = session.any_cache()
    found = usage(cache)
    document = {
        **_document(cache),
        "bytes": found.bytes,
        "partial": found.partial,
        "files": [{"sha256": entry.sha256, "size": entry.size, "used": _time(entry.used)} for entry in found.entries],
    }
    rows = [("folder", cache.folder), ("holds", f"{plural(len(found.entries), 'file')}, {human_bytes(found.bytes)}")]
    rows += [("at most", human_bytes(cache.limit))]
    rows += [("not whole yet", human_bytes(found.partial))] if found.partial else []
    blocks: list[Block] = [Fields(tuple(rows))]
    shown = found.entries if every else found.entries[:_SHOWN]
    if shown:
        cells = tuple((entry.sha256[:12], human_bytes(entry.size), _time(entry.used)) for entry in shown)
        blocks.append(Table(("sha256", "size", "last used (UTC)"), cells, numeric=frozenset({1})))
    if len(shown) < len(found.entries):
        blocks.append(Line(f"… and {len(found.entries) - len(shown):,} more; --all shows them", Tone.DIM))
    session.output.result(document, blocks)


def prune(
    session: Session,
    max_size: Annotated[
        str | None, Option("--max-size", metavar="SIZE", help="How much may stay: 500MB, 20GiB [ARTREG_CACHE_SIZE]")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Remove what was not used for longest until the cache is no larger than it may be.

    What a pull is using just now stays. A pull that puts something into the cache does the same at its end.

    Examples: artreg cache prune; artreg cache prune --max-size 5GiB; artreg cache prune --max-size 0 --dry-run
    """
    from artreg.consuming.keeping import prune as run

    cache = session.any_cache(max_size)
    _show(session, cache, run(cache, cache.limit, dry_run=dry_run), dry_run=dry_run)


def clear(session: Session, dry_run: DryRun = False) -> None:
    """Remove everything from the cache but what a pull is using just now, and forget what aliases meant.

    Examples: artreg cache clear; artreg cache clear --dry-run
    """
    from artreg.consuming.keeping import clear as run

    cache = session.any_cache()
    _show(session, cache, run(cache, dry_run=dry_run), dry_run=dry_run)


def verify(
    session: Session,
    dry_run: Annotated[bool, Option("--dry-run", help="Leave damaged files where they are")] = False,
) -> None:
    """Hash every file in the cache, and throw away what is damaged; a pull then fetches it again.

    A pull verifies what it takes from the cache in any case; this frees the room of what nobody takes.

    Examples: artreg cache verify; artreg cache verify --json
    """
    from artreg.consuming.keeping import verify as run

    cache = session.any_cache()
    checked = run(cache, dry_run=dry_run, reporter=session.output.reporter)
    document = {
        **_document(cache),
        "files": checked.files,
        "bytes": checked.bytes,
        "damaged": [{"sha256": entry.sha256, "size": entry.size} for entry in checked.damaged],
        "dry_run": dry_run,
    }
    verb = "damaged" if dry_run else "damaged, and thrown away"
    blocks: list[Block] = [Line(f"{entry.sha256} {verb}", Tone.BAD) for entry in checked.damaged]
    whole = checked.files - len(checked.damaged)
    blocks.append(Line(f"{plural(whole, 'file')} whole, {human_bytes(checked.bytes)} hashed", Tone.GOOD))
    session.output.result(document, blocks)


def path(session: Session) -> None:
    """Say where the cache is.

    Examples: artreg cache path; artreg cache path --json
    """
    cache = session.any_cache()
    session.output.result(_document(cache), [Line(cache.folder)])


def _show(session: Session, cache: Cache, removed: Removed, *, dry_run: bool) -> None:
    document = {
        **_document(cache),
        "removed": {"files": removed.files, "bytes": removed.bytes},
        "in_use": removed.in_use,
        "dry_run": dry_run,
    }
    verb = "would be removed" if dry_run else "removed"
    lines: list[Block] = [Line(f"{plural(removed.files, 'file')} {verb}, {human_bytes(removed.bytes)}", Tone.GOOD)]
    if removed.in_use:
        lines.append(Line(f"{plural(removed.in_use, 'file')} left, in use just now", Tone.DIM))
    session.output.result(document, lines)


def _document(cache: Cache) -> dict[str, Any]:
    return {"path": cache.folder, "max_size": cache.limit}


def _time(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
