"""Whose turn it is to deliver: on one machine one process for each hook, and at most one that waits for its turn.

Nothing depends on it but that events are not sent twice without need. The folder also holds the digest of the hooks
file that was read last and found good, so that whoever moves an alias need not read it again, and an empty file for
each hook that failed last, so that he hears of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Container, Iterator

from artreg.core import canonical
from artreg.plainfile import read_plain, replace_plain

_NEW = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_LIMIT = 65_536  # bytes
LARGEST = 256 * 1024
"""Bytes of a hooks file: those of any file of YAML (`yamldoc.MAX_BYTES`), which a move need not load to know."""
_CONFIG, _FAILING = "config", ".failing"


class Turns:
    """Where the processes of a machine that work for one registry take turns.

    Args:
        place: What the registry is called on this machine.
    """

    def __init__(self, place: str) -> None:
        state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
        self.folder = os.path.join(state, "artreg", "hooks", canonical.digest(place.encode())[:32])

    def _file(self, name: str) -> str:
        """Return where a file of it lies, in a folder that is made if it must be.

        Raises:
            OSError: There is nowhere to put it.
        """
        if not os.path.isabs(self.folder):
            raise FileNotFoundError(errno.ENOENT, "nobody's home")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        return os.path.join(self.folder, name)

    @contextlib.contextmanager
    def taken(self, hook: str, *, leave: bool, waits: Callable[[], None] | None = None) -> Iterator[bool]:
        """Wait for the turn of this process, and yield True; yield False at once where it is not needed.

        Args:
            hook: For which hook.
            leave: Whether it is not needed where another process waits already: that one has yet to look what is due.
            waits: Is called once where it has to wait.
        """
        with contextlib.ExitStack() as stack:
            yield self._take(stack, hook, leave, waits)

    def _take(self, stack: contextlib.ExitStack, hook: str, leave: bool, waits: Callable[[], None] | None) -> bool:
        with contextlib.suppress(OSError):  # nowhere to take turns, or no locks there: it goes without
            next_, now = (self._opened(stack, f"{hook}.{name}") for name in ("next", "now"))
            for lock in (next_, now):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if leave and lock == next_:
                        return False
                    if waits is not None:
                        waits()
                    waits = None
                    fcntl.flock(lock, fcntl.LOCK_EX)
            fcntl.flock(next_, fcntl.LOCK_UN)  # whoever comes now may have moved an alias after this one has looked
        return True

    def _opened(self, stack: contextlib.ExitStack, name: str) -> int:
        descriptor = os.open(self._file(name), _NEW, 0o600)
        stack.callback(os.close, descriptor)
        return descriptor

    def is_known(self, config: bytes) -> bool:
        """Return whether a hooks file is the one that was found good."""
        try:
            return read_plain(self._file(_CONFIG), _LIMIT).decode("ascii") == canonical.digest(config)
        except (OSError, ValueError):
            return False

    def know(self, config: bytes) -> None:
        """Take down that a hooks file is good; where that cannot be, it is read again."""
        with contextlib.suppress(OSError):
            replace_plain(self._file(_CONFIG), canonical.digest(config).encode("ascii"))

    def failing(self) -> list[str]:
        """Return the hooks to which the last flush of this machine could not deliver everything."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        return sorted(name.removesuffix(_FAILING) for name in names if name.endswith(_FAILING))

    def take_down(self, hook: str, *, failed: bool) -> None:
        """Take down whether a flush of a hook failed, for whoever moves an alias next; in the turn, or not in order."""
        with contextlib.suppress(OSError):
            file = self._file(hook + _FAILING)
            if failed:
                os.close(os.open(file, _NEW, 0o600))
            else:
                os.unlink(file)

    def forget_others(self, hooks: Container[str]) -> None:
        """Forget of all but these hooks that they failed: the others were taken out of the file."""
        for name in self.failing():
            if name not in hooks:
                self.take_down(name, failed=False)
