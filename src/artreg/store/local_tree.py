"""Trees on their way to a disk: filled beside their place, out of sight, and on the disk before they appear."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from artreg.errors import IntegrityError
from artreg.store.copying import Known, NotPlain, copy_hashed, link_hashed, write_hashed
from artreg.store.disk import check_source, new_file, source_pieces, sync_folder, translate, writing_tree
from artreg.store.folders import cleaned, folders_of
from artreg.store.interface import Progress, TreeFile

_WORKERS = 8
_LARGE = 32 * 2**20


def fill(temporary: str, prefix: str, files: Sequence[TreeFile], progress: Progress) -> None:
    """Copy every file into a folder of our own, durably."""
    folders = folders_of(file.name for file in files)
    for folder in folders:
        with writing_tree(prefix):
            os.mkdir(os.path.join(temporary, folder))
    _copy_all(temporary, prefix, files, progress)
    for folder in (*reversed(folders), ""):
        with writing_tree(prefix):
            sync_folder(os.path.join(temporary, folder))


def _copy_all(temporary: str, prefix: str, files: Sequence[TreeFile], progress: Progress) -> None:
    """Copy several small files at a time, for each waits for the disk or the network, and large ones one by one."""
    small = [file for file in files if file.size <= _LARGE]
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="artreg-copy") as workers:
        flying = [workers.submit(_copy, os.path.join(temporary, file.name), prefix, file, progress) for file in small]
        try:
            for future in flying:
                future.result()
        except BaseException:
            workers.shutdown(wait=True, cancel_futures=True)
            raise
    for file in files:
        if file.size > _LARGE:
            _copy(os.path.join(temporary, file.name), prefix, file, progress)


def _copy(path: str, prefix: str, file: TreeFile, progress: Progress) -> None:
    if file.owned and isinstance(file.source, os.PathLike):
        with writing_tree(prefix):
            os.link(file.source, path)  # not moved: a tree that lost a race is tried again under another name
        progress.advance(file.size)
    elif isinstance(file.source, os.PathLike):
        _copy_file(path, prefix, file, file.source, progress)
    else:
        _copy_pieces(path, prefix, file, progress)


def _copy_file(path: str, prefix: str, file: TreeFile, source: os.PathLike[str], progress: Progress) -> None:
    known = Known(file.stamp, file.sha256) if file.stamp else None
    try:
        size, sha256 = (link_hashed if file.linked else copy_hashed)(source, path, progress, known=known)
    except NotPlain as error:
        raise IntegrityError(f"{source} is no plain file") from error
    except OSError as error:
        if error.filename == os.fspath(source) and isinstance(error, FileNotFoundError | NotADirectoryError):
            raise IntegrityError(f"{file.name} cannot be stored: {source} is not there any more") from error
        if isinstance(error, FileNotFoundError):
            raise cleaned(prefix) from error
        raise translate(error, prefix, "written") from error
    check_source(file, size, sha256)


def _copy_pieces(path: str, prefix: str, file: TreeFile, progress: Progress) -> None:
    with writing_tree(prefix):
        descriptor = new_file(path)
    try:
        with writing_tree(prefix):
            size, sha256 = write_hashed(descriptor, source_pieces(file), file.size, progress)
    finally:
        os.close(descriptor)
    check_source(file, size, sha256)
