"""Git repositories with tags as GTO makes them, made by git alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada Lovelace"), ("EMAIL", "ada@example.org"), ("DATE", "2026-01-01T00:00:00+01:00"))
}


def git(place: Path, *arguments: str, data: bytes = b"", **more: str) -> str:
    """Run git in a folder, and return what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(place), *arguments], input=data, env={**kept, **WHO, **more}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def new_repository(place: Path, *options: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    git(place, "init", "--quiet", "--initial-branch=main", *options, ".")
    return place


def commit(place: Path, files: Mapping[str, str | bytes]) -> str:
    """Write files, commit them, and return the commit."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(place, "add", "--force", "--", *files)
    git(place, "commit", "--quiet", "--allow-empty", "--message", "work")
    return git(place, "rev-parse", "HEAD")


def tag(place: Path, name: str, minute: int, target: str = "HEAD", message: str = "done") -> None:
    """Make an annotated tag at a minute of a certain hour."""
    git(place, "tag", "-a", "-m", message, name, target, GIT_COMMITTER_DATE=f"2026-02-03T04:{minute:02}:00+01:00")


def annotated(path: str, name: str = "churn") -> str:
    return json.dumps({name: {"path": path, "type": "model", "labels": ["eu"], "description": "who leaves"}})


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def keep(cache: Path, data: bytes, *, suffix: str = "", old: bool = False) -> str:
    """Put bytes into a cache of DVC's, and return their md5."""
    name = md5(data) + suffix
    path = cache / ("" if old else "files/md5") / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def tracked(name: str, found: str, *, size: int | None = None, old: bool = False) -> str:
    """Return a `.dvc` file."""
    out = {"md5": found, "path": name} | ({} if size is None else {"size": size}) | ({} if old else {"hash": "md5"})
    return json.dumps({"outs": [out]})
