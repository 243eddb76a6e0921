"""Trees on their way to a disk: filled beside their place, out of sight, and on the disk before they appear."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence

from artreg.errors import Conflict
from artreg.store.disk import hashed_pieces, new_file, sync, sync_folder, translate, write_all
from artreg.store.interface import Progress, TreeFile


def fill(temporary: str, prefix: str, files: Sequence[TreeFile], progress: Progress) -> None:
    """Copy every file into a folder of our own, durably."""
    folders = {""}
    for file in files:
        parents = file.name.split("/")[:-1]
        folders.update("/".join(parents[: depth + 1]) for depth in range(len(parents)))
    for folder in sorted(folders - {""}):
        with _writing_tree(prefix):
            os.mkdir(os.path.join(temporary, folder))
    for file in files:
        _copy(os.path.join(temporary, file.name), prefix, file, progress)
    for folder in sorted(folders, reverse=True):
        with _writing_tree(prefix):
            sync_folder(os.path.join(temporary, folder))


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


@contextlib.contextmanager
def _writing_tree(prefix: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:  # the folder is ours: only a clean-up takes it away
        raise cleaned(prefix) from error
    except OSError as error:
        raise translate(error, prefix, "written") from error


def _copy(path: str, prefix: str, file: TreeFile, progress: Progress) -> None:
    with _writing_tree(prefix):
        descriptor = new_file(path)
    try:
        for piece in hashed_pieces(file, progress):
            with _writing_tree(prefix):
                write_all(descriptor, piece)
        with _writing_tree(prefix):
            sync(descriptor)
    finally:
        os.close(descriptor)
