"""Folders on a disk: what they are, and how they go."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from artreg.errors import Conflict


def remove_tree(path: str, *, quietly: bool = True) -> None:
    """Remove a folder with all that is in it; quietly, what stays behind is a leftover, no error."""
    import shutil  # noqa: PLC0415  (costs more to import than most commands need)

    try:
        shutil.rmtree(path, ignore_errors=quietly)
    except OSError:  # not every call of it looks at `ignore_errors`
        if not quietly:
            raise


def is_folder(path: str) -> bool:
    """Return whether a folder, and no link to one, lies at `path`."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def is_empty(path: str) -> bool:
    """Return whether `path` is a folder in which nothing lies, which a rename replaces."""
    try:
        return is_folder(path) and not os.listdir(path)
    except OSError:
        return False


def cleaned(key: str) -> Conflict:
    """Return the error for a writer whose temporary file or folder was taken away."""
    return Conflict(
        f"{key} was not written: a clean-up removed it before it was finished",
        hint="run the command again, and let gc spare what is younger than a publish takes",
    )


def folders_of(names: Iterable[str]) -> list[str]:
    """Return the folders in which files lie that have these names, outer ones first."""
    found: set[str] = set()
    for name in names:
        parents = name.split("/")[:-1]
        found.update("/".join(parents[: depth + 1]) for depth in range(len(parents)))
    return sorted(found)
