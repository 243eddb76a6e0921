"""The folder of a registry on a disk, and the folders in it: made to last, and removed when nothing lies there."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from artreg.errors import Conflict, IntegrityError, InvalidInput, NotFound
from artreg.store.disk import SyncFailed, new_file, open_folder, settling, sync_folder, translate, writing
from artreg.store.names import temporary_name

_TRIES = 100  # times that a folder may vanish under a writer before it gives up


class LocalRoot:
    """A folder, what is known of how durable those below it are, and places for what is temporary.

    Args:
        root: The folder.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._url = os.fspath(root)
        self._root = os.path.abspath(self._url)
        self._durable: set[str] = set()  # folders whose own names are known to be on the disk
        self._doubtful: dict[str, OSError] = {}  # folders of which an fsync failed

    @property
    def url(self) -> str:
        """The folder as it was given."""
        return self._url

    def require_root(self) -> None:
        """Return if the folder is there."""
        try:
            mode = os.stat(self._root).st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._no_root() from error
        except OSError as error:
            raise translate(error, self._url, "reached") from error
        if not stat.S_ISDIR(mode):
            raise InvalidInput(f"{self._url} is a file, not a folder", hint="name a folder")

    def make_root(self) -> None:
        """Make the folder, and those above it, where they are missing."""
        missing = []
        path = self._root
        while not os.path.lexists(path):
            missing.append(path)
            path = os.path.dirname(path)
        with writing(self._url, "made"):
            self._sync_above(path)
            for folder in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder)
                with settling(self._url):
                    self._sync(os.path.dirname(folder))
        self.require_root()

    def _path(self, key: str) -> str:
        return os.path.join(self._root, *key.split("/"))

    def _place(self, key: str, *, whole: bool = False) -> str:
        """Return where a key lies, none of whose folders is a link that leads somewhere else.

        Raises:
            IntegrityError: One is.
        """
        path = self._root
        segments = key.split("/")
        for segment in segments if whole else segments[:-1]:
            path = os.path.join(path, segment)
            _refuse_link(path, key)
        return path if whole else os.path.join(path, segments[-1])

    def _no_root(self) -> NotFound:
        return NotFound(f"there is no registry at {self._url}", hint="make one: artreg init, or name another")

    @contextlib.contextmanager
    def _folder(self, key: str) -> Iterator[int]:
        descriptor = open_folder(self._root, key)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _sync(self, folder: str) -> None:
        """Return when the disk holds the names in a folder."""
        if folder in self._doubtful:
            raise self._doubtful[folder]
        try:
            sync_folder(folder)
        except SyncFailed as error:
            self._doubtful[folder] = error
            raise

    def _sync_above(self, folder: str) -> None:
        """Return when the disk holds the name of a folder, unless the one above may not be read."""
        with contextlib.suppress(PermissionError):
            self._sync(os.path.dirname(folder))

    def _settle(self, folder: str, key: str) -> None:
        """Return when `key`, which is there, would outlast a loss of power."""
        with settling(key):
            self._sync(folder)

    def _make_folder(self, key: str) -> str:
        """Make the folder `key` and those above it, durably, and return its path."""
        if key in self._durable:
            return self._place(key, whole=True) if key else self._root
        # Also where they were there: whoever made them may have died before they were on the disk.
        if "" not in self._durable:
            self._sync_above(self._root)
            self._durable.add("")
        here = self._root
        for segment in key.split("/") if key else ():
            parent, here = here, os.path.join(here, segment)
            with contextlib.suppress(FileExistsError):
                os.mkdir(here)
            self._sync(parent)
            _refuse_link(here, key)
        self._durable.add(key)
        return here

    def _beside(self, key: str) -> Iterator[str]:
        """Yield paths for something temporary in the folder `key`, which others may be removing while it is empty."""
        for _ in range(_TRIES):
            try:
                yield os.path.join(self._make_folder(key), temporary_name())
            except FileNotFoundError as error:
                if not os.path.isdir(self._root):
                    raise self._no_root() from error
            self._durable.discard(key)
            if not os.path.isdir(self._root):
                raise self._no_root()
        raise Conflict(f"{key or self._url} is being removed again and again while something is written there")

    def _temporary_file(self, key: str) -> tuple[str, str, int]:
        for path in self._beside(key):
            with contextlib.suppress(FileNotFoundError):
                return os.path.dirname(path), path, new_file(path)
        raise AssertionError

    def _temporary_folder(self, key: str) -> str:
        for path in self._beside(key):
            with contextlib.suppress(FileNotFoundError):
                os.mkdir(path)
                return path
        raise AssertionError

    def _temporary_link(self, key: str, target: str) -> str:
        for path in self._beside(key):
            with contextlib.suppress(FileNotFoundError):
                os.symlink(target, path)
                return path
        raise AssertionError

    def _remove_emptied(self, key: str) -> None:
        folder = key.rpartition("/")[0]
        while folder:
            path = self._path(folder)
            try:
                os.rmdir(path)
            except OSError as error:
                if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                    return
                if error.errno != errno.ENOENT:
                    raise
            else:
                self._durable.discard(folder)  # nor need it last: an empty folder is nothing
            folder = folder.rpartition("/")[0]


def _refuse_link(path: str, key: str) -> None:
    """Return if no symbolic link lies at `path`: whatever is written would land where that leads."""
    if os.path.islink(path):
        raise IntegrityError(
            f"{key} cannot be written: {path} is a symbolic link where a folder is expected",
            hint="remove the link; nothing was written through it",
        )


def sync_unless_gone(path: str) -> None:
    """Return when the disk holds what was removed from a folder, which somebody else may have removed itself."""
    with contextlib.suppress(FileNotFoundError):
        sync_folder(path)
