"""System calls for the local store: durable, never following a link below the root, their errors told apart once."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator

from artreg.errors import ArtregError, IntegrityError, NotFound, OutcomeUnknown, StorageError
from artreg.store.folders import cleaned
from artreg.store.interface import NO_PROGRESS, Entry, Kind, Progress, TreeFile

BUFFER = 2**20
"""Bytes that are moved at a time."""

FILE_MODE = 0o444  # nothing that is published is ever written again; the umask still applies

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_HINTS = {
    errno.ENOSPC: "the disk is full: free some space there, then run the command again",
    errno.EDQUOT: "the disk quota is used up: free some space there, then run the command again",
    errno.EROFS: "the file system is mounted read-only: mount it for writing, or use another registry",
    errno.EACCES: "ask whoever owns the registry for permission, or use another one",
    errno.EPERM: "ask whoever owns the registry for permission; a file system without hard links cannot hold one",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.EIO: "the disk reports an error: look at the kernel's log before anything else",
    errno.ENAMETOOLONG: "use a shorter path for the registry, or shorter names",
    errno.EMLINK: "the file system allows no further hard link or folder there",
    errno.EOPNOTSUPP: "the file system lacks hard links or symbolic links: use another one",
    errno.ENOSYS: "the file system lacks hard links or symbolic links: use another one",
    errno.ESTALE: "the network file system lost the folder: mount it again",
    errno.ENOTDIR: "a file stands where a folder must be: move it away",
    errno.EISDIR: "a folder stands where a file must be: move it away",
}
_UNCERTAIN = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR}
_CANNOT_SYNC = {errno.EINVAL, errno.EOPNOTSUPP}  # what network file systems say that cannot sync a folder


def translate(error: OSError, key: str, doing: str) -> ArtregError:
    """Return the error of artreg's own for what a system call said about `key`."""
    reason = (error.strerror or str(error)).lower()
    hint = _HINTS.get(error.errno or 0, "")
    return StorageError(f"{key} cannot be {doing}: {reason}", hint=hint, errno=errno.errorcode.get(error.errno or 0))


@contextlib.contextmanager
def reading(key: str) -> Iterator[None]:
    """Turn what system calls say while `key` is being read into errors of artreg's own."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{key} is not there") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise IntegrityError(f"{key} is a symbolic link where a file is expected") from error
        if error.errno in {errno.ENXIO, errno.ENODEV}:
            raise IntegrityError(f"{key} is no plain file") from error
        raise translate(error, key, "read") from error


@contextlib.contextmanager
def writing(key: str, doing: str = "written") -> Iterator[None]:
    """Turn what system calls say while `key` is being changed, to no effect yet, into errors of artreg's own."""
    try:
        yield
    except OSError as error:
        raise translate(error, key, doing) from error


@contextlib.contextmanager
def writing_tree(key: str) -> Iterator[None]:
    """Like `writing`, inside a temporary folder of our own: only a clean-up takes that away."""
    try:
        yield
    except FileNotFoundError as error:
        raise cleaned(key) from error
    except OSError as error:
        raise translate(error, key, "written") from error


@contextlib.contextmanager
def committing(key: str) -> Iterator[None]:
    """Like `writing`, for the call that makes `key` appear: after some errors nobody knows whether it did."""
    try:
        yield
    except OSError as error:
        if error.errno in _UNCERTAIN:
            raise unknown(error, key) from error
        raise translate(error, key, "written") from error


@contextlib.contextmanager
def settling(key: str) -> Iterator[None]:
    """Like `writing`, once `key` has appeared: it is there, but may not outlast a loss of power."""
    try:
        yield
    except OSError as error:
        raise unknown(error, key, "is there, but may not outlast a loss of power") from error


def unknown(error: OSError, key: str, what: str = "may or may not have been written") -> OutcomeUnknown:
    """Return the error for a `key` of which nobody knows whether it is there for good."""
    reason = (error.strerror or str(error)).lower()
    return OutcomeUnknown(
        f"{key} {what}: {reason}",
        hint=_HINTS.get(error.errno or 0, "Run the command again: it finds out."),
        errno=errno.errorcode.get(error.errno or 0),
    )


class SyncFailed(OSError):
    """An fsync failed: the kernel may have forgotten what it was to write, so that no later one can be believed."""


def sync(descriptor: int) -> None:
    """Return when the disk holds what was written to `descriptor`.

    Raises:
        SyncFailed: It may not; to try again would only hide that.
    """
    if sys.platform == "darwin":  # fsync there leaves it in the drive's cache
        import fcntl  # noqa: PLC0415

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise SyncFailed(error.errno, error.strerror) from error


