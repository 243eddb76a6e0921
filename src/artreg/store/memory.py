"""A registry in this process's memory, which behaves as one on a disk does."""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from artreg.errors import AlreadyExists, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.store import pointers
from artreg.store.digest import stream_digest
from artreg.store.disk import hashed_bytes
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
from artreg.store.names import check_prefix, check_tree, is_hidden, is_own
from artreg.store.staging import in_place

_PAGE = 1000
_PIECE = 2**20


class _File(Frozen):
    data: bytes
    modified: float


@dataclass(slots=True)
class _Root:
    """What lies below one root, and whether that root has been made."""

    made: bool = False
    files: dict[str, _File] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)  # those of `files`, sorted
    lock: threading.RLock = field(default_factory=threading.RLock)

    def below(self, prefix: str) -> list[str]:
        """Every key below `prefix`, sorted."""
        lead = f"{prefix}/" if prefix else ""
        first = bisect.bisect_left(self.keys, lead)
        last = bisect.bisect_left(self.keys, lead[:-1] + "0") if lead else len(self.keys)  # "0" follows "/"
        return self.keys[first:last]

    def put(self, key: str, data: bytes) -> None:
        if key not in self.files:
            bisect.insort(self.keys, key)
        self.files[key] = _File(data, time.time())

    def remove(self, key: str) -> None:
        if self.files.pop(key, None):
            del self.keys[bisect.bisect_left(self.keys, key)]


_roots: dict[str, _Root] = {}
_roots_lock = threading.Lock()


