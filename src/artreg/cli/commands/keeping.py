"""Commands that keep a registry whole, and take from it: `verify`, `pull`, `gc`, `init`, `doctor`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.cached import NoCacheOption, OfflineOption
from artreg.cli.commands.reading import warn
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.cli.work import BackendOption, JobsOption, SchedulerOption, workers_of
from artreg.core.names import ModelName, Reference
from artreg.core.wording import human_bytes, plural
from artreg.errors import IntegrityError, InvalidInput, NotFound, StorageError, exit_code
from artreg.workers import Backend

if TYPE_CHECKING:
    from artreg.core.selection import Selection
    from artreg.registry.verify import Report
    from artreg.store.interface import Finding


def verify(
    session: Session,
    what: Annotated[
        str | None,
        Argument(
            help="MODEL, MODEL@VERSION, MODEL@ALIAS, or PROJECT/; everything by default",
            complete="references",
        ),
    ] = None,
    quick: Annotated[bool, Option("--quick", help="Look only at the presence and size of files")] = False,
    deep: Annotated[
        bool, Option("--deep", help="Also cross histories, logs, marks, policies and data with one another")
    ] = False,
    every: Annotated[bool, Option("--all", help="Everything, as without a name")] = False,
    since: Annotated[
        str | None, Option("--since", metavar="AGE", help="Only what was not verified for so long: 24h, 7d")
    ] = None,
    sample: Annotated[str | None, Option("--sample", metavar="SHARE", help="Only so many, drawn anew: 5%")] = None,
    subset: Annotated[
        str | None, Option("--subset", metavar="N/M", help="Only the third of seven shares, say: 3/7")
    ] = None,
    record: Annotated[bool, Option("--record", help="Remember in the registry when each was verified")] = False,
    signed_by: Annotated[
        list[str] | None, Option("--signed-by", metavar="NAME", help="Each version must be signed by such a one")
    ] = None,
    allowed_signers: Annotated[
        Path | None,
        Option(
            "--allowed-signers", metavar="FILE", help="Whose keys count, as OpenSSH has it [ARTREG_ALLOWED_SIGNERS]"
        ),
    ] = None,
    public_key: Annotated[
        Path | None, Option("--public-key", metavar="FILE", help="Each version must be signed by this key")
    ] = None,
    jobs: JobsOption = None,
    backend: BackendOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Check every byte against its checksum, and every checksum against the records that pin it.

    --since, --sample and --subset choose among the versions of a model, a project or the whole registry, each of which
    must hold; the histories are checked in any case. --since goes by what --record left behind. With --jobs and
    --backend versions are checked side by side, also on a cluster, whose machines must reach the registry's root.
    With --signed-by, --allowed-signers or --public-key each version must also bear a signature that counts.

    Examples: artreg verify; artreg verify churn@prod; artreg verify --all --since 7d --record;
    artreg verify --subset 3/7 --jobs 8; artreg verify --all --backend dask --scheduler tcp://host:8786;
    artreg verify churn@prod --signed-by alice@example.com --allowed-signers signers
    """
    from artreg.registry.verify import verify as run

    scope, only = _scope(session, what), _selection(session, since, sample, subset)
    if every and what is not None:
        raise InvalidInput("--all stands alone", hint="leave it out, or the name")
    if isinstance(scope, Reference) and (record or not only.everything):
        raise InvalidInput("one version is verified whole, and not recorded", hint="name its model, or nothing")
    if isinstance(scope, Reference) and deep:
        raise InvalidInput("--deep crosses what a whole model says", hint="name its model, or nothing")
    if quick and record:
        raise InvalidInput("a quick look is no verification to record", hint="leave out --quick or --record")
    report = run(
        session.registry,
        scope,
        quick=quick,
        deep=deep,
        only=only,
        record=record,
        signed_by=session.signed_by(signed_by or [], allowed_signers, public_key),
        workers=workers_of(jobs, backend, scheduler, Backend.THREADS),
        reporter=session.output.reporter,
    )
    document = documents.verified(report)
    if report.ok:
        session.output.result(document, _report_view(report))
    else:
        error = _failure(report)
        session.output.result({**document, "error": error_document(error)}, _report_view(report))
        raise Exit(exit_code(error))


