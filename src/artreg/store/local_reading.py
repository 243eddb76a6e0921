"""The reading half of a registry in a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence

from artreg.errors import IntegrityError, NotFound
from artreg.store import pointers
from artreg.store.disk import below, entry_of, named, open_file, open_folder, pieces, reading
from artreg.store.interface import (
    NO_PROGRESS,
    READ_LIMIT,
    Chunk,
    Digest,
    Entry,
    Kind,
    Page,
    Pointer,
    Progress,
    check_key,
)
from artreg.store.limits import too_large
from artreg.store.local_root import LocalRoot
from artreg.store.names import check_prefix, is_hidden, is_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_MANY = 512  # files; fewer are listed as fast


class LocalReader(LocalRoot):
    """Reads files, folders and symbolic links, through no link that leads out of its own folder."""

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

    def local_path(self, key: str) -> Path:
        """Return where a file lies."""
        from pathlib import Path  # noqa: PLC0415  # most commands need none

        return Path(self._path(check_key(key)))

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

    def _pointer_file(self, key: str) -> Pointer:
        try:
            return pointers.decode(self.read(key, pointers.LIMIT))
        except (NotFound, IntegrityError):
            return pointers.NONSENSE


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
