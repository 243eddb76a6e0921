"""Rebuilds the environment of a version from its own `uv.lock`, with uv: frozen, every package checked by its hash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from artreg.errors import StorageError
from artreg.reproduction.programs import find_uv, run_program
from artreg.reproduction.recorded import LOCK_FILE


def build_environment(
    base: Path, lock: bytes, into: Path, *, python: str | None, extras: Sequence[str], here: Path
) -> Path:
    """Install what a lock file pins into a new virtual environment.

    Args:
        base: The project's folder, checked out; the lock file there is replaced where it is another one.
        lock: The bytes of the version's `uv.lock`.
        into: Where the environment is to lie.
        python: The number of the Python that the version was trained with, where it is known; the nearest one that
            can be had is taken, and the comparison of the environments tells.
        extras: The project's extras to install.
        here: Where to look for uv besides the path.

    Returns:
        The Python of the environment.

    Raises:
        NotFound: There is no uv.
        StorageError: Packages or Python cannot be had, or do not match their hashes.
    """
    uv = find_uv(here)
    if not (base / LOCK_FILE).is_file() or (base / LOCK_FILE).read_bytes() != lock:
        (base / LOCK_FILE).write_bytes(lock)
    command = [uv, "sync", "--frozen", "--no-dev", "--quiet"]
    command += [part for extra in extras for part in ("--extra", extra)]
    command += ["--python", _python(uv, python, base)] if python else []
    done = run_program(command, base, {"UV_PROJECT_ENVIRONMENT": str(into)})
    if done.code:
        raise StorageError(
            f"the environment cannot be rebuilt from uv.lock: {done.complaint}",
            hint="check the network and the package index, or reproduce in the present environment with --here",
        )
    folder = "Scripts" if os.name == "nt" else "bin"
    return into / folder / "python"


def _python(uv: str, wanted: str, base: Path) -> str:
    """Return the very Python if it is here, one of the same minor version if that is here, else what uv may fetch."""
    minor = ".".join(wanted.split(".")[:2])
    for number in (wanted, minor):
        found = run_program([uv, "python", "find", "--no-python-downloads", "--no-project", number], base)
        if not found.code:
            return found.output.strip()
    return wanted
