"""One attempt to deliver an event: by a webhook, or to a program.

Whoever is told is chosen by the hooks file alone: nothing from the registry has a part in it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping

from artreg.hooks.config import Hook
from artreg.hooks.event import CONTENT_TYPE, Event
from artreg.hooks.post import post
from artreg.hooks.refusal import Refused
from artreg.hooks.signature import read_secrets, signed_headers

_SHOWN = 200  # characters of what a program said last
_KEPT = 4096  # bytes of it

Send = Callable[[Event], str]
"""Delivers an event, once; returns what was answered, in a few words, or raises `Refused`."""


def sender(hook: Hook, environment: Mapping[str, str]) -> Send:
    """Return what delivers to a hook.

    Raises:
        InvalidInput: The environment does not hold its secret.
    """
    if hook.url is None:
        return lambda event: _run(hook, event.body)
    assert hook.secret is not None
    url, secrets = hook.url, read_secrets(hook.secret, environment)

    def send(event: Event) -> str:
        signed = signed_headers(secrets, event.id, int(time.time()), event.body)
        return post(url, event.body, {"Content-Type": CONTENT_TYPE, **signed}, hook.timeout)

    return send


def _run(hook: Hook, body: bytes) -> str:
    """Run the program of a hook with an event on its stdin; with it ends whatever it started.

    Raises:
        Refused: It cannot be run, did not end in time, or ended otherwise than with 0.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(body + b"\n")  # a line of its own, for whoever appends it to a file
        given.seek(0)
        try:
            program = subprocess.Popen(  # noqa: S603  # words of the hooks file; no shell is involved
                hook.command, stdin=given, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise Refused(f"{hook.command[0]} cannot be run: {reason}", again=False) from error
        try:
            code = program.wait(hook.timeout)
        except subprocess.TimeoutExpired:
            raise Refused(f"it did not end within {hook.timeout:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        if code != 0:
            raise Refused(f"exit code {code}" + _last_line(said.fileno()))
    return "exit code 0"


def _last_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    lines = os.pread(descriptor, _KEPT, max(size - _KEPT, 0)).decode("utf-8", "replace").strip().splitlines()
    return f": {' '.join(lines[-1].split())[:_SHOWN]}" if lines else ""