def _failure(report: Report) -> IntegrityError:
    wrong = [checked for checked in report.checked if not checked.ok]
    damaged = [checked.ref for checked in wrong if not checked.unsigned]
    if damaged:
        return IntegrityError(f"damaged: {', '.join(damaged)}", hint="restore it from a copy, or use another version")
    unsigned = ", ".join(checked.ref for checked in wrong)
    return IntegrityError(f"not signed by whom it must be: {unsigned}", hint="artreg sign makes a signature")


def pull(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@ALIAS or @VERSION", complete="references")],
    out: Annotated[Path | None, Option("--out", "-o", help="The folder to make; by default MODEL-VERSION here")] = None,
    offline: OfflineOption = False,
    no_cache: NoCacheOption = False,
    link: Annotated[
        bool, Option("--link", help="Let the files be those of the cache, by hard links: they must not be written to")
    ] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be pulled")] = False,
) -> None:
    """Copy a version into a folder; it appears there whole and verified, or not at all.

    What lies in a bucket is kept in a cache on this machine, by the digests of the files: what the cache has is not
    fetched again. With --offline nothing is fetched, and an alias means what it meant when it was last pulled.

    Examples: artreg pull churn@prod -o model/; artreg pull churn@1.2.1; artreg pull churn@prod -o model/ --offline
    """
    from artreg.consuming.pull import pull as run
    from artreg.consuming.remembering import resolve
    from artreg.store.factory import open_store

    consumer = session.consumer(no_cache=no_cache, offline=offline)
    known = resolve(consumer, session.reference(reference, consumer))
    found = known.found
    warn(session, found)
    if known.note:
        session.output.note(known.note)
    target = (out or Path(f"{found.model.model}-{found.version}")).absolute()
    if not target.name:
        raise InvalidInput(f"{out} cannot be the folder to make", hint="name a folder that is not there yet")
    into = open_store(str(target.parent))
    if not dry_run:
        into.make_root()
    result = run(consumer, found, into, target.name, link=link, dry_run=dry_run, reporter=session.output.reporter)
    for note in result.notes:
        session.output.note(note)
    verb = "would be pulled" if dry_run else "pulled" if result.created else "is there already, whole:"
    summary = f"{result.source} {verb} {'in' if not result.created else 'to'} {result.path}"
    size = f"{plural(result.files, 'file')}, {human_bytes(result.bytes)}, verified"
    document = {**documents.pulled(result, dry_run=dry_run), "as_of": known.as_of or None}
    session.output.result(document, [Line(summary, Tone.GOOD), Line(size)])


def gc(
    session: Session,
    older_than: Annotated[
        str, Option("--older-than", help="Leave alone what was written more recently: 90s, 15m, 24h, 7d")
    ] = "24h",
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be removed")] = False,
) -> None:
    """Remove what dead publishers left behind, and set pointers that a crash left stale.

    No version that exists is ever touched. The number of an unfinished version that is ended here is spent.

    Examples: artreg gc --dry-run; artreg gc --older-than 7d
    """
    from artreg.registry.gc import collect

    result = collect(session.registry, older_than=age(older_than), dry_run=dry_run)
    verb = "would be " if dry_run else ""
    blocks: list[Block] = [
        Line(f"{verb}removed: {removed.what} ({human_bytes(removed.bytes)})") for removed in result.removed
    ]
    blocks += [Line(f"pointer {verb}set: {name}") for name in result.healed]
    session.output.result(documents.collected(result), blocks or [Line("nothing to do", Tone.GOOD)])


