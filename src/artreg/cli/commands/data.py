"""Commands for data: `data snapshot`, `list`, `show`, `verify`, `pull`, and `churn`, which makes some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from artreg.cli.cached import NoCacheOption, OfflineOption
from artreg.cli.datasets import snapshot_pieces
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Fields, Line, Table, Tone
from artreg.core.snapshot import ColumnTotals, Snapshot
from artreg.core.wording import figure, human_bytes, plural
from artreg.errors import IntegrityError, exit_code

CHURN_DATA = Path("data/churn.csv")
_VALUES_SHOWN = 4
_REF_HELP = "NAME for its newest, or NAME@sha256:DIGITS"

RefArgument = Annotated[str, Argument(help=_REF_HELP, complete="snapshots")]


def snapshot(
    session: Session,
    table: Annotated[
        str, Argument(help="A CSV or Parquet file, a .dvc file, a URL, or sklearn:NAME", complete="files")
    ],
    name: Annotated[str | None, Option("--name", "-n", help="Of the dataset; by default the file's")] = None,
    id_column: Annotated[str | None, Option("--id-column", help="Names the rows: read as text, not profiled")] = None,
    reference: Annotated[bool, Option("--reference", help="Keep the digest and manifest, not the bytes")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Describe the table, but keep nothing")] = False,
) -> None:
    """Keep a table in the registry under the digest of its bytes, with a manifest of what it holds.

    A snapshot never changes, and the same table again adds nothing. Training takes it by name and digest:
    data: {snapshot: churn@sha256:…}. The file may be larger than memory.

    Examples: artreg data snapshot data/churn.csv; artreg data snapshot s3://lake/big.parquet --name events --reference
    """
    from artreg.core.snapshot import snapshot_name
    from artreg.registry.snapshot_taking import take
    from artreg.training.describe import describe
    from artreg.training.source import table_file

    session.registry.store.require_root()
    with table_file(table, Path()) as file:
        with session.output.busy(f"describing {file.uri}"):
            described = describe(file.path, file.uri, id_column=id_column)
        taken = take(
            session.registry,
            name or snapshot_name(file.name),
            described,
            file.lies_at if reference else file.uri,
            None if reference else file.path,
            dry_run=dry_run,
            reporter=session.output.reporter,
        )
    kept = taken.snapshot
    verb = "would be kept" if dry_run and taken.created else "kept" if taken.created else "is there already"
    rows = [("snapshot", str(kept.ref)), ("path", taken.path), ("source", kept.source)]
    rows += [("rows", f"{kept.table.rows:,}"), ("size", human_bytes(kept.table.size))]
    document = {**_document(kept), "path": taken.path, "created": taken.created, "dry_run": dry_run}
    session.output.result(document, [Line(f"{kept.ref.short} {verb}", Tone.GOOD), Fields(tuple(rows))])
    if not kept.copied and not reference:
        session.output.note(f"only a reference is kept: {kept.source} holds the bytes")


def list_(
    session: Session,
    name: Annotated[str | None, Argument(help="A dataset; all by default", complete="snapshots")] = None,
) -> None:
    """List the snapshots, by dataset, oldest first.

    Examples: artreg data list; artreg data list churn --json
    """
    from artreg.registry.snapshots import list_snapshots

    session.registry.store.require_root()
    found = list_snapshots(session.registry, name)
    blocks: list[Block] = [Line("no snapshots yet; artreg train or artreg data snapshot makes one")]
    if found:
        rows = tuple(
            (
                each.ref.short,
                f"{each.table.rows:,}",
                human_bytes(each.table.size),
                each.created_at.replace("T", " ")[:16],
                "copy" if each.copied else "reference",
                each.source,
            )
            for each in found
        )
        columns = ("snapshot", "rows", "size", "taken (UTC)", "kept as", "source")
        blocks = [Table(columns, rows, numeric=frozenset({1, 2}))]
    session.output.result({"snapshots": [_document(each) for each in found]}, blocks)


def show(session: Session, ref: RefArgument) -> None:
    """Show what a snapshot holds: its columns with their types, missing values and ranges.

    Examples: artreg data show churn; artreg data show churn@sha256:0a1b2c3d --json
    """
    from artreg.registry.snapshots import match

    found = match(session.registry, ref)
    rows = [
        ("snapshot", str(found.ref)),
        ("source", found.source),
        ("kept as", "copy" if found.copied else "reference: the bytes lie at the source"),
        ("taken", f"{found.created_at} by {found.created_by}"),
        ("rows", f"{found.table.rows:,}"),
        ("size", human_bytes(found.table.size)),
        ("schema", found.table.schema_hash[:12]),
    ]
    columns = tuple(_column_row(column, found.table.profile.get(column.name, {})) for column in found.table.columns)
    heads = ("column", "type", "missing", "min", "mean", "max", "values")
    document = {**found.document(), "snapshot": str(found.ref)}
    blocks: list[Block] = [
        Line(found.ref.short, Tone.STRONG),
        Fields(tuple(rows)),
        Table(heads, columns, numeric=frozenset({2, 3, 4, 5})),
    ]
    session.output.result(document, blocks)


def verify(
    session: Session,
    ref: Annotated[str | None, Argument(help=f"{_REF_HELP}; all by default", complete="snapshots")] = None,
) -> None:
    """Check snapshots byte for byte; of a reference, what lies at its source now.

    Examples: artreg data verify; artreg data verify churn
    """
    from artreg.registry.check import Problem
    from artreg.registry.snapshot_check import check_snapshot, check_snapshots
    from artreg.registry.snapshot_data import verified
    from artreg.registry.snapshots import list_snapshots, match

    session.registry.store.require_root()
    if ref is not None:
        wanted = [match(session.registry, ref)]
        checked = [check_snapshot(session.registry, wanted[0], reporter=session.output.reporter)]
    else:
        checked = list(check_snapshots(session.registry, reporter=session.output.reporter))
        wanted = [] if any(not each.ok for each in checked) else list_snapshots(session.registry)
    problems = [(each.ref, problem) for each in checked for problem in each.problems]
    for each in wanted:
        if not each.copied:
            try:
                with snapshot_pieces(session, each) as data:
                    for _ in verified(each, data):
                        pass
            except IntegrityError as error:
                problems.append((each.ref.short, Problem(each.source, error.message)))
    _show_checked(session, [each.ref for each in checked], problems)


def pull(
    session: Session,
    ref: RefArgument,
    out: Annotated[Path, Option("--out", "-o", help="The file to make")],
    offline: OfflineOption = False,
    no_cache: NoCacheOption = False,
) -> None:
    """Write the bytes of a snapshot to a file, which appears whole and verified or not at all.

    They are kept in the cache as those of versions are; see artreg pull.

    Examples: artreg data pull churn -o data/churn.csv; artreg data pull churn@sha256:0a1b2c3d -o old.csv
    """
    from artreg.consuming.data import cached_pieces, find
    from artreg.registry.snapshot_data import pull as run

    session.outside(out)
    consumer = session.consumer(no_cache=no_cache, offline=offline)
    found = find(consumer, ref)
    cached = cached_pieces(consumer, found, session.output.reporter) if found.copied else None
    with cached or snapshot_pieces(session, found) as data:
        created = run(found, data, out)
    verb = "pulled to" if created else "is there already, whole:"
    document = {"snapshot": str(found.ref), "path": str(out), "bytes": found.table.size, "created": created}
    session.output.result(document, [Line(f"{found.ref.short} {verb} {out}", Tone.GOOD)])


def churn(
    session: Session,
    out: Annotated[Path, Option("--out", "-o", help="Where to")] = CHURN_DATA,
    customers: Annotated[int, Option("--customers", "-n", least=1, help="How many")] = 8000,
) -> None:
    """Make the churn table: the same customers every time, the first ones the same whatever their number.

    Examples: artreg data churn; artreg data churn --customers 100000 --out data/large.csv
    """
    from artreg.training.churn import write_churn

    write_churn(out, customers)
    document = {"path": str(out), "records": customers}
    session.output.result(document, [Line(f"{out} holds {plural(customers, 'customer')}")])


def _document(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "snapshot": str(snapshot.ref),
        "name": snapshot.name,
        "content_hash": snapshot.table.sha256,
        "record_count": snapshot.table.rows,
        "size": snapshot.table.size,
        "schema_hash": snapshot.table.schema_hash,
        "copied": snapshot.copied,
        "source": snapshot.source,
        "created_at": snapshot.created_at,
        "created_by": snapshot.created_by,
    }


def _column_row(column: ColumnTotals, profile: Any) -> tuple[str, ...]:
    numbers = ("" if value is None else figure(value) for value in (column.least, column.mean, column.most))
    counts = profile.get("values") if isinstance(profile, dict) else None
    values = ", ".join(list(counts)[:_VALUES_SHOWN]) if isinstance(counts, dict) else ""
    return (column.name, column.type, f"{column.missing:,}", *numbers, values)


def _show_checked(session: Session, refs: Sequence[str], problems: Sequence[tuple[str, Any]]) -> None:
    document: dict[str, Any] = {
        "ok": not problems,
        "checked": list(refs),
        "problems": [{"ref": ref, "file": problem.file, "problem": problem.problem} for ref, problem in problems],
    }
    if not problems:
        session.output.result(document, [Line(f"{plural(len(refs), 'snapshot')} whole", Tone.GOOD)])
        return
    damaged = ", ".join(dict.fromkeys(ref for ref, _ in problems))
    error = IntegrityError(f"damaged: {damaged}", hint="put the data back, or take a new snapshot")
    lines = [Line(f"{ref}: {problem.file}: {problem.problem}", Tone.BAD) for ref, problem in problems]
    session.output.result({**document, "error": error_document(error)}, lines)
    raise Exit(exit_code(error))
