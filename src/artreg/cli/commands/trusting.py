"""Commands about how far an alias is to be believed: `confirm`, `forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.commands.judging import AliasReference, Model, Reason, alias_of
from artreg.cli.commands.moving import DryRun, SignKey
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.core.names import Alias, Reference
from artreg.errors import InvalidInput

if TYPE_CHECKING:
    from artreg.registry.seen import Memory, Seen


def confirm(
    session: Session,
    alias: AliasReference,
    model: Model = None,
    reason: Reason = "",
    sign_key: SignKey = None,
    dry_run: DryRun = False,
) -> None:
    """Say that an alias still stands where it does, for consumers who ask how old the last word is (max_age).

    Run it as often as they ask, by whoever may move the alias, with a key where they ask for signatures.

    Examples: artreg confirm prod; artreg confirm churn@prod --sign-key ~/.ssh/id_ed25519
    """
    from artreg.registry.confirm import confirm as run

    session.sign_with(sign_key)
    name, target = alias_of(session, alias, model)
    moved = run(session.registry, name, target, session.policy, reason, dry_run=dry_run)
    record = moved.record
    words = f"{record.model}@{record.alias} {'would be' if dry_run else 'is'} confirmed at {record.version}"
    session.output.result(documents.moved(moved), [Line(f"{words}, generation {record.generation}", Tone.GOOD)])


def forget(
    session: Session,
    reference: Annotated[str | None, Argument(help="[PROJECT/]MODEL@ALIAS", complete="references")] = None,
    everything: Annotated[bool, Option("--all", help="All that was seen of this registry")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be forgotten")] = False,
) -> None:
    """Forget which record of an alias you have seen: the next look counts as the first.

    For a registry that was set back on purpose, such as by restoring a backup. Make sure of that first: an older state
    is just what somebody shows you who wants you to run an old version. Nothing in the registry is changed.

    Examples: artreg forget churn@prod; artreg forget --all
    """
    memory = session.memory
    if memory is None:
        raise InvalidInput("nothing is remembered here", hint="the setting seen says where: seen: auto, or a folder")
    if (reference is None) != everything:
        raise InvalidInput("what is to be forgotten?", hint="artreg forget MODEL@ALIAS, or --all")
    found = list(memory.all()) if reference is None else _one(memory, session, reference, dry_run)
    if not dry_run:
        for seen in found:
            memory.forget(seen.model, seen.alias)
    verb = "would be forgotten" if dry_run else "is forgotten"
    lines = [f"{seen.model}@{seen.alias}, generation {seen.generation}, seen at {seen.time}, {verb}" for seen in found]
    document = {"forgotten": [seen.document() for seen in found], "dry_run": dry_run}
    session.output.result(document, [Line(line, Tone.GOOD) for line in lines or ["nothing was remembered"]])


def _one(memory: Memory, session: Session, text: str, dry_run: bool) -> list[Seen]:
    reference = Reference.parse(text, session.settings.project)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(f"{text!r} names no alias", hint="only aliases move: write churn@prod")
    look = memory.recall if dry_run else memory.forget  # which minds no damage
    seen = look(reference.model, reference.target)
    return [] if seen is None else [seen]
