"""A registry in a folder: a disk, or a network file system that has hard links."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping, Sequence

from artreg.errors import AlreadyExists, IntegrityError, NotFound, OutcomeUnknown
from artreg.store import pointers
from artreg.store.disk import (
    check_source,
    committing,
    open_folder,
    remove_quietly,
    source_pieces,
    sync,
    write_all,
    writing,
)
from artreg.store.folders import cleaned, is_empty, is_folder, remove_tree
from artreg.store.interface import NO_PROGRESS, Pointer, Progress, TreeFile, check_key
from artreg.store.local_leftovers import LocalKeeper
from artreg.store.local_root import sync_unless_gone
from artreg.store.names import check_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}


class LocalStore(LocalKeeper):
    """Files below one folder, written by system calls alone.

    A file appears by `link(2)`, a tree by `rename(2)` of a folder, a pointer by `rename(2)` of a symbolic link; each
    is on the disk before it is acknowledged.

    Args:
        root: The folder.
    """

    whole_trees = True

    def __reduce__(self) -> tuple[object, ...]:
        return LocalStore, (self._root,)

    def prepare_writing(self) -> None:
        """Do nothing: `link(2)` never replaces anything."""

    def create(self, key: str, data: bytes) -> None:
        """Write a temporary file beside the place, and link it there."""
        folder, _, name = check_key(key).rpartition("/")
        with writing(key):
            parent, temporary, descriptor = self._temporary_file(folder)
        try:
            with writing(key):
                write_all(descriptor, data)
                sync(descriptor)
            created = _link(descriptor, temporary, os.path.join(parent, name), key)
        finally:
            os.close(descriptor)
            remove_quietly(os.unlink, temporary)
        self._settle(parent, key)
        if not created:
            raise _taken(key)

    def persist(self, keys: Sequence[str]) -> None:
        """Sync the folders in which files or trees lie."""
        for folder in sorted({os.path.dirname(self._path(check_key(key))) for key in keys}):
            self._settle(folder, keys[0])

    def staged(
        self,
        folder: str,
        sources: Mapping[str, Path],
        *,
        link: bool = False,
        dry_run: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> contextlib.AbstractContextManager[tuple[TreeFile, ...]]:
        """Copy files into a temporary folder beside the place, hashing them on the way."""
        from artreg.store.staging import in_place  # noqa: PLC0415  # most commands store nothing

        return in_place(sources, progress=progress) if dry_run else self._copied(folder, sources, link, progress)

    def put_tree(
        self, prefix: str, files: Sequence[TreeFile], *, claim: str, seal: str, progress: Progress = NO_PROGRESS
    ) -> None:
        """Write a temporary folder beside the place, and rename it there."""
        from artreg.store.local_tree import fill  # noqa: PLC0415  # most commands store nothing

        check_tree(check_key(prefix), files, claim, seal)
        marks = {file.name: file for file in files if file.name in {claim, seal}}
        target = self._path(prefix)
        if os.path.lexists(target) and not is_empty(target):  # looked at once: others may be faster between two looks
            if not self._is_tree(prefix, marks):
                raise _taken(prefix)
            self._settle(os.path.dirname(target), prefix)
            return
        with writing(prefix):
            temporary = self._temporary_folder(prefix.rpartition("/")[0])
        placed = False
        try:
            fill(temporary, prefix, files, progress)
            placed = self._rename_tree(temporary, target, prefix, marks)
        except BaseException as error:
            if not isinstance(error, OutcomeUnknown):
                remove_tree(temporary)
            raise
        if not placed:
            remove_tree(temporary)
        self._settle(os.path.dirname(target), prefix)

    def restore(self, key: str, file: TreeFile, progress: Progress = NO_PROGRESS) -> None:
        """Write a temporary file beside the place, and rename it there."""
        from artreg.store.copying import write_hashed  # noqa: PLC0415  # most commands store nothing

        folder, _, name = check_key(key).rpartition("/")
        with writing(key):
            with contextlib.suppress(FileNotFoundError):  # then it is made
                os.close(open_folder(self._root, folder))  # a link on the way there is not followed
            parent, temporary, descriptor = self._temporary_file(folder)
        try:
            with writing(key):
                size, sha256 = write_hashed(descriptor, source_pieces(file), file.size, progress)
            check_source(file, size, sha256)
            with committing(key):
                os.replace(temporary, os.path.join(parent, name))
        except BaseException:
            remove_quietly(os.unlink, temporary)
            raise
        finally:
            os.close(descriptor)
        self._settle(parent, key)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files, durably, and the folders that this empties."""
        folders: dict[str, str] = {}
        for key in keys:
            path = self._place(check_key(key))
            with writing(key, "removed"):
                try:
                    os.unlink(path)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except (IsADirectoryError, PermissionError):
                    if is_folder(path):  # it is no file, so that there is none to remove
                        continue
                    raise
                folders[os.path.dirname(path)] = key
                self._remove_emptied(key)
        for folder, key in folders.items():
            with writing(key, "removed for good"):
                sync_unless_gone(folder)

    def point(self, key: str, pointer: Pointer) -> None:
        """Put a symbolic link in the place of whatever is there."""
        pointers.check_pointer(pointer)
        folder, _, name = check_key(key).rpartition("/")
        with writing(key):
            temporary = self._temporary_link(folder, pointer.target)
        parent = os.path.dirname(temporary)
        try:
            with committing(key):
                os.replace(temporary, os.path.join(parent, name))
        except BaseException:
            remove_quietly(os.unlink, temporary)
            raise
        self._settle(parent, key)

    @contextlib.contextmanager
    def _copied(
        self, folder: str, sources: Mapping[str, Path], link: bool, progress: Progress
    ) -> Iterator[tuple[TreeFile, ...]]:
        from artreg.store.staging import copied  # noqa: PLC0415

        with writing(folder):
            temporary = self._temporary_folder(check_key(folder))
        try:
            yield copied(temporary, folder, sources, link=link, progress=progress)
        finally:
            remove_tree(temporary)
            with contextlib.suppress(OSError):
                self._remove_emptied(f"{folder}/{os.path.basename(temporary)}")

    def _rename_tree(self, temporary: str, target: str, prefix: str, marks: dict[str, TreeFile]) -> bool:
        """Rename a whole tree to its place; False if the very same one was there already."""
        with committing(prefix):
            try:
                os.rename(temporary, target)
            except FileNotFoundError as error:
                raise cleaned(prefix) from error
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                if not self._is_tree(prefix, marks):
                    raise _taken(prefix) from error
                return False
        return True

    def _is_tree(self, prefix: str, marks: dict[str, TreeFile]) -> bool:
        """Whether the tree at `prefix` is the one that bears these marks."""
        try:
            return all(self.read(f"{prefix}/{name}", mark.size) == mark.source for name, mark in marks.items())
        except (NotFound, IntegrityError):
            return False


def _link(descriptor: int, temporary: str, target: str, key: str) -> bool:
    """Make the file at `temporary` appear at `target` too; False if something else is there."""
    with committing(key):
        try:
            os.link(temporary, target, follow_symlinks=False)
        except FileExistsError:
            # Over NFS a call that was sent twice meets its own first try; then the file has two names.
            return os.fstat(descriptor).st_nlink == 2  # noqa: PLR2004
        except FileNotFoundError as error:
            raise cleaned(key) from error
    return True


def _taken(prefix: str) -> AlreadyExists:
    return AlreadyExists(f"{prefix} is there already")
