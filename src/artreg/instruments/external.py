"""Asks gates of others: a program, or a function that a package offers."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from importlib.metadata import entry_points
from typing import Any

from artreg.core import canonical
from artreg.core.gates.external import Answer, CommandGate, PluginGate
from artreg.errors import ArtregError
from artreg.instruments.folders import Folders, pulled
from artreg.registry.evidence import Case

GROUP = "artreg.gates"
"""Entry point group under which packages offer gates."""

_LONGEST = 500
_KEPT = 65_536  # bytes of a program's output: its last line is what counts
_LARGEST_FIGURES = 16_384  # bytes; they stand in every record of the move
_DEEPEST_FIGURES = 16
_GLANCE_S = 0.05  # how often a program that says nothing is asked whether it has ended


def ask_command(gate: CommandGate, case: Case) -> object:
    """Run the program; return its answer, or a text that says why there is none."""
    try:
        with pulled(case) as folders:
            return _run(gate, folders)
    except ArtregError as error:
        return error.message


def ask_plugin(gate: PluginGate, case: Case) -> object:
    """Call the function; return its answer, or a text that says why there is none."""
    found = {point.value: point for point in entry_points(group=GROUP) if point.name == gate.name}
    if not found:
        return f"no installed package offers it (entry point group {GROUP})"
    if len(found) > 1:
        return f"several installed packages offer it: {', '.join(sorted(found))}"
    (point,) = found.values()
    try:
        with pulled(case) as folders:
            said = point.load()(folders.candidate, folders.incumbent, folders.context, **gate.options)
            passed, message, figures = said
            if not isinstance(passed, bool):
                return f"it said {passed!r} instead of True or False"[:_LONGEST]
            return Answer(passed, _line(str(message)), _figures(figures))
    except ArtregError as error:
        return error.message
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a package of others does, it must not pass for a yes
        return _line(f"{type(error).__name__}: {error}")


def _figures(figures: object) -> dict[str, Any]:
    """Return figures as JSON gives them back, so that every record that holds them can be written and read."""
    if not isinstance(figures, dict):
        raise TypeError("its figures are no dictionary")
    plain: dict[str, Any] = json.loads(json.dumps(figures, allow_nan=False))
    if len(canonical.dumps(plain)) > _LARGEST_FIGURES:
        raise ValueError(f"its figures are larger than {_LARGEST_FIGURES:,} bytes")
    if _depth(plain) > _DEEPEST_FIGURES:
        raise ValueError(f"its figures are nested deeper than {_DEEPEST_FIGURES} levels")
    return plain


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _line(text: str) -> str:
    """Return a text as one line of signs that can be shown."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:_LONGEST]


def _run(gate: CommandGate, folders: Folders) -> object:
    variables = {
        **os.environ,
        "ARTREG_CANDIDATE": str(folders.candidate),
        "ARTREG_INCUMBENT": str(folders.incumbent or ""),
    }
    with tempfile.TemporaryFile() as context:
        context.write(json.dumps(folders.context).encode())
        context.seek(0)
        try:
            program = subprocess.Popen(  # noqa: S603  # the policy names the program; no shell is involved
                gate.command,
                stdin=context,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,  # so that whatever it starts can be ended with it
            )
        except OSError as error:
            return f"{_line(gate.command[0])} cannot be run: {error.strerror}"
        except ValueError as error:
            return f"{_line(gate.command[0])} cannot be run: {error}"
    with program:
        try:
            output = _output(program, gate.timeout_s)
        except subprocess.TimeoutExpired:
            return f"no answer within {gate.timeout_s:g} s"
        finally:
            _end_group(program)
    lines = output.decode("utf-8", "replace").strip().splitlines()
    message = _line(lines[-1]) if lines else f"exit code {program.returncode}"
    return Answer(program.returncode == 0, message, {"exit_code": program.returncode})


def _output(program: subprocess.Popen[bytes], timeout_s: float) -> bytes:
    """Return the end of what a program wrote until it ended; what it leaves running is not waited for.

    Raises:
        subprocess.TimeoutExpired: It did not end in time.
    """
    assert program.stdout is not None
    source, kept, deadline = program.stdout.fileno(), b"", time.monotonic() + timeout_s
    while True:
        ended = program.poll() is not None  # asked first: whatever it wrote before is there to be read
        if ended:
            _end_group(program)
        ready, _, _ = select.select([source], [], [], 0 if ended else _GLANCE_S)
        chunk = os.read(source, _KEPT) if ready else b""
        kept = (kept + chunk)[-_KEPT:]
        if ended and not chunk:
            return kept
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise subprocess.TimeoutExpired(program.args, timeout_s)
        if ready and not chunk:  # it closed its output, and goes on
            program.wait(remaining)


def _end_group(program: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
