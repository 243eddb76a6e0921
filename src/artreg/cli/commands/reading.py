"""Commands that only read: `list`, `show`, `resolve`."""

from __future__ import annotations

from enum import Enum

from artreg.cli import documents
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Fields, Line, Table, Tone
from artreg.core.wording import figure, human_bytes
from artreg.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Annotated, Any

    from artreg.consuming.handle import Consumer
    from artreg.consuming.remembering import Known
    from artreg.core.version import Version
    from artreg.registry.catalog import ModelSummary, VersionDetails
    from artreg.registry.resolve import Resolved
    from artreg.registry.signatures import Claim

    Values = tuple[str, dict[Version, float | None]]


_TREND = 19
"""Versions before the one that `show` shows, over which its metrics are drawn."""


class Provenance(Enum):
    """The predicates in which a version's origin can be told."""

    SLSA = "slsa"


def list_(
    session: Session,
    model: Annotated[str | None, Argument(help="[PROJECT/]MODEL; all by default", complete="models")] = None,
    metric: Annotated[
        str | None, Option("--metric", metavar="KEY", help="Show this metric of each version; dots reach inwards")
    ] = None,
) -> None:
    """List models, or the versions of one, with what points where, and how a metric went.

    The metric is one of metrics.json, by default the first whose direction is known, such as roc_auc, of the newest 30
    versions. Each bar is a version, the oldest first; a dot has no such number.

    Examples: artreg list; artreg list churn; artreg list churn --metric log_loss; artreg list --json
    """
    from artreg.registry.catalog import catalog

    if metric is not None and model is None:
        raise InvalidInput("--metric is of the versions of one model", hint="name it: artreg list churn --metric …")
    summaries = catalog(session.registry, None if model is None else session.model(model))
    values = None if metric is None else _values(session, summaries[0], metric)
    session.output.result(
        lambda: {"models": [documents.model_summary(summary, values) for summary in summaries]},
        lambda: _models_view(session, summaries) if model is None else _versions_view(session, summaries[0], values),
    )


def show(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    provenance: Annotated[
        Provenance | None, Option("--provenance", help="Print where it comes from as an in-toto statement")
    ] = None,
) -> None:
    """Show a version: files, metrics, the run that made it, and who signed it.

    Examples: artreg show churn@prod; artreg show churn@1.2.1 --json; artreg show churn@prod --provenance slsa
    """
    from artreg.registry.catalog import details
    from artreg.registry.signatures import claims

    if provenance is not None:
        from artreg.core.lineage import slsa_statement
        from artreg.registry.origin import read_origin
        from artreg.registry.resolve import resolve

        named = resolve(session.registry, session.reference(reference))
        session.output.document(slsa_statement(read_origin(session.registry, named)))
        return
    result = details(session.registry, session.reference(reference))
    warn(session, result.found)
    wanted = session.signed_by([], session.settings.allowed_signers)
    known = None if wanted is None else wanted.allowed
    found = claims(session.registry, result.found.model, result.found.version, result.found.digest, known)
    session.output.result(documents.version_details(result, found), lambda: _details_view(session, result, found))


def resolve(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@ALIAS or @VERSION", complete="references")],
) -> None:
    """Say which version a reference means now, and where it lies.

    Examples: artreg resolve churn@prod; artreg resolve models:/churn@staging --json
    """
    from artreg.registry.resolve import resolve as run

    result = run(session.registry, session.reference(reference))
    warn(session, result)
    rows = [("digest", result.digest), ("path", result.path)]
    if result.generation is not None:
        rows.insert(0, ("generation", str(result.generation)))
    session.output.result(documents.resolved(result), [Line(str(result)), Fields(tuple(rows))])


def warn(session: Session, found: Resolved) -> None:
    """Say by the way why a version should not be used any more, if so."""
    if found.warning:
        session.output.note(f"warning: {found.warning}")


def find(session: Session, consumer: Consumer, reference: str) -> Known:
    """Return what a reference means for a consumer, once what there is to say of it is said."""
    from artreg.consuming.remembering import resolve

    known = resolve(consumer, session.reference(reference, consumer))
    warn(session, known.found)
    if known.note:
        session.output.note(known.note)
    return known


def _models_view(session: Session, summaries: list[ModelSummary]) -> list[Block]:
    if not summaries:
        return [Line(f"{session.registry.store.url} holds no models yet; artreg train or artreg publish makes one")]
    rows = []
    for summary in summaries:
        newest = str(summary.versions[0].version) if summary.versions else "-"
        where = ", ".join(f"{alias} {version}" for alias, version in summary.aliases.items()) or "-"
        rows.append((str(summary.model), str(len(summary.versions)), newest, where))
    return [Table(("model", "versions", "highest", "aliases"), tuple(rows), numeric=frozenset({1}))]


