"""Asks git for the code of a version: checks it out elsewhere, and says what lies between two states of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from artreg.core.comparison import Difference
from artreg.errors import NotFound, StorageError
from artreg.frozen import Frozen
from artreg.reproduction.programs import Done, run_program

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FILES_SHOWN = 10
_TELLING = (".py", ".pyx", ".c", ".cpp", ".rs", ".ipynb", ".yaml", ".yml", ".toml", ".lock", ".json")


class Log(Frozen):
    """The commits between two.

    Attributes:
        forward: Whether the second comes after the first; else the commits are those that it lacks.
        subjects: A line each, newest first: the short hash and the subject.
    """

    forward: bool
    subjects: tuple[str, ...]


def is_commit(text: object) -> bool:
    """Say whether a text is the full hash of a commit; a record could hold anything, an option for git too."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def check_out(commit: str, into: Path, *, here: Path, remote: str | None = None) -> None:
    """Make a work tree of a commit in a folder of its own; the repository it comes from is left as it is.

    Args:
        commit: The full hash.
        into: The folder; it must not be there yet.
        here: A folder in the repository that is asked where no remote is given.
        remote: Where to clone from: a URL or a path.

    Raises:
        NotFound: There is no repository, or it does not have the commit.
        StorageError: The remote cannot be reached, or the work tree cannot be written.
    """
    source = remote or _top(here)
    cloned = _git(here, "clone", "--quiet", "--no-checkout", "--", source, str(into))
    if cloned.code:
        raise StorageError(f"{_named(remote)} cannot be cloned: {cloned.complaint}", hint="check --remote")
    if not _has(into, commit):
        _git(into, "fetch", "--quiet", "origin", commit)  # a commit that no branch leads to any more
    if not _has(into, commit):
        raise NotFound(
            f"commit {commit} is not in {_named(remote)}",
            hint="name a repository that has it with --remote, or use the present work tree with --here",
        )
    switched = _git(into, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
    if not switched.code and (into / ".gitmodules").is_file():
        switched = _git(into, "submodule", "--quiet", "update", "--init", "--recursive")
    if switched.code:
        raise StorageError(f"commit {commit} cannot be checked out: {switched.complaint}", hint="make room and retry")


def changed_files(here: Path, commit: str) -> tuple[Difference, ...] | None:
    """Return which files below `here` differ from a commit, or None where git cannot say."""
    counted = _git(here, "diff", "--numstat", "--no-ext-diff", "--relative", commit, "--")
    added = _git(here, "ls-files", "--others", "--exclude-standard")
    if counted.code or added.code:
        return None
    rows = [line.split("\t", 2) for line in counted.output.splitlines()]
    found = [Difference(name, note=_lines(plus, minus)) for plus, minus, name in rows]
    found += [Difference(name, note="new, and in no commit") for name in added.output.splitlines()]
    found.sort(key=lambda one: not one.what.endswith(_TELLING))  # what runs or configures first, as far as names tell
    rest = len(found) - _FILES_SHOWN
    return (*found[:_FILES_SHOWN], *([Difference(f"{rest} more files")] if rest > 0 else []))


def commits_between(here: Path, first: str, second: str, limit: int) -> Log | None:
    """Return the commits between two, or None where the repository does not have both."""
    if not (is_commit(first) and is_commit(second) and _has(here, first) and _has(here, second)):
        return None
    forward = _subjects(here, f"{first}..{second}", limit)
    return Log(True, forward) if forward else Log(False, _subjects(here, f"{second}..{first}", limit))


def _subjects(here: Path, span: str, limit: int) -> tuple[str, ...]:
    done = _git(here, "log", f"--max-count={limit}", "--format=%h %s", span, "--")
    return tuple(done.output.splitlines())


def _top(here: Path) -> str:
    done = _git(here, "rev-parse", "--show-toplevel")
    if done.code:
        raise NotFound(
            f"{here} lies in no git repository, so there is no commit to check out",
            hint="run it in the repository, or name one with --remote, or use the present files with --here",
        )
    return done.output.rstrip("\n")


def _has(folder: Path, commit: str) -> bool:
    return _git(folder, "cat-file", "-e", f"{commit}^{{commit}}").code == 0


def _named(remote: str | None) -> str:
    return "the remote" if remote else "this repository"


def _lines(plus: str, minus: str) -> str:
    if plus == "-":
        return "other bytes"
    return f"{plus} {'line' if plus == '1' else 'lines'} added, {minus} removed"


def _git(folder: Path, *arguments: str) -> Done:
    command: Sequence[str] = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
    return run_program(command, folder, {"LC_ALL": "C"})
