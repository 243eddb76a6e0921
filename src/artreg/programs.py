"""Runs a program, of a gate or a hook: within its time, with all that it starts, and however much it says."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence

from artreg.frozen import Frozen

_KEPT = 65_536  # bytes of what a program says: its last line is what counts
_LAST_S = 5.0  # how long the end of this process waits for a program that is about to begin
_GLANCE_S = 0.05  # how often a program that says nothing is asked whether it has ended
_RUNNING: set[int] = set()
"""The programs that run at this moment, each in a session of its own."""
_BEGINNING = threading.Lock()
"""Held while a program is begun, until it stands among those that run."""


class NoAnswer(Exception):  # no error of artreg's: a gate refuses, a hook tries again
    """A program cannot be run, or did not end in time; the message says which."""


class CannotRun(NoAnswer):
    """There is no such program, or it is none."""


class Ended(Frozen):
    """How a program ended.

    Attributes:
        code: Its exit code.
        said: The end of what it wrote to stdout, and to stderr where that was not asked for by itself.
        complained: The end of what it wrote to stderr.
    """

    code: int
    said: bytes
    complained: bytes = b""

    @property
    def how(self) -> str:
        """How it ended, in a few words."""
        try:
            return f"exit code {self.code}" if self.code >= 0 else f"ended by {signal.Signals(-self.code).name}"
        except ValueError:  # a signal without a name
            return f"ended by signal {-self.code}"

    @property
    def last_line(self) -> str:
        """The last line that it wrote, on stderr where it wrote there."""
        lines = (self.complained or self.said).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def run(
    command: Sequence[str],
    timeout_s: float,
    *,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
    apart: bool = False,
) -> Ended:
    """Run a program to its end; what it leaves running is ended with it.

    Args:
        command: The program and its arguments; no shell reads them.
        timeout_s: Seconds after which it is ended.
        stdin: What it can read.
        variables: What to set in its environment.
        apart: Whether stderr is wanted by itself.

    Raises:
        CannotRun: It cannot be run.
        NoAnswer: It did not end in time.
    """
    with tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        try:
            with _BEGINNING:
                program = subprocess.Popen(  # noqa: S603  # no shell is involved
                    command,
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE if apart else subprocess.STDOUT,
                    env={**os.environ, **(variables or {})},
                    start_new_session=True,  # so that whatever it starts can be ended with it
                )
                _RUNNING.add(program.pid)
        except OSError as error:
            raise CannotRun(f"{command[0]} cannot be run: {error.strerror}") from error
        except ValueError as error:
            raise CannotRun(f"{command[0]} cannot be run: {error}") from error
    with program:
        try:
            kept = _output(program, timeout_s)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"no answer within {timeout_s:g} s") from None
        finally:
            _end_group(program.pid)
            _RUNNING.discard(program.pid)
    return Ended(program.returncode, *kept)


def _output(program: subprocess.Popen[bytes], timeout_s: float) -> list[bytes]:
    """Return the ends of what a program wrote until it ended; what it leaves running is not waited for.

    Raises:
        subprocess.TimeoutExpired: It did not end in time.
    """
    sources = [stream.fileno() for stream in (program.stdout, program.stderr) if stream is not None]
    kept, open_, deadline = dict.fromkeys(sources, b""), set(sources), time.monotonic() + timeout_s
    while True:
        ended = program.poll() is not None  # asked first: whatever it wrote before is there to be read
        if ended:
            _end_group(program.pid)
        ready, _, _ = select.select(sorted(open_), [], [], 0 if ended else _GLANCE_S)
        came = False
        for source in ready:
            chunk = os.read(source, _KEPT)
            kept[source] = (kept[source] + chunk)[-_KEPT:]
            open_ -= set() if chunk else {source}
            came = came or bool(chunk)
        if ended and not came:
            return list(kept.values())
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise subprocess.TimeoutExpired(program.args, timeout_s)
        if not open_:  # it closed its output, and goes on
            program.wait(remaining)


def _end_group(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)


@atexit.register
def _end_all() -> None:
    """End what threads still run that nobody waits for any more, since Ctrl-C does not reach another session."""
    _BEGINNING.acquire(timeout=_LAST_S)  # and not let go: nothing begins after this
    for number in list(_RUNNING):
        _end_group(number)
