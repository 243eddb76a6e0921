"""Commands that only read: `list`, `show`, `resolve`, `history`."""

from __future__ import annotations

from enum import Enum

from artreg.cli import documents
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Fields, Line, Table, Tone, figure, human_bytes, plural
from artreg.core.names import Alias, ModelName, Reference, is_alias
from artreg.errors import IntegrityError, InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Annotated, Any

    from artreg.core.allowed_signers import SignedBy
    from artreg.registry.catalog import ModelSummary, VersionDetails
    from artreg.registry.history import Head
    from artreg.registry.resolve import Resolved
    from artreg.registry.signatures import Claim


class Provenance(Enum):
    """The predicates in which a version's origin can be told."""

    SLSA = "slsa"


def list_(
    session: Session,
    model: Annotated[str | None, Argument(help="[PROJECT/]MODEL; all by default", complete="models")] = None,
) -> None:
    """List models, or the versions of one, with what points where.

    Examples: artreg list; artreg list churn; artreg list --json
    """
    from artreg.registry.catalog import catalog

    summaries = catalog(session.registry, None if model is None else session.model(model))
    session.output.result(
        lambda: {"models": [documents.model_summary(summary) for summary in summaries]},
        lambda: _models_view(session, summaries) if model is None else _versions_view(summaries[0]),
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

        session.output.document(slsa_statement(read_origin(session.registry, session.reference(reference))))
        return
    result = details(session.registry, session.reference(reference))
    warn(session, result.found)
    wanted = session.signed_by([], session.settings.allowed_signers)
    known = None if wanted is None else wanted.allowed
    found = claims(session.registry, result.found.model, result.found.version, result.found.digest, known)
    session.output.result(documents.version_details(result, found), _details_view(result, found))


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


def history(
    session: Session,
    subject: Annotated[str, Argument(help="[PROJECT/]MODEL, MODEL@ALIAS, or ALIAS", complete="references")],
    limit: Annotated[int, Option("--limit", "-n", least=0, help="At most so many records an alias; 0 for all")] = 20,
    at: Annotated[
        str | None, Option("--at", metavar="TIME", help="What was held then, such as 2026-03-01T12:00Z")
    ] = None,
    verify: Annotated[
        bool, Option("--verify", help="Check the whole chain of records, their signatures, and what they pin")
    ] = False,
    signed_by: Annotated[
        list[str] | None, Option("--signed-by", metavar="NAME", help="With --verify: such a one must have moved it")
    ] = None,
    allowed_signers: Annotated[
        str | None,
        Option(
            "--allowed-signers", metavar="FILE", help="Whose keys count, as OpenSSH has it [ARTREG_ALLOWED_SIGNERS]"
        ),
    ] = None,
) -> None:
    """Tell who moved an alias when, from where to where, and why; newest first.

    With --verify every record must follow from the one before it, every version must still be what was pinned, and
    every signature must be good, also where the policy that was in force demands one. With --signed-by the move that
    holds must bear a signature that counts, which vouches for all before it.

    Examples: artreg history prod; artreg history churn@prod --at 2026-03-01T12:00Z; artreg history churn --verify;
    artreg history churn@prod --verify --signed-by carol@example.com --allowed-signers signers
    """
    from itertools import islice

    from artreg.registry.history import at as held_at
    from artreg.registry.history import records, require_head

    moved_by = session.signed_by(signed_by or [], allowed_signers)
    if moved_by is not None and not verify:
        raise InvalidInput("only a verification asks for signatures", hint="add --verify")
    session.registry.store.require_root()
    model, aliases = _histories(session, subject)
    moment = None if at is None else parse_time(at)
    heads: list[Head] = []
    for alias in aliases:
        require_head(session.registry, model, alias)
        if moment is not None:
            head = held_at(session.registry, model, alias, moment)
            heads += [] if head is None else [head]
        else:
            found = list(islice(records(session.registry, model, alias), None if verify else limit or None))
            if verify:
                _prove(session, model, found, moved_by)
            heads += found
    heads.sort(key=lambda head: (head.record.time, head.record.generation), reverse=True)
    document: dict[str, Any] = {"records": [head.record.document() for head in heads]}
    if moment is not None:
        session.output.result({**document, "at": at}, _held_view(model, heads, at or ""))
        return
    blocks: list[Block] = [_history_view(model, heads)]
    if verify:
        document["verified"] = True
        signed = sum(head.record.signature is not None for head in heads)
        document["signed"] = signed
        words = f"{plural(len(heads), 'record')}, each follows from the one before it"
        words += f", {signed} signed" if signed else ""
        blocks.append(Line(words, Tone.GOOD))
    session.output.result(document, blocks)


def _prove(session: Session, model: ModelName, heads: list[Head], moved_by: SignedBy | None) -> None:
    from artreg.registry.check_history import check_policies, history_faults

    in_force, policies = check_policies(session.registry)
    faults = [f"{problem.file}: {problem.problem}" for checked in policies for problem in checked.problems]
    faults += history_faults(session.registry, model, heads, in_force, moved_by)
    if faults:
        raise IntegrityError(
            "; ".join(faults[:5]), hint="compare with a copy; artreg verify looks at everything", problems=faults
        )


def parse_time(text: str) -> datetime:
    """Read a moment; without a time zone it is taken for UTC.

    Raises:
        InvalidInput: It is none.
    """
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a time", hint="write it as 2026-03-01T12:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def warn(session: Session, found: Resolved) -> None:
    """Say by the way why a version should not be used any more, if so."""
    if found.warning:
        session.output.note(f"warning: {found.warning}")


def _histories(session: Session, subject: str) -> tuple[ModelName, list[Alias]]:
    from artreg.registry.versions import list_aliases, list_models, require_model

    if "@" not in subject and not subject.startswith("models:/"):
        model = session.model(subject)
        if is_alias(subject) and model not in list_models(session.registry.store):
            return session.model_with(Alias(subject)), [Alias(subject)]
        require_model(session.registry, model)
        return model, [Alias(name) for name in list_aliases(session.registry.store, model)]
    reference = Reference.parse(subject, session.settings.project)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(
            f"{subject!r} names no alias", hint="only aliases have a history: write churn@prod, or churn"
        )
    return reference.model, [reference.target]


def _models_view(session: Session, summaries: list[ModelSummary]) -> list[Block]:
    if not summaries:
        return [Line(f"{session.registry.store.url} holds no models yet; artreg train or artreg publish makes one")]
    rows = []
    for summary in summaries:
        newest = str(summary.versions[0].version) if summary.versions else "-"
        where = ", ".join(f"{alias} {version}" for alias, version in summary.aliases.items()) or "-"
        rows.append((str(summary.model), str(len(summary.versions)), newest, where))
    return [Table(("model", "versions", "highest", "aliases"), tuple(rows), numeric=frozenset({1}))]


def _versions_view(summary: ModelSummary) -> list[Block]:
    rows = tuple(
        (
            str(version.version),
            ", ".join([*version.aliases, *(["yanked"] if version.yanked else [])]),
            version.created.isoformat(" ", "minutes").partition("+")[0],
            str(version.files),
            human_bytes(version.bytes),
        )
        for version in summary.versions
    )
    if not rows:
        return [Line(f"{summary.model} has no versions")]
    columns = ("version", "aliases", "published (UTC)", "files", "size")
    return [Table(columns, rows, title=str(summary.model), numeric=frozenset({3, 4}))]


def _details_view(result: VersionDetails, signatures: Sequence[Claim]) -> list[Block]:
    run = result.run
    rows = [
        ("aliases", ", ".join(result.aliases) or "none"),
        ("digest", result.found.digest),
        ("path", result.found.path),
        ("published", f"{run.published_at} by {run.published_by}"),
        *_verified_rows(result),
        *(("signed", _claim_text(claim)) for claim in signatures),
    ]
    rows += _axes_rows(run.axes)
    blocks: list[Block] = [Line(str(result.found), Tone.STRONG), Fields(tuple(rows))]
    numbers = [(key, value) for key, value in (result.metrics or {}).items() if isinstance(value, int | float)]
    if numbers:
        cells = tuple((key, figure(value)) for key, value in numbers)
        blocks.append(Table(("metric", "value"), cells, numeric=frozenset({1})))
    files = tuple((name, human_bytes(size)) for name, size in sorted(result.files.items()))
    blocks.append(Table(("file", "size"), files, numeric=frozenset({1})))
    return blocks


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


def _held_view(model: ModelName, heads: list[Head], at: str) -> list[Block]:
    if not heads:
        return [Line(f"{model} held nothing at {at}")]
    return [
        Line(f"{model}@{head.record.alias} was {head.record.version or 'nothing'} at {at}, since {head.record.time}")
        for head in heads
    ]


def _history_view(model: ModelName, heads: list[Head]) -> Table:
    rows = tuple(_history_row(head) for head in heads)
    columns = ("when (UTC)", "alias", "gen", "action", "move", "who", "gates", "why")
    return Table(columns, rows, title=str(model), numeric=frozenset({2}))


def _history_row(head: Head) -> tuple[str, ...]:
    record = head.record
    overridden = [verdict.gate for verdict in record.gates if not verdict.passed]
    gates = f"{len(record.gates) - len(overridden)}/{len(record.gates)}" if record.gates else "-"
    forced = f"forced over {', '.join(overridden)}: " if overridden else ""
    return (
        record.time.replace("T", " ")[:19],
        str(record.alias),
        str(record.generation),
        record.action.value,
        f"{record.previous_version or '-'} → {record.version or '-'}",
        record.who,
        gates,
        forced + record.why,
    )