def init(
    session: Session,
    dry_run: Annotated[bool, Option("--dry-run", help="Look whether the root is there, but make nothing")] = False,
) -> None:
    """Make a registry root ready: make the folder where it is missing, and prove that nothing written there is lost.

    A bucket must be there already; it is never made. What is proven is that a write can be made conditional on nothing
    being there, which everything else rests on.

    Examples: artreg init; artreg init --registry s3://models/registry
    """
    from artreg.registry.doctor import initialise

    url = session.registry.store.url
    if dry_run:
        there = _is_there(session)
        text = f"{url} is there" if there else f"{url} would be made"
        session.output.result({"registry": url, "exists": there, "dry_run": True}, [Line(text)])
        return
    initialise(session.registry)
    session.output.result({"registry": url, "dry_run": False}, [Line(f"{url} is ready", Tone.GOOD)])


def _is_there(session: Session) -> bool:
    try:
        session.registry.store.require_root()
    except NotFound:
        return False
    return True


def doctor(session: Session) -> None:
    """Tell whether a registry root can be relied on: readable, writable, conditional writes, clock, leftovers.

    Examples: artreg doctor; artreg doctor --registry s3://models/registry --json
    """
    from artreg.registry.doctor import diagnose

    findings = list(diagnose(session.registry))
    failed = [finding for finding in findings if not finding.ok]
    document = {
        "ok": not failed,
        "registry": session.registry.store.url,
        "findings": [documents.finding(f) for f in findings],
    }
    if failed:
        error = StorageError(f"not in order: {', '.join(finding.check for finding in failed)}")
        session.output.result({**document, "error": error_document(error)}, _findings_view(findings))
        raise Exit(exit_code(error))
    session.output.result(document, _findings_view(findings))


def age(text: str) -> timedelta:
    """Return the age that a person means."""
    from artreg.core.ages import parse_age

    try:
        return parse_age("0s" if text == "0" else text)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _selection(session: Session, since: str | None, sample: str | None, subset: str | None) -> Selection:
    from artreg.core.selection import Selection, parse_share, parse_subset

    return Selection(
        since=None if since is None else age(since),
        sample=None if sample is None else parse_share(sample),
        salt=session.registry.new_id(),
        subset=None if subset is None else parse_subset(subset),
    )


def _scope(session: Session, what: str | None) -> Reference | ModelName | str | None:
    if what is None:
        return None
    if "@" in what or what.startswith("models:/"):
        return Reference.parse(what, session.settings.project)
    return what.removesuffix("/") if what.endswith("/") else session.model(what)


def _report_view(report: Report) -> list[Block]:
    rows = tuple(
        (
            "ok" if checked.ok else "UNSIGNED" if checked.unsigned else "DAMAGED",
            checked.ref,
            str(checked.files),
            human_bytes(checked.bytes),
            "; ".join(f"{problem.file}: {problem.problem}" for problem in checked.problems),
        )
        for checked in report.checked
    )
    blocks: list[Block] = (
        [Table(("", "checked", "files", "size", "problems"), rows, numeric=frozenset({2, 3}))] if rows else []
    )
    blocks += [Line(f"{name} is being published, or was never finished", Tone.DIM) for name in report.unfinished]
    blocks += [Line(f"note: {note}", Tone.DIM) for note in report.notes]
    damaged = sum(not checked.ok for checked in report.checked)
    total = human_bytes(sum(checked.bytes for checked in report.checked))
    if report.left_out:
        blocks.append(Line(f"{plural(report.left_out, 'version')} left out this time", Tone.DIM))
    if damaged:
        unsigned = all(checked.ok or checked.unsigned for checked in report.checked)
        how = "not signed by whom it must be" if unsigned else "damaged"
        blocks.append(Line(f"{damaged} of {plural(len(rows), 'item')} {how}", Tone.BAD))
    else:
        blocks.append(
            Line(f"all {plural(len(rows), 'item')} whole, {total}" if rows else "nothing to verify", Tone.GOOD)
        )
    return blocks


def _findings_view(findings: list[Finding]) -> list[Block]:
    rows = tuple(
        (
            "ok" if finding.ok else "FAIL",
            finding.check,
            finding.message + (f" ({finding.hint})" if finding.hint else ""),
        )
        for finding in findings
    )
    return [Table(("", "check", "what was seen"), rows)]
