"""Folders on a disk: what they are, and how they go."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

from artreg.errors import Conflict
from artreg.store.disk import translate


def remove_tree(path: str, *, quietly: bool = True) -> None:
    """Remove a folder with all that is in it; quietly, what stays behind is a leftover, no error."""
    import shutil  # noqa: PLC0415  (costs more to import than most commands need)

    shutil.rmtree(path, ignore_errors=quietly)


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


@contextlib.contextmanager
def filling(key: str) -> Iterator[None]:
    """Turn what system calls say while a temporary folder of our own is being filled into errors of artreg's own."""
    try:
        yield
    except FileNotFoundError as error:  # the folder is ours: only a clean-up takes it away
        raise cleaned(key) from error
    except OSError as error:
        raise translate(error, key, "written") from error
