"""Commands for whoever uses models: `lock`, `sync`, `outdated`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from artreg.cli import pins
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Tone, plural
from artreg.core.lock import LOCK_FILE, Lock
from artreg.errors import EXIT_CODES, Conflict, InvalidInput, NotFound, exit_code

FileOption = Annotated[Path, Option("--file", short="-f", metavar="FILE", help="The lock file")]


def lock(
    session: Session,
    references: Annotated[
        list[str] | None,
        Argument(help="[PROJECT/]MODEL@ALIAS or @VERSION; all that are pinned by default", complete="references"),
    ] = None,
    file: FileOption = Path(LOCK_FILE),
    check: Annotated[bool, Option("--check", help="Write nothing; exit with 6 where it would change")] = False,
    remove: Annotated[bool, Option("--remove", help="Pin these no longer")] = False,
) -> None:
    """Pin what references mean now, version and digest of every file, in a file to be committed.

    Only what is named is pinned anew; without a name all that is pinned already. A pin of the same version stays as it
    is. The registry is the one that the lock names, unless the command line or the environment names another; that
    takes its place where everything is pinned anew.

    Examples: artreg lock churn@prod; artreg lock; artreg lock --check; artreg lock --remove churn@prod
    """
    from artreg.consuming.lock_file import find_lock, write_lock
    from artreg.consuming.pinning import Pinned, pin

    if remove and (check or not references):
        raise InvalidInput("--remove takes the references to remove, and nothing else", hint="artreg lock --help")
    before = find_lock(file)
    if before is None and (check or remove or not references):
        raise NotFound(f"there is no {file}", hint=f"make one: artreg lock churn@prod --file {file}")
    root = _root(session, before, every=not references)
    wanted = [session.reference(text) for text in references or ()]
    there = before or Lock(root)
    if remove:
        made = [Pinned(None, there.find(reference)) for reference in wanted]
        after = there.without(wanted)
    else:
        made = pin(session.registry, there, wanted or [one.reference for one in there.pins])
        after = Lock(root, there.pins).having(one.pin for one in made if one.pin is not None)
    for one in made:
        if one.warning:
            session.output.note(f"warning: {one.warning}")
    changed = after != before
    document = pins.locked(str(file), after, made, changed=changed)
    if check and changed:
        names = ", ".join(str(one.pin.reference) for one in made if one.changed and one.pin) or "its registry"
        error = Conflict(f"{file} is out of date: {names} moved", hint="to pin it anew: artreg lock")
        shown = pins.lock_view(made, f"{error.message}; {error.hint}", Tone.BAD)
        session.output.result({**document, "error": error_document(error)}, shown)
        raise Exit(exit_code(error))
    written = not check and write_lock(file, after)
    done = f"{file} written" if written else f"{file} is up to date"
    session.output.result(document, pins.lock_view(made, f"{done}: {plural(len(after.pins), 'pin')}"))


def sync(
    session: Session,
    out: Annotated[Path, Option("--out", "-o", metavar="DIR", help="The folder to fill")] = Path("models"),
    file: FileOption = Path(LOCK_FILE),
    frozen: Annotated[
        bool, Option("--frozen", help="Ask the registry for nothing but bytes, not even what was yanked")
    ] = False,
    no_yanked: Annotated[bool, Option("--no-yanked", help="Refuse what was yanked since; exit with 3")] = False,
    offline: Annotated[bool, Option("--offline", help="Go by the cache alone [ARTREG_OFFLINE]")] = False,
    no_cache: Annotated[bool, Option("--no-cache", help="Take nothing from the cache, and keep nothing there")] = False,
    force: Annotated[bool, Option("--force", help="Replace what somebody changed, too")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be done")] = False,
) -> None:
    """Fetch exactly what the lock pins, each into DIR/PROJECT/MODEL@TARGET, verified by the digests in the lock.

    Each version is there whole, or what was there before is; what is there already is looked at byte by byte, and left
    alone. The registry is the one that the lock names, unless the command line or the environment names another.

    Examples: artreg sync; artreg sync -o /srv/models --frozen; artreg sync --no-yanked --json
    """
    from functools import partial

    from artreg.consuming.lock_file import read_lock
    from artreg.consuming.pull import pull
    from artreg.consuming.sync import Failed, Syncing
    from artreg.consuming.sync import sync as run

    there = read_lock(file)
    _root(session, there, every=True)
    consumer = session.consumer(no_cache=no_cache, offline=offline)
    if no_yanked and (frozen or consumer.offline):
        raise InvalidInput("nobody can say what was yanked without asking", hint="leave out one: --no-yanked, or this")
    how = Syncing(
        out.absolute(), session.registry, partial(pull, consumer), frozen or consumer.offline, no_yanked, force, dry_run
    )
    results = run(there, how, session.output.reporter)
    for result in results:
        for note in () if isinstance(result, Failed) else result.notes:
            session.output.note(note)
    errors = [result.error for result in results if isinstance(result, Failed)]
    document = pins.synced(str(file), there, str(out), results, dry_run=dry_run)
    session.output.result(document, pins.synced_view(results, str(out), dry_run=dry_run))
    if errors:
        raise Exit(exit_code(errors[0]))


def outdated(
    session: Session,
    file: FileOption = Path(LOCK_FILE),
    fail: Annotated[bool, Option("--exit-code", help="Exit with 6 where anything has moved")] = False,
) -> None:
    """Tell what has moved since it was locked: how often, who moved it last, and why.

    Examples: artreg outdated; artreg outdated --exit-code --json
    """
    from artreg.consuming.lock_file import read_lock
    from artreg.consuming.pinning import standing

    there = read_lock(file)
    _root(session, there, every=True)
    found = [standing(session.registry, pin) for pin in there.pins]
    session.output.result(pins.outdated(str(file), there, found), pins.outdated_view(found))
    if fail and any(one.outdated for one in found):
        raise Exit(EXIT_CODES[Conflict.code])


def _root(session: Session, lock: Lock | None, *, every: bool) -> str:
    """Let the session work on the registry that is meant, and return its root as it was written."""
    named = session.named_root or (lock.registry if lock else session.settings.registry)
    if lock is not None and named != lock.registry and lock.pins and not every:
        raise InvalidInput(
            f"the lock pins what lies in {lock.registry}, not in {named}",
            hint="pin everything anew (artreg lock, without names), or name another lock: --file",
        )
    session.work_on(named)
    return named
