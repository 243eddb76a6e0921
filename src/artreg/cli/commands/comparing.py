"""Commands that compare versions: `diff`, `drift`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.comparison import axes_table, metrics_table
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core import canonical
from artreg.core.drift import DATA_MANIFEST, ColumnDrift, DriftReport, TableProfile, compare, parse_profile
from artreg.core.drift.measures import MAJOR, MODERATE
from artreg.core.wording import human_bytes, plural
from artreg.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from artreg.registry.handle import Registry
    from artreg.registry.resolve import Resolved
    from artreg.reproduction.diff import VersionDiff

_BAR_CELLS = 10
_BAR_END = 0.5  # the PSI that fills a bar: twice what counts as major, so that the same length always means the same
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def drift(
    session: Session,
    reference: Annotated[str, Argument(help="The version to go by: MODEL@VERSION or @ALIAS", complete="references")],
    candidate: Annotated[str, Argument(help="The version in question: the same", complete="references")],
    ignore: Annotated[list[str] | None, Option("--ignore", metavar="COLUMN", help="Leave out a column")] = None,
) -> None:
    """Compare the data of two versions, column by column.

    Both are known by the profiles that training stored; neither data set is needed. PSI counts missing values as a bin;
    below 0.1 a column is called stable, from 0.25 on drifted. Under chance stands what PSI would be on average had
    nothing changed: it is large where tables are small. The distance is that of Kolmogorov-Smirnov (ks) for numbers,
    of Jensen-Shannon (js) for categories.

    Examples: artreg drift churn@prod churn@staging; artreg drift churn@1.0.0 churn@1.1.0 --json
    """
    from artreg.registry.resolve import resolve

    before, after = (resolve(session.registry, session.reference(text)) for text in (reference, candidate))
    profiles = [_profile(session.registry, found) for found in (before, after)]
    report = compare(*profiles, ignore=ignore or ())
    session.output.result(documents.drift(before, after, report), _view(before, after, report))


def diff(
    session: Session,
    before: Annotated[str, Argument(help="The one: MODEL@VERSION or @ALIAS", complete="references")],
    after: Annotated[str, Argument(help="The other: the same", complete="references")],
) -> None:
    """Compare two versions: what they were made from, axis by axis, and what they came to.

    Code by the commits between them, where this repository has both; packages; config keys; data by rows, schema and
    drift; metrics, with the direction in which each is better; files, and the first part in which a model differs.

    Examples: artreg diff churn@prod churn@staging; artreg diff churn@1.0.0 churn@1.1.0 --json
    """
    from artreg.registry.resolve import resolve
    from artreg.reproduction.diff import compare_versions

    first, second = (resolve(session.registry, session.reference(text)) for text in (before, after))
    result = compare_versions(session.registry, first, second, Path.cwd())
    session.output.result(documents.version_diff(result), _diff_view(result))


def _diff_view(result: VersionDiff) -> list[Block]:
    blocks: list[Block] = [
        Line(f"{result.before} → {result.after}", Tone.STRONG),
        axes_table(result.axes),
    ]
    if result.commits is not None and result.commits.subjects:
        count = plural(len(result.commits.subjects), "commit")
        way = f"{count} later" if result.commits.forward else f"{count} earlier"
        blocks.append(Table((way,), tuple((subject,) for subject in result.commits.subjects)))
    if result.drifted:
        blocks.append(_columns_table(result.drifted, blocks=_shows_blocks()))
    if result.outcome.metrics:
        blocks.append(metrics_table(result.outcome.metrics))
    if result.files:
        rows = tuple((one.what, _size(one.before), _size(one.after), one.note) for one in result.files)
        blocks.append(Table(("file", "before", "after", "first difference"), rows, numeric=frozenset({1, 2})))
    blocks.append(Line(f"{plural(result.same_files, 'file')} the same, {len(result.files)} not", Tone.DIM))
    return blocks


def _size(value: object) -> str:
    return human_bytes(value) if isinstance(value, int) else "-"


def _profile(registry: Registry, found: Resolved) -> TableProfile:
    from artreg.registry.versions import read_file, read_manifest

    manifest = read_manifest(registry, found.model, found.version)
    if manifest.digest != found.digest:
        raise IntegrityError(f"{found} is not the version that {found.alias} was set to: its manifest was changed")
    what = f"{DATA_MANIFEST} of {found}"
    if DATA_MANIFEST not in manifest.files:
        raise NotFound(
            f"{found} has no {DATA_MANIFEST}, so nothing is known of its data",
            hint=f"train it with artreg train, or publish it with a {DATA_MANIFEST}",
        )
    data = read_file(registry, found.model, found.version, manifest, DATA_MANIFEST)
    return parse_profile(canonical.loads(data, what), what)


def _view(before: Resolved, after: Resolved, report: DriftReport) -> list[Block]:
    blocks: list[Block] = [Line(f"{before} → {after}", Tone.STRONG)]
    if report.columns:
        blocks.append(_columns_table(report.columns, blocks=_shows_blocks()))
    blocks += [Line(f"schema: {change}", Tone.BAD) for change in report.schema_changes]
    blocks.append(_summary(report))
    return blocks


def _columns_table(columns: tuple[ColumnDrift, ...], *, blocks: bool) -> Table:
    rows = tuple(
        (
            f"{column.name} (target)" if column.target else column.name,
            "-" if column.psi is None else f"{column.psi:.4f}",
            "" if column.psi is None else bar(column.psi, blocks=blocks),
            word(column.psi),
            "-" if column.psi_by_chance is None else f"{column.psi_by_chance:.4f}",
            "-" if column.distance is None else f"{column.distance:.4f} {column.measure}",
            _missing(column),
        )
        for column in columns
    )
    return Table(("column", "psi", "", "", "chance", "distance", "missing"), rows, numeric=frozenset({1, 4, 5, 6}))


def _summary(report: DriftReport) -> Line:
    drifted = sum(column.psi is not None and column.psi >= MAJOR for column in report.columns)
    said = f"{drifted} of {plural(len(report.columns), 'column')} drifted"
    if report.schema_changes:
        said += f", {plural(len(report.schema_changes), 'schema change')}"
    if report.uncompared:
        said += f"; not compared, for want of their values: {', '.join(report.uncompared)}"
    return Line(said, Tone.BAD if drifted or report.schema_changes else Tone.GOOD)


def _missing(column: ColumnDrift) -> str:
    before, after = column.missing_before, column.missing_after
    return f"{before:.1%} → {after:.1%}" if before or after else "-"


def word(psi: float | None) -> str:
    """Return what a PSI amounts to, by the usual rule of thumb."""
    if psi is None:
        return "not compared"
    return "drifted" if psi >= MAJOR else "shifted" if psi >= MODERATE else "stable"


def bar(psi: float, *, blocks: bool) -> str:
    """Return a PSI as a bar; without block characters it is of number signs."""
    part = min(max(psi / _BAR_END, 0.0), 1.0)
    if not blocks:
        return "#" * round(part * _BAR_CELLS)
    whole, eighths = divmod(round(part * _BAR_CELLS * 8), 8)
    return (_EIGHTHS[-1] * whole + _EIGHTHS[eighths]).rstrip()


def _shows_blocks() -> bool:
    """Say whether somebody is looking who can see block characters: a terminal, and an encoding that has them."""
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return sys.stdout.isatty()