def sync_folder(path: str) -> None:
    """Return when the disk holds the names in the folder at `path`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def open_folder(root: str, key: str) -> int:
    """Return a descriptor of the folder `key` below `root`; a link on the way there is not followed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for segment in key.split("/") if key else ():
        try:
            inner = os.open(segment, _FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def open_file(root: str, key: str) -> int:
    """Return a descriptor of the plain file `key` below `root`; no link is followed, and a FIFO does not block.

    Raises:
        IntegrityError: It is no plain file.
        NotFound: It is a folder.
    """
    folder, _, name = key.rpartition("/")
    parent = open_folder(root, folder)
    try:
        descriptor = os.open(name, _READ, dir_fd=parent)
    finally:
        os.close(parent)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise NotFound(f"{key} is a folder, no file")
    raise IntegrityError(f"{key} is no plain file")


def pieces(descriptor: int, start: int = 0) -> Iterator[memoryview]:
    """Yield what `descriptor` holds from a place on, each piece in the same buffer as the one before, and close it.

    A file that grows would have no end: what it held when it was opened is taken, and a little that shows that it grew.
    """
    buffer = memoryview(bytearray(BUFFER))
    with open(descriptor, "rb", buffering=0) as file:
        left = os.fstat(descriptor).st_size - start
        if start:
            file.seek(start)
        while left >= 0 and (count := file.readinto(buffer)):
            yield buffer[:count]
            left -= count


def new_file(path: str, *, readable: bool = False) -> int:
    """Return a descriptor for writing the file that was not there until now, and for reading it if wanted."""
    return os.open(path, (_NEW & ~os.O_WRONLY) | os.O_RDWR if readable else _NEW, FILE_MODE)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write the whole of `data`, however little a single call takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def stamp_of(descriptor: int) -> tuple[int, ...]:
    """Return what changes whenever somebody writes to an open file, or puts another in its place."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def check_source(file: TreeFile, size: int, sha256: str) -> None:
    """See that what was read is what was promised.

    Raises:
        IntegrityError: It is not.
    """
    if size != file.size or sha256 != file.sha256:
        raise IntegrityError(
            f"{file.name} is not what its checksum says, or changed while it was being read",
            hint="artreg verify says whether it is damaged; if not, run the command again",
        )


def source_pieces(file: TreeFile) -> Iterator[bytes | memoryview]:
    """Yield the bytes of one file of a tree, from the start.

    Raises:
        IntegrityError: Its source is gone, or is no plain file.
        StorageError: Its source cannot be read.
    """
    if isinstance(file.source, bytes):
        yield file.source
    elif isinstance(file.source, os.PathLike):
        yield from _path_pieces(file, file.source)
    else:
        yield from file.source()


def _path_pieces(file: TreeFile, path: os.PathLike[str]) -> Iterator[memoryview]:
    with _source_errors(file, path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IntegrityError(f"{path} is no plain file")
    source = pieces(descriptor)
    while True:
        with _source_errors(file, path):
            piece = next(source, None)
        if piece is None:
            return
        yield piece


@contextlib.contextmanager
def _source_errors(file: TreeFile, source: os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IntegrityError(f"{file.name} cannot be stored: {source} is not there any more") from error
    except OSError as error:
        raise translate(error, str(source), "read") from error


def hashed_pieces(file: TreeFile, progress: Progress = NO_PROGRESS) -> Iterator[bytes | memoryview]:
    """Yield the bytes of one file of a tree, and see at the end that they were the promised ones.

    Raises:
        IntegrityError: They were not.
    """
    import hashlib  # noqa: PLC0415  # reading small files needs none

    seen = hashlib.sha256()
    size = 0
    for piece in source_pieces(file):
        seen.update(piece)
        size += len(piece)
        if size > file.size:  # it may grow without end
            break
        yield piece
        progress.advance(len(piece))
    check_source(file, size, seen.hexdigest())


def hashed_bytes(file: TreeFile, progress: Progress = NO_PROGRESS) -> bytes:
    """Return the bytes of one small file of a tree.

    Raises:
        IntegrityError: They are not the promised ones.
    """
    data = bytearray()
    for piece in hashed_pieces(file, progress):
        data += piece  # copied at once: the next piece may lie in the same buffer
    return bytes(data)


def remove_quietly(remove: Callable[[str], None], path: str) -> None:
    """Remove what nobody is shown anyway; what stays behind is a leftover, no error."""
    with contextlib.suppress(OSError):
        remove(path)


def entry_of(folder: int, name: str, shown: str) -> Entry | None:
    """Describe `name` in an open folder; None if it vanished meanwhile."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    kind = _kind(found.st_mode)
    return Entry(shown, kind, size=found.st_size if kind is Kind.FILE else 0, modified=found.st_mtime)


def named(found: os.DirEntry[str]) -> Entry:
    """Describe what a folder's own list says of one name, without asking for more."""
    return Entry(found.name, _kind_of(found), size=0, modified=0.0)


def below(folder: int, lead: str, key: str, *, sized: bool) -> Iterator[Entry]:
    """Yield everything below an open folder that is no folder, sorted by name; links are not followed.

    Args:
        folder: Its descriptor.
        lead: What the names begin with.
        key: What errors call it.
        sized: Whether sizes and times are wanted.
    """
    with reading(key):
        yield from _below(folder, lead, sized)


def _below(folder: int, lead: str, sized: bool) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        inner = {f"{it.name}/" if it.is_dir(follow_symlinks=False) else it.name: it for it in found}
        for name in sorted(inner):
            try:
                if name[-1] == "/":
                    descriptor = os.open(name[:-1], _FOLDER, dir_fd=folder)  # a link with a slash would be followed
                    try:
                        yield from _below(descriptor, lead + name, sized)
                    finally:
                        os.close(descriptor)
                elif not sized:
                    yield Entry(lead + name, _kind_of(inner[name]), 0, 0.0)
                else:
                    status = inner[name].stat(follow_symlinks=False)
                    kind = _kind(status.st_mode)
                    yield Entry(lead + name, kind, status.st_size if kind is Kind.FILE else 0, status.st_mtime)
            except (FileNotFoundError, NotADirectoryError):
                continue  # it vanished meanwhile


def _kind_of(found: os.DirEntry[str]) -> Kind:
    if found.is_file(follow_symlinks=False):
        return Kind.FILE
    if found.is_dir(follow_symlinks=False):
        return Kind.FOLDER
    return Kind.LINK if found.is_symlink() else Kind.OTHER


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER
