"""A registry in a folder: a disk, or a network file system that has hard links."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from artreg.errors import AlreadyExists, Conflict, IntegrityError, InvalidInput, NotFound, OutcomeUnknown
from artreg.store import pointers
from artreg.store.disk import (
    SyncFailed,
    below,
    check_source,
    committing,
    entry_of,
    named,
    new_file,
    open_file,
    open_folder,
    pieces,
    reading,
    remove_quietly,
    settling,
    source_pieces,
    sync,
    sync_folder,
    translate,
    write_all,
    writing,
)
from artreg.store.folders import cleaned, is_empty, is_folder, remove_tree
from artreg.store.interface import (
    NO_PROGRESS,
    READ_LIMIT,
    Chunk,
    Digest,
    Entry,
    Finding,
    Kind,
    Leftover,
    Page,
    Pointer,
    Progress,
    TreeFile,
    check_key,
)
from artreg.store.limits import too_large
from artreg.store.names import check_prefix, check_tree, is_hidden, is_own, is_segment, is_temporary, temporary_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}
_MANY = 512  # files; fewer are listed as fast
_TRIES = 100  # times that a folder may vanish under a writer before it gives up
_ENOUGH = 2**30
_SKEW = 60.0


class LocalStore:
    """Files below one folder, written by system calls alone.

    A file appears by `link(2)`, a tree by `rename(2)` of a folder, a pointer by `rename(2)` of a symbolic link; each
    is on the disk before it is acknowledged.

    Args:
        root: The folder.
    """

    whole_trees = True

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._url = os.fspath(root)
        self._root = os.path.abspath(self._url)
        self._durable: set[str] = set()  # folders whose own names are known to be on the disk
        self._doubtful: dict[str, OSError] = {}  # folders of which an fsync failed

    def __reduce__(self) -> tuple[object, ...]:
        return LocalStore, (self._root,)

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
            raise InvalidInput(f"{self._url} is a file, no registry", hint="name a folder")

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

    def prepare_writing(self) -> None:
        """Do nothing: `link(2)` never replaces anything."""

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return the whole of a small file."""
        with reading(check_key(key)), open(open_file(self._root, key), "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > limit:
                raise too_large(key, limit)
            taken = bytearray()
            while piece := file.read(limit + 1 - len(taken)):
                taken += piece
        if len(taken) > limit:
            raise too_large(key, limit)
        return bytes(taken)

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Yield files one after the other: a disk gains nothing by more."""
        return map(self.read, keys)

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        """Yield a file's bytes in order; each piece lies where the one before it did."""
        with reading(check_key(key)):
            source = pieces(open_file(self._root, key), start)
        while True:
            with reading(key):
                piece = next(source, None)
            if piece is None:
                return
            yield piece

    def digests(
        self, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
    ) -> Iterator[Digest]:
        """Yield the digests of files, hashed on every core."""
        from artreg.store.hashing import digests  # noqa: PLC0415  # most commands hash nothing

        return digests(self._root, check_prefix(prefix), files, progress)

    def page(self, prefix: str, after: str = "") -> Page:
        """List all names at once: on a disk a second page would cost as much as the first."""
        with reading(check_prefix(prefix) or self._url):
            try:
                with self._folder(prefix) as folder, os.scandir(folder) as found:
                    every = {it.name: it for it in found}  # in one go: what others add meanwhile may show in part
                    shown = sorted(name for name in every if name > after and not is_hidden(prefix, name))
                    return Page(tuple([named(every[name]) for name in shown]), more=False)
            except (FileNotFoundError, NotADirectoryError):
                return Page((), more=False)

    def last_number(self, prefix: str, name: Callable[[int], str]) -> int | None:
        """Look for the last number as in a telephone book: a hundred times more files take a few looks more."""
        with reading(check_prefix(prefix) or self._url):
            try:
                with self._folder(prefix) as folder:
                    return _last_number(folder, name)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield everything below `prefix` that is no folder."""
        with reading(check_prefix(prefix) or self._url):
            try:
                folder = open_folder(self._root, prefix)
            except (FileNotFoundError, NotADirectoryError):
                return
        try:
            yield from below(folder, "", prefix or self._url, sized=sized)
        finally:
            os.close(folder)

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

    def local_path(self, key: str) -> Path:
        """Return where a file lies."""
        from pathlib import Path  # noqa: PLC0415  # most commands need none

        return Path(self._path(check_key(key)))

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
        if os.path.lexists(target) and self._is_tree(prefix, marks):
            self._settle(os.path.dirname(target), prefix)
            return
        if os.path.lexists(target) and not is_empty(target):
            raise _taken(prefix)
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
                _sync_unless_gone(folder)

    def pointer(self, key: str) -> Pointer | None:
        """Return where the symbolic link leads, or what a file from a bucket says."""
        with reading(check_key(key)):
            try:
                with self._folder(key.rpartition("/")[0]) as folder:
                    target = os.readlink(key.rpartition("/")[2], dir_fd=folder)
                return Pointer(target) if is_segment(target) else pointers.NONSENSE
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                if error.errno != errno.EINVAL:  # which says that it is no link
                    raise
        return self._pointer_file(key)

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

    def leftovers(self) -> Iterator[Leftover]:
        """Yield temporary files and folders, and what a probe that died left behind."""
        rest = self._level("", "")
        while rest:
            entry = rest.pop()
            if is_temporary(entry.name.rpartition("/")[2]):
                yield self._leftover(entry)
            elif entry.kind is Kind.FOLDER:
                rest += self._level("", entry.name)
            elif is_own(entry.name):
                yield Leftover(entry.name, token="", size=entry.size, modified=entry.modified)

    def discard(self, leftover: Leftover) -> None:
        """Take a leftover out of its writer's reach by renaming it, then remove it."""
        if not is_own(check_key(leftover.key)):
            raise InvalidInput(f"{leftover.key} is no leftover")
        path = self._place(leftover.key)
        doomed = os.path.join(os.path.dirname(path), temporary_name())
        with writing(leftover.key, "removed"):
            try:
                os.rename(path, doomed)
            except (FileNotFoundError, NotADirectoryError):
                return
            with contextlib.suppress(FileNotFoundError):  # somebody else is cleaning up too
                if is_folder(doomed):
                    remove_tree(doomed, quietly=False)
                else:
                    os.unlink(doomed)
            _sync_unless_gone(os.path.dirname(path))
            self._remove_emptied(leftover.key)

    def diagnose(self) -> Iterator[Finding]:
        """Yield how much space there is, and whether the file system's clock agrees with this machine's."""
        with writing(self._url, "examined"):
            figures = os.statvfs(self._root)
            free = figures.f_bavail * figures.f_frsize
        yield Finding(
            "space",
            ok=free >= _ENOUGH,
            message=f"{free / 2**30:,.1f} GiB are free",
            hint="" if free >= _ENOUGH else "Free some space before a model is published.",
        )
        with writing(self._url, "written"):
            _, temporary, descriptor = self._temporary_file("")
            skew = os.fstat(descriptor).st_mtime - time.time()
            os.close(descriptor)
            remove_quietly(os.unlink, temporary)
        yield Finding(
            "clock",
            ok=abs(skew) < _SKEW,
            message=f"the file system's clock differs from this machine's by {abs(skew):.0f} s",
            hint="" if abs(skew) < _SKEW else "Set both clocks; what counts as a leftover depends on them.",
        )

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

    def _level(self, prefix: str, inner: str) -> list[Entry]:
        """What lies directly under a folder, the last first, as names below it sort among their neighbours."""
        place = "/".join(part for part in (prefix, inner) if part)
        lead = f"{inner}/" if inner else ""
        with reading(place or self._url):
            try:
                with self._folder(place) as folder:
                    found = [entry_of(folder, name, lead + name) for name in os.listdir(folder)]
            except (FileNotFoundError, NotADirectoryError):
                return []
        entries = [entry for entry in found if entry]
        return sorted(entries, key=lambda it: it.name + "/" * (it.kind is Kind.FOLDER), reverse=True)

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

    def _pointer_file(self, key: str) -> Pointer:
        try:
            return pointers.decode(self.read(key, pointers.LIMIT))
        except (NotFound, IntegrityError):
            return pointers.NONSENSE

    def _leftover(self, entry: Entry) -> Leftover:
        size, modified = entry.size, entry.modified
        if entry.kind is Kind.FOLDER:
            for inner in self.walk(entry.name):
                size += inner.size
                modified = max(modified, inner.modified)
        return Leftover(entry.name, token="", size=size, modified=modified)


def _refuse_link(path: str, key: str) -> None:
    """Return if no symbolic link lies at `path`: whatever is written would land where that leads."""
    if os.path.islink(path):
        raise IntegrityError(
            f"{key} cannot be written: {path} is a symbolic link where a folder is expected",
            hint="remove the link; nothing was written through it",
        )


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


def _last_number(folder: int, name: Callable[[int], str]) -> int | None:
    def there(number: int) -> bool:
        try:
            os.stat(name(number), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    if not there(_MANY):
        return None
    low = _MANY
    while there(2 * low):
        low *= 2
    high = 2 * low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there(middle) else (low, middle)
    # Where one is missing others follow: at one of these distances unless most of what follows is missing too.
    gap = any(there(high + 2**distance) for distance in range(low.bit_length() + 1))
    return None if gap else low


def _sync_unless_gone(path: str) -> None:
    """Return when the disk holds what was removed from a folder, which somebody else may have removed itself."""
    with contextlib.suppress(FileNotFoundError):
        sync_folder(path)


def _taken(prefix: str) -> AlreadyExists:
    return AlreadyExists(f"{prefix} is there already")
