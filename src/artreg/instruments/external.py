"""Asks gates of others: a program, or a function that a package offers, each within its time."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from artreg.core import canonical
from artreg.core.gates.external import Answer, CommandGate, PluginGate
from artreg.errors import ArtregError
from artreg.instruments.folders import Folders, pulled
from artreg.instruments.plugin import LARGEST, one_line
from artreg.plainfile import read_plain
from artreg.programs import NoAnswer, run
from artreg.registry.evidence import Case

GROUP = "artreg.gates"
"""Entry point group under which packages offer gates."""


def ask_command(gate: CommandGate, case: Case) -> object:
    """Run the program; return its answer, or a text that says why there is none."""
    try:
        with pulled(case) as folders:
            ended = run(
                gate.command,
                gate.timeout_s,
                stdin=json.dumps(folders.context).encode(),
                variables={
                    "ARTREG_CANDIDATE": str(folders.candidate),
                    "ARTREG_INCUMBENT": str(folders.incumbent or ""),
                },
            )
    except ArtregError as error:
        return error.message
    except NoAnswer as error:
        return one_line(str(error))
    message = one_line(ended.last_line) if ended.last_line else ended.how
    return Answer(ended.code == 0, message, {"exit_code": ended.code})


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
            said = called_apart(point, gate, folders)
    except ArtregError as error:
        return error.message
    except NoAnswer as error:
        return one_line(str(error))
    return Answer(said["passed"], said["message"], said["figures"]) if "passed" in said else said["problem"]


def request_for(gate: PluginGate, folders: Folders) -> dict[str, Any]:
    """Return what the function is called with."""
    return {
        "candidate": str(folders.candidate),
        "incumbent": None if folders.incumbent is None else str(folders.incumbent),
        "context": folders.context,
        "options": gate.options,
    }


def called_apart(point: EntryPoint, gate: PluginGate, folders: Folders) -> dict[str, Any]:
    """Call the function in a process of its own, and return what `artreg.instruments.plugin.answer` does.

    Raises:
        NoAnswer: It took too long, or ended its process.
    """
    with tempfile.TemporaryDirectory(prefix="artreg-gate-") as folder:
        answer = Path(folder, "answer")
        request = {**request_for(gate, folders), "value": point.value, "path": sys.path, "answer": str(answer)}
        command = [sys.executable, "-P", "-m", "artreg.instruments.plugin"]
        ended = run(command, gate.timeout_s, stdin=json.dumps(request).encode())
        try:
            return canonical.loads(read_plain(answer, LARGEST), "its answer")
        except OSError:
            raise NoAnswer(f"it ended its process: {ended.last_line or ended.how}") from None