def _values(session: Session, summary: ModelSummary, metric: str | None) -> Values | None:
    """Return a metric of the versions of a model: of all if it is named, else one that is chosen, of the newest."""
    from artreg.cli.trends import LONGEST_TREND, chosen_metric, require_metric, values_of
    from artreg.registry.figures import read_figures

    versions = [version.version for version in summary.versions][: None if metric else LONGEST_TREND]
    figures = read_figures(session.registry, summary.model, versions)
    key = chosen_metric(figures) if metric is None else require_metric(figures, metric)
    return None if key is None else (key, values_of(figures, key))


def _versions_view(session: Session, summary: ModelSummary, values: Values | None) -> list[Block]:
    if not summary.versions:
        return [Line(f"{summary.model} has no versions")]
    from artreg.cli.trends import told

    key, numbers = values or _values(session, summary, None) or ("", {})
    columns = ("version", "aliases", "published (UTC)", "files", "size", *([key] if key else []))
    rows = tuple(
        (
            str(version.version),
            ", ".join([*version.aliases, *(["yanked"] if version.yanked else [])]),
            version.created.isoformat(" ", "minutes").partition("+")[0],
            str(version.files),
            human_bytes(version.bytes),
            *([_number(numbers, version.version)] if key else []),
        )
        for version in summary.versions
    )
    table = Table(columns, rows, title=str(summary.model), numeric=frozenset({3, 4, 5}), times=frozenset({2}))
    return [table, *([Line(told(key, numbers))] if key and len(numbers) > 1 else [])]


def _number(numbers: Mapping[Version, float | None], version: Version) -> str:
    """Return a number, `-` where a version has none, nothing where it was not read."""
    value = numbers.get(version)
    return figure(value) if value is not None else "-" if version in numbers else ""


def _details_view(session: Session, result: VersionDetails, signatures: Sequence[Claim]) -> list[Block]:
    run = result.run
    rows = [
        ("aliases", ", ".join(result.aliases) or "none"),
        ("digest", result.found.digest),
        ("path", result.found.path),
        ("published", f"{run.published_at} by {run.published_by}"),
        *([("imported from", run.came_from)] if run.came_from else []),
        *_verified_rows(result),
        *(("signed", _claim_text(claim)) for claim in signatures),
    ]
    rows += _axes_rows(run.axes)
    blocks: list[Block] = [Line(str(result.found), Tone.STRONG), Fields(tuple(rows))]
    numbers = [(key, value) for key, value in (result.metrics or {}).items() if isinstance(value, int | float)]
    if numbers:
        trends = _trends(session, result)
        cells = tuple((key, figure(value), trends.get(key, "")) for key, value in numbers)
        blocks.append(Table(("metric", "value", "up to here" if trends else ""), cells, numeric=frozenset({1})))
    files = tuple((name, human_bytes(size)) for name, size in sorted(result.files.items()))
    blocks.append(Table(("file", "size"), files, numeric=frozenset({1})))
    return blocks


def _trends(session: Session, result: VersionDetails) -> dict[str, str]:
    """Return how each metric went up to a version, where there are versions before it."""
    from artreg.cli.trends import values_of
    from artreg.core.sparkline import sparkline
    from artreg.registry.figures import read_figures
    from artreg.registry.versions import list_numbers

    own, model = result.found.version, result.found.model
    before = [it for it in list_numbers(session.registry.store, model) if it.precedence() < own.precedence()]
    figures = read_figures(session.registry, model, before[-_TREND:])
    figures = {version: metrics for version, metrics in figures.items() if metrics is not None}
    if not figures:
        return {}
    figures[own] = result.metrics
    return {key: sparkline(list(values_of(figures, key).values())) for key in result.metrics or {}}


def _verified_rows(result: VersionDetails) -> list[tuple[str, str]]:
    seen = result.verified
    if seen is None:
        return []
    return [("verified", f"{seen.time} by {seen.who}{'' if seen.ok else ': DAMAGED'}")]


def _claim_text(claim: Claim) -> str:
    told = {True: "valid", False: "by no key that counts", None: "not checked: set allowed_signers"}[claim.valid]
    words = (claim.kind.value, f"by {claim.who}" if claim.who else "", claim.time, claim.key, f"({told})")
    return " ".join(word for word in words if word)


def _axes_rows(axes: Any) -> list[tuple[str, str]]:
    """Return the four axes in a line each, as far as the record knows them; nothing in it is taken for granted."""
    if not isinstance(axes, dict):
        return [("run", "not recorded")]
    code, environment, data = (_section(axes, key) for key in ("code", "environment", "data"))
    dirty = " with uncommitted changes" if code.get("dirty") else ""
    return [
        ("code", f"commit {code.get('commit', 'unknown')}{dirty}"),
        (
            "environment",
            f"Python {environment.get('python', 'unknown')}, uv.lock {_short(environment.get('uv_lock_sha256'))}",
        ),
        ("data", f"{data.get('record_count', 'unknown')} records, content {_short(data.get('content_hash'))}"),
    ]


def _section(axes: dict[str, Any], key: str) -> dict[str, Any]:
    section = axes.get(key)
    return section if isinstance(section, dict) else {}


def _short(digest: object) -> str:
    return str(digest or "unknown").removeprefix("sha256:")[:12]
