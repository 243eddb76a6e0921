"""SSH keys for tests, made by OpenSSH, and what names them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH")


def make_key(folder: Path, name: str, kind: str = "ed25519", form: str = "RFC4716") -> Path:
    """Make a key pair `name` and `name.pub` in a folder; return the private one."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-m", form, "-N", "", "-C", "", "-f", str(path)], check=True)
    return path


def public(key: Path) -> str:
    """Return the public half of a key, in one line."""
    return key.with_name(f"{key.name}.pub").read_text().strip()


def allow(folder: Path, **keys: Path) -> Path:
    """Write an allowed signers file in which each name has its key."""
    path = folder / "allowed_signers"
    path.write_text("# who may sign\n" + "".join(f"{name}@example.com {public(key)}\n" for name, key in keys.items()))
    return path
