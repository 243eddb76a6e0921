"""What the project that is trained in says of its environment: the lock file, and what can be made of it.

Besides `uv.lock` a version keeps the same pins as `requirements.txt` with hashes, for whoever has no uv, and under
conda the explicit list of what conda installed. None of it may hold a credential.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from artreg.core.redact import redact_channel, secret_line
from artreg.errors import InvalidInput
from artreg.plainfile import read_plain

LOCK_FILE = "uv.lock"
REQUIREMENTS_FILE = "requirements.txt"
CONDA_FILE = "conda-explicit.txt"

_TIMEOUT_S = 60.0
_LARGEST = 16 * 2**20  # bytes of a file that tells of the environment; the registry reads no larger ones back
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Project:
    """The environment as the project says it.

    Attributes:
        lock: The bytes of `uv.lock`, or None where there is none.
        extras: The project's extras that are installed, in order.
        files: What a version keeps of it, by name.
        warnings: What could not be kept, and why.
    """

    lock: bytes | None
    extras: tuple[str, ...]
    files: Mapping[str, bytes]
    warnings: tuple[str, ...]


def read_project(base: Path, variables: Mapping[str, str] | None = None) -> Project:
    """Read what there is in the folder that is trained in.

    Args:
        base: The folder.
        variables: The environment; by default that of the process.

    Raises:
        InvalidInput: `uv.lock` holds a credential, and it is stored as it is.
    """
    variables = os.environ if variables is None else variables
    lock = _read(base / LOCK_FILE)
    extras = installed_extras(base)
    files: dict[str, bytes] = {}
    warnings: list[str] = []
    if lock is not None:
        _require_no_secret(lock)
        files[LOCK_FILE] = lock
        requirements = _requirements(base, extras, variables)
        if isinstance(requirements, bytes):
            files[REQUIREMENTS_FILE] = requirements
        else:
            warnings.append(f"{REQUIREMENTS_FILE} was left out: {requirements}")
    conda = conda_explicit(Path(variables["CONDA_PREFIX"])) if variables.get("CONDA_PREFIX") else None
    if conda is not None:
        files[CONDA_FILE] = conda
    return Project(lock, extras, files, tuple(warnings))


def installed_extras(base: Path) -> tuple[str, ...]:
    """Return the extras of the project in a folder whose every requirement is installed, in order."""
    try:
        document = tomllib.loads(read_plain(base / "pyproject.toml", _LARGEST).decode("utf-8"))
        extras = document["project"]["optional-dependencies"]
        return tuple(sorted(name for name, wanted in extras.items() if wanted and all(map(_is_installed, wanted))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def conda_explicit(prefix: Path) -> bytes | None:
    """Return the packages of a conda environment as `conda list --explicit --md5` writes them, without tokens.

    Args:
        prefix: The environment's folder.

    Returns:
        The bytes, or None where conda keeps no record of its packages there.
    """
    records = [_conda_record(path) for path in sorted((prefix / "conda-meta").glob("*.json"))]
    lines = [f"{redact_channel(url)}#{md5}" if md5 else redact_channel(url) for url, md5 in filter(None, records)]
    return "\n".join(["@EXPLICIT", *lines, ""]).encode("utf-8") if lines else None


def _conda_record(path: Path) -> tuple[str, str] | None:
    try:
        record: Any = json.loads(read_plain(path, _LARGEST))
        return str(record["url"]), str(record.get("md5") or "")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _requirements(base: Path, extras: Sequence[str], variables: Mapping[str, str]) -> bytes | str:
    """Return what uv makes of the lock file, or why it does not."""
    uv = variables.get("UV") or shutil.which("uv") or str(base / ".venv-uv" / "bin" / "uv")
    command = [uv, "export", "--frozen", "--offline", "--quiet", "--format", "requirements-txt", "--no-header"]
    command += ["--no-annotate", "--no-emit-project", "--no-dev"]
    command += [part for extra in extras for part in ("--extra", extra)]
    kept = {name: variables[name] for name in ("HOME", "PATH", "TMPDIR", "UV_CACHE_DIR") if name in variables}
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and every argument is ours)
            command, cwd=base, env=kept, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "uv, which makes it, is not at hand"
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode or not text.strip():
        return "uv could not make it of uv.lock and pyproject.toml"
    if secret_line(text) is not None or str(base) in text:
        return "it would hold a credential, or a path of this machine"
    return done.stdout


def _require_no_secret(lock: bytes) -> None:
    line = secret_line(lock.decode("utf-8", "replace"))
    if line is not None:
        raise InvalidInput(
            f"{LOCK_FILE} holds a URL with a credential in line {line}, and every version stores that file",
            hint="take it out of pyproject.toml (uv reads UV_INDEX_*_PASSWORD and the like), and run uv lock again",
        )


def _is_installed(requirement: object) -> bool:
    match = _REQUIREMENT.match(str(requirement))
    try:
        return match is not None and bool(metadata.version(match.group()))
    except metadata.PackageNotFoundError:
        return False


def _read(path: Path) -> bytes | None:
    try:
        return read_plain(path, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}", hint="move it away, or make it readable"
        ) from None
