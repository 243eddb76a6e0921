"""The programs that a reproduction runs: git, uv, and a Python of its own making."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from artreg.errors import NotFound
from artreg.frozen import Frozen

_LINES_KEPT = 12
_OF_ANOTHER_PLACE = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


class Done(Frozen):
    """How a program ended.

    Attributes:
        code: Its exit code.
        output: What it wrote to stdout.
        complaint: The last lines that it wrote to stderr.
    """

    code: int
    output: str
    complaint: str


def run_program(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None, *, without: Sequence[str] = ()
) -> Done:
    """Run a program to its end, in the environment of this process without what points elsewhere.

    Args:
        command: The program and its arguments; no shell reads them.
        folder: Where it runs.
        variables: What to set besides.
        without: Beginnings of the names of variables to leave out.

    Raises:
        NotFound: There is no such program.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_ANOTHER_PLACE and not name.startswith(tuple(without))
    }
    environment |= {"GIT_TERMINAL_PROMPT": "0", **(variables or {})}
    try:
        done = subprocess.run(  # noqa: S603 (no shell reads it)
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise NotFound(f"{command[0]} is not installed", hint=f"install {Path(command[0]).name}") from None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), "\n".join(lines[-_LINES_KEPT:]))


def find_uv(folder: Path) -> str:
    """Return the path of uv: the one that $UV names, the one on the path, or the one that `make` put beside.

    Raises:
        NotFound: There is none.
    """
    beside = folder / ".venv-uv" / "bin" / "uv"
    for found in (os.environ.get("UV"), shutil.which("uv"), str(beside) if beside.is_file() else None):
        if found:
            return found
    raise NotFound(
        "uv is not installed, and only it can rebuild an environment from uv.lock",
        hint="install uv, or reproduce in the present environment with --here",
    )
