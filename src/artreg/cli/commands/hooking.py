"""Commands for hooks: `hooks list`, `hooks test`, `hooks flush`, `hooks skip`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from artreg.cli import hook_documents as documents
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.session import Session
from artreg.cli.settings import HOOKS_FILE
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.names import Alias, ModelName
from artreg.core.wording import plural
from artreg.errors import EXIT_CODES, InvalidInput, StorageError

if TYPE_CHECKING:
    from artreg.core.told import Skipped
    from artreg.hooks.config import Hook, Hooks
    from artreg.hooks.several import Flushed
    from artreg.hooks.survey import Surveyed, Waiting
    from artreg.hooks.turns import Turns

NAME = Argument(metavar="NAME", help="The hook, as the hooks file names it", complete="hooks", show_default=False)
AliasReference = Annotated[str, Argument(metavar="ALIAS", help="ALIAS, or [PROJECT/]MODEL@ALIAS", complete="aliases")]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would be done, but send and keep nothing")]

_SKIPS = 3  # times that events of an alias were passed over, which are shown; with --json it is all that are kept
_NOT_DELIVERED = EXIT_CODES[StorageError.code]


def list_(session: Session) -> None:
    """Show the hooks: where each goes, how many events it is still to be told, and what stands in the way.

    Examples: artreg hooks list; artreg hooks list --json
    """
    from artreg.hooks.survey import survey

    hooks = _read(session)
    found = [survey(session.registry, hook, os.environ) for hook in hooks.named(None)]
    session.output.result({"hooks": [documents.surveyed(one) for one in found]}, lambda: _listed(found))


def try_out(
    session: Session,
    name: Annotated[str, NAME],
    of: Annotated[
        str | None, Option("--of", metavar="ALIAS", help="The alias that the event names", complete="aliases")
    ] = None,
) -> None:
    """Send a hook an event that is marked as a test and tells of no move, and say how it was answered.

    Its type is dev.cdeventsx.artreg-hook.tested.0.1.0, and its data hold "test": true; nothing is kept of it, and what
    is due stays due. If it is not taken, that is exit code 8.

    Examples: artreg hooks test deploy; artreg hooks test deploy --of churn@prod --json
    """
    from artreg.hooks.event import sample_event, source_of
    from artreg.hooks.refusal import Refused
    from artreg.hooks.sending import sender
    from artreg.registry.history import find_head

    hooks = _read(session)
    (hook,) = hooks.named(name)
    model, alias = _alias(session, of) if of is not None else _sample(session, hook)
    head = find_head(session.registry, model, alias)
    send = sender(hook, os.environ)
    source = source_of(session.registry, hooks.source)
    event = sample_event(session.registry, source, model, alias, head.record if head else None)
    try:
        answer, delivered = send(event), True
    except Refused as refused:
        answer, delivered = refused.message, False
    line = f"{hook.name} {'took it' if delivered else 'did not take it'}: {answer}"
    document = {
        "hook": hook.name,
        "target": hook.target,
        "id": event.id,
        "type": event.type,
        "delivered": delivered,
        "answer": answer,
    }
    session.output.result(document, [Line(line, Tone.GOOD if delivered else Tone.BAD)])
    if not delivered:
        raise Exit(_NOT_DELIVERED)


def flush(
    session: Session,
    name: Annotated[str | None, NAME] = None,
    leave: Annotated[
        bool, Option("--leave", help="Leave a hook to another flush of this machine that waits for its turn already")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Deliver what is due, to one hook or to all of them, and wait until that is done.

    A move begins one by itself, which nobody waits for. What cannot be delivered within the time that its hook says
    stays due, and is exit code 8.

    Examples: artreg hooks flush; artreg hooks flush deploy --json; artreg hooks flush --dry-run
    """
    from artreg.hooks.event import source_of
    from artreg.hooks.several import Flusher
    from artreg.hooks.survey import survey

    turns = _turns(session)
    hooks = _read(session, turns)
    chosen = hooks.named(name)
    if dry_run:
        due = [survey(session.registry, hook, os.environ) for hook in chosen]
        session.output.result(
            {"hooks": [documents.surveyed(one) for one in due], "dry_run": True}, lambda: _listed(due)
        )
        return

    def waits(hook: Hook) -> None:
        session.output.note(f"{hook.name}: another flush of this machine is under way; waiting for it")

    source = source_of(session.registry, hooks.source)
    flusher = Flusher(session.registry, source, os.environ, turns, leave, waits=waits)
    done = flusher.flush(chosen)
    turns.forget_others(hooks.hooks)
    ok = all(one.ok for one in done)
    document = {"hooks": [documents.flushed(one) for one in done], "ok": ok, "dry_run": False}
    session.output.result(document, lambda: _flushed(done))
    if not ok:
        raise Exit(_NOT_DELIVERED)


