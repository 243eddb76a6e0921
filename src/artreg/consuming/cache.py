"""Files under their sha256 in a folder of this machine, so that what was fetched once is not fetched again.

Nothing in the folder is believed. Whoever takes a file out hashes it, so that one which was altered is found, thrown
away and fetched again; for the same reason nothing in it is synced, and whatever a crash leaves there does no harm.

    files/ab/abcd…     the files, read-only; the time of a file is that of its last use
    partial/abcd…      what has come so far of a file, locked by whoever fetches it
    leases/…           what is in use just now, locked by whoever uses it: nothing of that is removed
    trees/…            versions as folders, their files being second names of those above
    resolved/…         what references meant when they were last asked about
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator

from artreg.frozen import Frozen
from artreg.store.folders import remove_tree
from artreg.store.interface import NO_PROGRESS, Progress

AUTO = "auto"
"""In the place of a folder: the one of the user's own for caches, and only for what does not lie on a disk anyway."""

OFF = "off"
"""In the place of a folder: no cache."""

DEFAULT_SIZE = 20 * 2**30

TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of artreg; see https://bford.info/cachedir/\n"
"""What tells programs for backups that a folder is a cache."""

_SHA256 = r"[0-9a-f]{64}"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Entry(Frozen):
    """A file in the cache.

    Attributes:
        sha256: Its digest, as its name says.
        size: Bytes.
        used: When it was last used, in seconds since 1970.
    """

    sha256: str
    size: int
    used: float


class Cache(Frozen):
    """A folder of files under their sha256; it is made when something is first put into it.

    Attributes:
        folder: Where it is.
        limit: How many bytes it is to hold at most when nobody is using it.
    """

    folder: str
    limit: int = DEFAULT_SIZE

    def path(self, sha256: str) -> str:
        """Return where the file with a digest lies, or would lie."""
        assert re.fullmatch(_SHA256, sha256)
        return os.path.join(self.folder, "files", sha256[:2], sha256)

    def place(self, *names: str) -> str:
        """Return a path in the folder."""
        return os.path.join(self.folder, *names)

    def sizes(self, wanted: Iterable[str]) -> dict[str, int]:
        """Return the sizes of the files that are there, of those wanted, and count them as used now."""
        found: dict[str, int] = {}
        for sha256 in wanted:
            with contextlib.suppress(OSError):
                status = os.lstat(self.path(sha256))
                if stat.S_ISREG(status.st_mode):
                    found[sha256] = status.st_size
                    self._use(sha256)
                else:
                    self.discard(sha256)
        return found

    def open(self, sha256: str, progress: Progress = NO_PROGRESS) -> int | None:
        """Return a descriptor of a file, verified; None if it is not there, or was damaged and is now thrown away."""
        from artreg.store.hashing import BUFFER, hash_descriptor  # noqa: PLC0415  # it loads OpenSSL

        try:
            descriptor = os.open(self.path(sha256), _READ)
        except FileNotFoundError:
            return None
        except OSError:
            self.discard(sha256)
            return None
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                _, found = hash_descriptor(descriptor, bytearray(BUFFER), progress)
                if found == sha256:
                    self._use(sha256)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    return descriptor
        os.close(descriptor)
        self.discard(sha256)
        return None

    def check(self, sha256: str, progress: Progress = NO_PROGRESS) -> bool:
        """Return whether a file is there and whole; one that is damaged is thrown away."""
        descriptor = self.open(sha256, progress)
        if descriptor is None:
            return False
        os.close(descriptor)
        return True

    def read(self, sha256: str, limit: int) -> bytes | None:
        """Return the bytes of a small file, verified; None if it is not there whole."""
        from hashlib import sha256 as hashed  # noqa: PLC0415  # it loads OpenSSL

        from artreg.plainfile import read_plain  # noqa: PLC0415

        try:
            data = read_plain(self.path(sha256), limit)
        except OSError:
            return None
        if hashed(data).hexdigest() == sha256:
            self._use(sha256)
            return data
        self.discard(sha256)
        return None

    def discard(self, sha256: str) -> bool:
        """Throw a file away, or whatever lies in its place; return whether it is gone."""
        path = self.path(sha256)
        try:
            os.unlink(path)
        except OSError:
            remove_tree(path)
        return not os.path.lexists(path)

    def entries(self) -> Iterator[Entry]:
        """Yield every file, in no order.

        Raises:
            OSError: The folder cannot be read.
        """
        for folder in listed(self.place("files")):
            for name in listed(self.place("files", folder)):
                if re.fullmatch(_SHA256, name) and name[:2] == folder:
                    with contextlib.suppress(FileNotFoundError):
                        status = os.lstat(self.path(name))
                        yield Entry(name, status.st_size, status.st_mtime)

    def _use(self, sha256: str) -> None:
        with contextlib.suppress(OSError):  # of a cache that can only be read nothing is removed either
            os.utime(self.path(sha256))

    def make(self) -> None:
        """Make the folder where it is missing.

        Raises:
            OSError: It cannot be made.
        """
        if not os.path.isdir(self.place("files")):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            for name in ("files", "partial", "leases", "trees", "resolved"):
                os.makedirs(self.place(name), exist_ok=True)
            with contextlib.suppress(FileExistsError), open(self.place("CACHEDIR.TAG"), "xb") as file:
                file.write(TAG)


def listed(folder: str) -> list[str]:
    """Return the names in a folder, none if there is no such folder."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def default_folder() -> str:
    """Return the user's own folder for the cache, '' for a user without a home."""
    own = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(own):
        return os.path.join(own, "artreg")
    home = os.path.expanduser("~")
    where = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.path.join(home, *where, "artreg") if os.path.isabs(home) else ""


def find_cache(setting: str, limit: int = DEFAULT_SIZE, *, local: bool = False) -> Cache | None:
    """Return the cache that a setting means, None if there is to be none.

    Args:
        setting: A folder, `auto` or `off`.
        limit: How many bytes it is to hold at most.
        local: Whether the registry lies on a disk of this machine: then `auto` means none, for a third copy would
            save nothing.
    """
    if setting == OFF or (setting == AUTO and local):
        return None
    folder = default_folder() if setting == AUTO else os.path.abspath(os.path.expanduser(setting))
    return Cache(folder, limit) if folder else None
