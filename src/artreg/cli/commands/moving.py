"""Commands that move an alias: `promote`, `rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from artreg.cli import completion, documents
from artreg.cli.common import register, session_of
from artreg.cli.output import gates_table
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Tone
from artreg.core.names import Alias, Reference, parse_target
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.registry.move import Moved

Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the record")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, but move nothing")]


def promote(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="[PROJECT/]MODEL", autocompletion=completion.models)],
    version: Annotated[
        str, typer.Argument(help="VERSION, or an alias that holds it", autocompletion=completion.versions)
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", help="The alias to move, such as staging or prod", autocompletion=completion.policy_aliases
        ),
    ],
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Point an alias at a version, if it is whole and every gate lets it pass.

    Verifies each file of the version against its checksum, asks the gates of the policy, and moves the alias in one
    atomic step: of several who try at once exactly one succeeds, and the others change nothing.

    Examples: artreg promote churn 1.2.1 --to staging; artreg promote churn staging --to prod --reason "Q3 release"
    """
    from artreg.registry.promote import promote as run
    from artreg.registry.resolve import resolve

    session = session_of(context)
    name, alias, target = session.model(model), Alias(to), parse_target(version)
    session.registry.store.require_root()
    number = target if isinstance(target, Version) else resolve(session.registry, Reference(name, target)).version
    moved = run(
        session.registry,
        name,
        number,
        alias,
        session.policy,
        reason=reason,
        dry_run=dry_run,
        reporter=session.output.reporter,
    )
    _show(session, moved)


def rollback(
    context: typer.Context,
    alias: Annotated[str, typer.Argument(help="ALIAS, or [PROJECT/]MODEL@ALIAS", autocompletion=completion.aliases)],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model, where several have such an alias [ARTREG_MODEL]",
            autocompletion=completion.models,
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="A version that the alias held before; else the one before this")
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Point an alias back at what it held before.

    Verifies that version first. Rolling back twice goes one further back, not forward again.

    Examples: artreg rollback prod; artreg rollback churn@prod --to 1.1.0 --reason "1.2.0 is slow"
    """
    from artreg.registry.rollback import rollback as run

    session = session_of(context)
    session.registry.store.require_root()
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
        blocks.append(gates_table([verdict.document() for verdict in record.gates]))
    session.output.result(documents.moved(moved), blocks)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    codes = ("integrity", "not_found", "conflict", "storage")
    register(app, "promote", promote, "gate_rejected", *codes)
    register(app, "rollback", rollback, *codes)
