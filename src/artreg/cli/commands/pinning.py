"""Commands for whoever uses models: `lock`, `outdated`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from artreg.cli import pins
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Tone
from artreg.core.lock import LOCK_FILE, Lock
from artreg.core.wording import plural
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
    root = choose_root(session, before, every=remove or not references)
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
        error = Conflict(f"{file} is out of date: {names}", hint="to pin it anew: artreg lock")
        shown = pins.lock_view(made, f"{error.message}; {error.hint}", Tone.BAD)
        session.output.result({**document, "error": error_document(error)}, shown)
        raise Exit(exit_code(error))
    written = not check and write_lock(file, after)
    done = f"{file} written" if written else f"{file} is up to date"
    session.output.result(document, pins.lock_view(made, f"{done}: {plural(len(after.pins), 'pin')}"))


def outdated(
    session: Session,
    file: FileOption = Path(LOCK_FILE),
    fail: Annotated[bool, Option("--exit-code", help="Exit with 6 where anything has moved or was yanked")] = False,
) -> None:
    """Tell what has moved since it was locked: how often, who moved it last, and why.

    Examples: artreg outdated; artreg outdated --exit-code --json
    """
    from artreg.consuming.lock_file import read_lock
    from artreg.consuming.pinning import standings

    there = read_lock(file)
    choose_root(session, there, every=True)
    found = standings(session.registry, there)
    session.output.result(pins.outdated(str(file), there, found), pins.outdated_view(found))
    if fail and any(one.outdated or one.yank for one in found):
        raise Exit(EXIT_CODES[Conflict.code])


def choose_root(session: Session, lock: Lock | None, *, every: bool) -> str:
    """Let the session work on the registry that is meant, and return its root as it was written."""
    named = session.named_root or (lock.registry if lock else session.settings.registry)
    if lock is not None and named != lock.registry and lock.pins and not every:
        raise InvalidInput(
            f"the lock pins what lies in {lock.registry}, not in {named}",
            hint="pin everything anew (artreg lock, without names), or name another lock: --file",
        )
    session.work_on(named)
    return named
