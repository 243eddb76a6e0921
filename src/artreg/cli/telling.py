"""After an alias has moved: lets a process of its own tell the hooks of it, and waits for nothing."""

from __future__ import annotations

import os
import sys

from artreg.cli.output import JsonOutput, PlainOutput
from artreg.cli.view import without_credentials
from artreg.errors import ArtregError, InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from artreg.cli.session import Session


def tell(session: Session) -> None:
    """Begin to deliver, if there are hooks; whatever is wrong with them is a warning, for the alias has moved."""
    file = session.hooks_file
    if file is None:
        return
    out = PlainOutput(quiet=False) if isinstance(session.output, JsonOutput) else session.output
    try:
        sys.stdout.flush()
        failing = _check(session, file)
        _begin(session)
    except Exception as error:  # noqa: BLE001  # whatever it is, the alias has moved
        message = error.message if isinstance(error, ArtregError) else f"{type(error).__name__}: {error}"
        out.note(f"warning: the hooks were not told: {without_credentials(message)}")
        out.note("the alias has moved all the same; artreg hooks flush tells them later")
        return
    if failing:
        out.note(f"warning: {', '.join(failing)} could not be told of all moves before; see artreg hooks list")


def _check(session: Session, file: str) -> list[str]:
    """Return which hooks failed before, if the hooks file makes sense; it is looked into once for each of its states.

    Raises:
        InvalidInput: It does not, or cannot be read.
    """
    from artreg.hooks.turns import LARGEST, Turns
    from artreg.plainfile import read_plain

    try:
        config = read_plain(file, LARGEST)
    except OSError as error:
        raise InvalidInput(f"hooks file {file} cannot be read: {error.strerror}") from error
    turns = Turns(session.place)
    if not turns.is_known(config):
        from artreg.hooks.config import read_hooks

        read_hooks(file, session.settings.project)
        turns.know(config)
    return turns.failing()


def _begin(session: Session) -> None:
    """Begin a flush that lives on by itself: in a session of its own, without this one's streams.

    Raises:
        OSError: No process can be begun.
    """
    flags = ["--registry", session.settings.registry, "--project", session.settings.project]
    words = [sys.executable, "-P", "-m", "artreg.cli.main", "hooks", "flush", "--leave", *flags]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    os.posix_spawn(sys.executable, words, os.environ, file_actions=nowhere, setsid=True)