def skip(
    session: Session,
    name: Annotated[str, NAME],
    alias: AliasReference,
    every: Annotated[bool, Option("--all", help="All that are due, not only the next one")] = False,
    reason: Annotated[str, Option("--reason", help="Why; it is kept and shown")] = "",
    dry_run: DryRun = False,
) -> None:
    """Pass over an event that a hook is never to be told, such as one that its receiver will not take.

    It is the next one that is due of an alias, which all later ones of that alias wait for. Who passed over it, when
    and why is kept, and `artreg hooks list` shows it.

    Examples: artreg hooks skip deploy churn@prod --reason "the receiver is gone"; artreg hooks skip deploy churn@prod
    --all --dry-run
    """
    from artreg.hooks.telling import Lane
    from artreg.hooks.telling import skip as run

    (hook,) = _read(session).named(name)
    lane = Lane(hook, *_alias(session, alias))
    skipped = run(session.registry, lane, reason, every=every, dry_run=dry_run)
    numbers = [head.record.generation for head in skipped]
    document = {
        "hook": hook.name,
        "project": lane.model.project,
        "model": lane.model.model,
        "alias": str(lane.alias),
        "skipped": numbers,
        "dry_run": dry_run,
    }
    verb = "would be passed over" if dry_run else "passed over"
    session.output.result(document, [Line(f"{plural(len(numbers), 'event')} of {lane} {verb}", Tone.GOOD)])


def _read(session: Session, turns: Turns | None = None) -> Hooks:
    """Read the hooks file, and let moves know that it is good."""
    from artreg.hooks.config import read_hooks
    from artreg.hooks.turns import LARGEST
    from artreg.plainfile import read_plain

    file = session.hooks_file
    if file is None:
        raise InvalidInput(f"there are no hooks: there is no {HOOKS_FILE}", hint="write one: see docs/hooks.md")
    hooks = read_hooks(file, session.settings.project)
    if turns is not None:
        turns.know(read_plain(file, LARGEST))
    return hooks


def _turns(session: Session) -> Turns:
    from artreg.hooks.turns import Turns

    return Turns(session.place)


def _alias(session: Session, text: str) -> tuple[ModelName, Alias]:
    reference = session.reference(text)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(f"{text!r} is not an alias", hint="only aliases move: write churn@prod")
    return reference.model, reference.target


def _sample(session: Session, hook: Hook) -> tuple[ModelName, Alias]:
    """Return an alias that a hook is told of, even if there is none yet."""
    from artreg.hooks.telling import lanes

    found = lanes(session.registry, hook)
    if found:
        return found[0].model, found[0].alias
    model = min(hook.models, default=ModelName(session.settings.project, "example"))
    return model, min(hook.aliases, default=Alias("prod"))


def _listed(found: list[Surveyed]) -> list[Block]:
    columns = ("hook", "goes to", "of", "pending", "oldest (UTC)", "trouble")
    rows = [(one.hook.name, one.hook.target, "", "", "", one.problem) for one in found if one.problem or not one.lanes]
    rows += [
        (
            one.hook.name,
            one.hook.target,
            str(it.lane),
            str(it.pending),
            (it.oldest or "-").replace("T", " ")[:19],
            documents.trouble(it),
        )
        for one in found
        for it in one.lanes
    ]
    skipped = [_passed_over(one.hook, it, skip) for one in found for it in one.lanes for skip in it.skipped[-_SKIPS:]]
    return [Table(columns, tuple(rows), numeric=frozenset({3}), times=frozenset({4}), below=5), *skipped]


def _passed_over(hook: Hook, waiting: Waiting, skip: Skipped) -> Line:
    numbers = f"generation {skip.first}" + (f" to {skip.last}" if skip.last != skip.first else "")
    who = f"{skip.who} passed over {numbers}, {skip.time[:19].replace('T', ' ')}"
    return Line(f"{hook.name}, {waiting.lane}: {who}{f': {skip.why}' if skip.why else ''}", Tone.DIM)


def _flushed(done: list[Flushed]) -> list[Block]:
    blocks: list[Block] = []
    for one in done:
        name = one.hook.name
        events = sum(it.events for it in one.delivered)
        if one.left:
            blocks.append(Line(f"{name}: left to a flush that waits for its turn", Tone.DIM))
        elif one.problem:
            blocks.append(Line(f"{name}: {one.problem}", Tone.BAD))
        else:
            blocks.append(Line(f"{name}: {plural(events, 'event')} delivered", Tone.GOOD if one.ok else Tone.PLAIN))
        blocks += [
            Line(f"  {it.lane}, told up to generation {it.generation}: {it.problem}", Tone.BAD)
            for it in one.delivered
            if it.problem
        ]
    return blocks