class MemoryStore:
    """Files in this process's memory; stores of one name show the same ones.

    Args:
        name: What comes after `memory://`.
    """

    whole_trees = True

    def __init__(self, name: str) -> None:
        self._name = name
        with _roots_lock:
            self._root = _roots.setdefault(name, _Root())

    def __reduce__(self) -> NoReturn:
        raise InvalidInput(f"{self.url} is there in one process only", hint="use threads, or another registry")

    @property
    def url(self) -> str:
        """`memory://` and the name."""
        return f"memory://{self._name}"

    def require_root(self) -> None:
        """Return if somebody made the root."""
        if not self._root.made:
            raise NotFound(f"there is no registry at {self.url}", hint="make one: artreg init, or name another")

    def make_root(self) -> None:
        """Make the root."""
        self._root.made = True

    def prepare_writing(self) -> None:
        """Do nothing: a lock makes `create` atomic."""

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return the whole of a small file."""
        data = self._data(key)
        if len(data) > limit:
            raise too_large(key, limit)
        return data

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Yield files one after the other."""
        return map(self.read, keys)

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        """Yield a file's bytes in order."""
        data = memoryview(self._data(key))
        for place in range(start, len(data), _PIECE):
            yield data[place : place + _PIECE]

    def digests(
        self, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
    ) -> Iterator[Digest]:
        """Yield the digests of files, one after the other."""
        return (stream_digest(self, prefix, name, progress) for name, _ in files)

    def page(self, prefix: str, after: str = "") -> Page:
        """List a thousand names at a time."""
        lead = len(prefix) + 1 if prefix else 0
        with self._root.lock:
            names: dict[str, Entry] = {}
            for key in self._root.below(check_prefix(prefix)):
                name, inner, _ = key[lead:].partition("/")
                if name > after and not is_hidden(prefix, name):
                    names[name] = Entry(name, Kind.FOLDER, 0, 0.0) if inner else self._entry(key, name)
        entries = [names[name] for name in sorted(names)]
        return Page(tuple(entries[:_PAGE]), more=len(entries) > _PAGE)

    def last_number(self, prefix: str, name: Callable[[int], str]) -> int | None:
        """Return None: a listing costs no more."""
        return None

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield everything below `prefix`, as it is at this moment."""
        lead = len(prefix) + 1 if prefix else 0
        with self._root.lock:
            entries = [self._entry(key, key[lead:]) for key in self._root.below(check_prefix(prefix))]
        yield from entries

    def create(self, key: str, data: bytes) -> None:
        """Make a small file appear if nothing lies under its key."""
        check_key(key)
        with self._root.lock:
            self._check_place(key)
            if key in self._root.files or self._root.below(key):
                raise AlreadyExists(f"{key} is there already")
            self._root.put(key, bytes(data))

    def persist(self, keys: Sequence[str]) -> None:
        """Do nothing: what is visible here lasts as long as anything does."""

    def local_path(self, key: str) -> Path | None:
        """Return None: no file of this machine."""
        return None

    def staged(
        self,
        folder: str,
        sources: Mapping[str, Path],
        *,
        link: bool = False,
        dry_run: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> AbstractContextManager[tuple[TreeFile, ...]]:
        """Take stock of files where they lie."""
        return in_place(sources, progress=progress)

    def put_tree(
        self, prefix: str, files: Sequence[TreeFile], *, claim: str, seal: str, progress: Progress = NO_PROGRESS
    ) -> None:
        """Read every source, then make all files appear at once."""
        check_tree(check_key(prefix), files, claim, seal)
        contents = {f"{prefix}/{file.name}": hashed_bytes(file, progress) for file in files}
        marks = (f"{prefix}/{claim}", f"{prefix}/{seal}")
        with self._root.lock:
            self._check_place(prefix)
            there = self._root.files
            if all(mark in there and there[mark].data == contents[mark] for mark in marks):
                return
            if prefix in there or self._root.below(prefix):
                raise AlreadyExists(f"{prefix} is there already")
            for key, data in contents.items():
                self._root.put(key, data)

    def restore(self, key: str, file: TreeFile, progress: Progress = NO_PROGRESS) -> None:
        """Put a file in its place."""
        data = hashed_bytes(file, progress)
        with self._root.lock:
            self._check_place(check_key(key))
            self._root.put(key, data)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files."""
        for key in keys:
            check_key(key)
            with self._root.lock:
                self._root.remove(key)

    def pointer(self, key: str) -> Pointer | None:
        """Return what the file under `key` points at."""
        try:
            data = self._data(key)
        except NotFound:
            return None
        return pointers.decode(data) if len(data) <= pointers.LIMIT else pointers.NONSENSE

    def point(self, key: str, pointer: Pointer) -> None:
        """Set the file under `key`, whatever was there before."""
        data = pointers.encode(pointers.check_pointer(pointer))
        with self._root.lock:
            self._check_place(check_key(key))
            if self._root.below(key):
                raise StorageError(f"{key} cannot be written: it is a folder", hint="move the folder away")
            self._root.put(key, data)

    def leftovers(self) -> Iterator[Leftover]:
        """Yield what a probe that died left behind; nothing else can be left in memory."""
        for entry in self.walk(""):
            if is_own(entry.name):
                yield Leftover(entry.name, token="", size=entry.size, modified=entry.modified)

    def discard(self, leftover: Leftover) -> None:
        """Remove a leftover."""
        if not is_own(check_key(leftover.key)):
            raise InvalidInput(f"{leftover.key} is no leftover")
        self.delete([leftover.key])

    def diagnose(self) -> Iterator[Finding]:
        """Yield that nothing here outlasts the process."""
        yield Finding("lasting", ok=True, message="it lies in memory and is gone when this process ends")

    def _data(self, key: str) -> bytes:
        found = self._root.files.get(check_key(key))
        if found is None:
            raise NotFound(f"{key} is not there")
        return found.data

    def _entry(self, key: str, name: str) -> Entry:
        file = self._root.files[key]
        return Entry(name, Kind.FILE, size=len(file.data), modified=file.modified)

    def _check_place(self, key: str) -> None:
        self.require_root()
        segments = key.split("/")
        for depth in range(1, len(segments)):
            above = "/".join(segments[:depth])
            if above in self._root.files:
                raise StorageError(f"{key} cannot be written: {above} is a file", hint="move that file away")
