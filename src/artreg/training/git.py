"""Which code a run was made with, asked of git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from artreg.core.redact import redact_url

UNKNOWN = "unknown"
"""What stands for a fact that cannot be known, such as the commit outside a git checkout."""

_TIMEOUT_S = 20.0
_KEPT = ("HOME", "PATH", "SYSTEMROOT", "TMPDIR", "USERPROFILE", "XDG_CONFIG_HOME")


@dataclass(frozen=True)
class Code:
    """The state of the code.

    Attributes:
        commit: The commit that is checked out, or "unknown".
        dirty: Whether the work tree differs from it (files that git neither tracks nor ignores count), or `None`.
        branch: The branch, or `None` (a detached head, no git).
        remote: The URL of `origin` without credentials, or `None`.
        folder: Where in the checkout the folder lies, with `/` between its parts; "" at the top.
    """

    commit: str
    dirty: bool | None
    branch: str | None
    remote: str | None
    folder: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return it as `run.json` holds it."""
        return asdict(self)


def code_state(folder: Path) -> Code:
    """Ask git about the checkout that `folder` lies in; without git, or outside a checkout, nothing is known."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return Code(commit=UNKNOWN, dirty=None, branch=None, remote=None)
    status = _git(folder, "status", "--porcelain", "--untracked-files=normal")
    remote = _git(folder, "config", "--get", "remote.origin.url")
    return Code(
        commit=commit,
        dirty=None if status is None else status != "",
        branch=_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or None,
        remote=redact_url(remote) if remote else None,
        folder=(_git(folder, "rev-parse", "--show-prefix") or "").rstrip("/"),
    )


def _git(folder: Path, *arguments: str) -> str | None:
    # A clean environment: GIT_DIR and its like (set inside hooks) would point git at another repository. No optional
    # lock, no prompt and no file system monitor, which could start a program that the repository names.
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and every argument is ours)
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
