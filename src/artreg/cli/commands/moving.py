"""Commands that move an alias: `promote`, `rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from artreg.cli import documents
from artreg.cli.checklist import checklist
from artreg.cli.commands.checking import version_of
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Tone
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.registry.move import Moved

Reason = Annotated[str, Option("--reason", help="Why; stands in the record")]
SignKey = Annotated[
    Path | None, Option("--sign-key", metavar="FILE", help="The SSH key to sign the record with [ARTREG_SIGNING_KEY]")
]
DryRun = Annotated[bool, Option("--dry-run", help="Check everything, but move nothing")]


def promote(
    session: Session,
    model: Annotated[str | None, Argument(help="[PROJECT/]MODEL", complete="models", show_default=False)] = None,
    version: Annotated[
        str | None,
        Argument(help="VERSION, or an alias that holds it", complete="versions", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        Option("--to", help="The alias to move, such as staging or prod", complete="policy_aliases"),
    ] = None,
    plan: Annotated[Path | None, Option("--plan", help="A file with several moves, made together")] = None,
    reason: Reason = "",
    expect: Annotated[
        str | None,
        Option(
            "--expect",
            metavar="VERSION",
            help="Refuse unless the alias holds this version now",
            complete="numbers",
        ),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="Move although gates say no, where the policy allows it to you")
    ] = False,
    sign_key: SignKey = None,
    dry_run: DryRun = False,
) -> None:
    """Point an alias at a version, if it is whole and every gate lets it pass.

    Verifies each file of the version against its checksum, asks the gates of the policy, and moves the alias in one
    atomic step: of several who try at once exactly one succeeds, and the others change nothing.

    Examples: artreg promote churn 1.2.1 --to staging; artreg promote churn staging --to prod --expect 1.2.0;
    artreg promote --plan release.yaml
    """
    session.sign_with(sign_key)
    if plan is not None:
        if model or version or to or expect or force:
            raise InvalidInput("--plan stands alone", hint="the plan names models, versions and aliases")
        _release(session, plan, reason, dry_run)
        return
    if not (model and version and to):
        given = {"MODEL": model, "VERSION": version, "--to": to}
        missing = ", ".join(name for name, value in given.items() if not value)
        raise InvalidInput(
            f"{missing} missing or empty", hint="artreg promote MODEL VERSION --to ALIAS, or --plan FILE"
        )
    _promote(session, session.model(model), version, Alias(to), reason, expect, force, dry_run)


def _promote(
    session: Session,
    model: ModelName,
    version: str,
    alias: Alias,
    reason: str,
    expect: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    from artreg.instruments import INSTRUMENTS
    from artreg.registry.promote import promote as run

    moved = run(
        session.registry,
        model,
        version_of(session, model, version),
        alias,
        session.policy,
        reason=reason,
        force=force,
        expect=None if expect is None else Version.parse(expect),
        dry_run=dry_run,
        instruments=INSTRUMENTS,
        policy_now=session.policy_now,
        reporter=session.output.reporter,
    )
    _show(session, moved)


def _release(session: Session, plan: Path, reason: str, dry_run: bool) -> None:
    from artreg.core.release_plan import parse_plan
    from artreg.instruments import INSTRUMENTS
    from artreg.registry.release import Step, release
    from artreg.yamldoc import read_yaml

    parsed = parse_plan(read_yaml(plan, "plan"), str(plan))
    models = [session.model(move.model) for move in parsed.moves]
    steps = [
        Step(model, version_of(session, model, move.version), Alias(move.to))
        for model, move in zip(models, parsed.moves, strict=True)
    ]
    moved = release(
        session.registry,
        steps,
        session.policy,
        reason=reason or parsed.reason,
        dry_run=dry_run,
        instruments=INSTRUMENTS,
        policy_now=session.policy_now,
        reporter=session.output.reporter,
    )
    blocks = [block for step in moved for block in _view(step)]
    session.output.result({"moves": [documents.moved(step) for step in moved], "dry_run": dry_run}, blocks)


def rollback(
    session: Session,
    alias: Annotated[str, Argument(help="ALIAS, or [PROJECT/]MODEL@ALIAS", complete="aliases")],
    model: Annotated[
        str | None,
        Option(
            "--model",
            "-m",
            help="The model, where several have such an alias [ARTREG_MODEL]",
            complete="models",
        ),
    ] = None,
    to: Annotated[
        str | None,
        Option(
            "--to",
            metavar="VERSION",
            help="A version that the alias held before; else the one before this",
            complete="numbers",
        ),
    ] = None,
    reason: Reason = "",
    sign_key: SignKey = None,
    dry_run: DryRun = False,
) -> None:
    """Point an alias back at what it held before.

    Verifies that version first. Rolling back twice goes one further back, not forward again.

    Examples: artreg rollback prod; artreg rollback churn@prod --to 1.1.0 --reason "1.2.0 is slow"
    """
    from artreg.registry.rollback import rollback as run

    session.sign_with(sign_key)
    if model is not None:
        reference = Reference(session.model(model), Alias(alias.rpartition("@")[2]))
    else:
        reference = session.reference(alias)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(f"{alias!r} is not an alias", hint="name an alias, such as prod or churn@prod")
    moved = run(
        session.registry,
        reference.model,
        reference.target,
        session.policy,
        to=None if to is None else Version.parse(to),
        reason=reason,
        dry_run=dry_run,
        reporter=session.output.reporter,
    )
    _show(session, moved)


def _show(session: Session, moved: Moved) -> None:
    session.output.result(documents.moved(moved), _view(moved))


def _view(moved: Moved) -> list[Block]:
    record = moved.record
    before = f" (was {record.previous_version})" if record.previous_version else ""
    if not moved.changed:
        summary = f"{record.model}@{record.alias} is {record.version} already: nothing to do"
    elif moved.dry_run:
        summary = f"{record.model}@{record.alias} would become {record.version}{before}"
    else:
        summary = f"{record.model}@{record.alias} is now {record.version}{before}, generation {record.generation}"
    blocks: list[Block] = [Line(summary, Tone.GOOD)]
    if moved.changed and record.gates:
        blocks.append(checklist([verdict.document() for verdict in record.gates]))
    overridden = [verdict.gate for verdict in record.gates if not verdict.passed]
    if moved.changed and overridden:
        blocks.append(Line(f"forced over {', '.join(overridden)}", Tone.BAD))
    return blocks
