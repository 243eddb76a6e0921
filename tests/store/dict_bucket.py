"""A bucket that is a dictionary, in which a writer can die at any request; it has no threads, no network, no delays."""

from __future__ import annotations

import bisect
import hashlib
import threading
import time
from collections.abc import Iterator

from artreg.errors import AlreadyExists, IntegrityError, NotFound
from artreg.store.bucket import Found, Piece
from artreg.store.disk import hashed_bytes
from artreg.store.interface import Entry, Finding, Kind, Leftover, Page, Progress, TreeFile
from store.faults import Crash

_PAGE = 1000


class DictBucket:
    """Objects in a dictionary, with the time at which each was put.

    Args:
        of: The bucket whose objects these are; by default a new one.
        dies_at: The request before which whoever uses it dies, counted from 0; it stays dead.
    """

    url = "dict://bucket"
    piece_size = 2**20
    parallel = 1

    def __init__(self, of: DictBucket | None = None, dies_at: int | None = None) -> None:
        self.objects: dict[str, tuple[bytes, float]] = of.objects if of else {}
        self._keys: list[str] = of._keys if of else []  # sorted
        self._left = dies_at
        self._turn = threading.Lock()  # a probe writes with several threads at once

    def require(self) -> None:
        self._tick()

    def get(self, key: str, start: int, length: int, tag: str = "", into: bytearray | None = None) -> Piece:
        self._tick()
        if key not in self.objects:
            raise NotFound(f"{key} is not there")
        data, _ = self.objects[key]
        if tag and _tag(data) != tag:
            raise IntegrityError(f"{key} was overwritten while it was being read")
        return Piece(data[start : start + length], len(data), _tag(data))

    def put_absent(self, key: str, data: bytes) -> None:
        self._tick()
        with self._turn:
            if key in self.objects:
                raise AlreadyExists(f"{key} is there already")
            self._put(key, data)
        self._tick()

    def put(self, key: str, data: bytes) -> None:
        self._tick()
        self._put(key, data)
        self._tick()

    def upload(self, key: str, file: TreeFile, progress: Progress, *, absent: bool = False) -> str:
        self._tick()
        data = hashed_bytes(file, progress)
        if absent and key in self.objects:
            raise AlreadyExists(f"{key} is there already")
        self._put(key, data)
        return _tag(data)

    def fingerprint(self, file: TreeFile) -> str:
        return _tag(hashed_bytes(file))

    def page(self, prefix: str, after: str) -> Page:
        self._tick()
        lead = f"{prefix}/" if prefix else ""
        at = bisect.bisect_left(self._keys, f"{lead}{after}" if after else lead)
        entries: list[Entry] = []
        while at < len(self._keys) and self._keys[at].startswith(lead):
            name, inner, _ = self._keys[at][len(lead) :].partition("/")
            if name > after:
                if len(entries) == _PAGE:
                    return Page(tuple(entries), more=True)
                entries.append(Entry(name, Kind.FOLDER, 0, 0.0) if inner else self._entry(lead, name))
            at = bisect.bisect_left(self._keys, f"{lead}{name}0", at) if inner else at + 1  # "0" follows "/"
        return Page(tuple(entries), more=False)

    def walk(self, prefix: str) -> Iterator[Found]:
        self._tick()
        lead = f"{prefix}/" if prefix else ""
        at = bisect.bisect_left(self._keys, lead)
        found = []
        while at < len(self._keys) and self._keys[at].startswith(lead):
            key = self._keys[at]
            found.append(Found(self._entry(lead, key[len(lead) :]), _tag(self.objects[key][0])))
            at += 1
        return iter(found)

    def remove(self, key: str) -> None:
        self._tick()
        if self.objects.pop(key, None):
            del self._keys[bisect.bisect_left(self._keys, key)]

    def uploads(self) -> Iterator[Leftover]:
        return iter(())

    def abort(self, leftover: Leftover) -> None:
        raise AssertionError(f"{leftover} never was")

    def diagnose(self) -> Iterator[Finding]:
        return iter(())

    def _tick(self) -> None:
        if self._left == 0:
            raise Crash("before a request")
        if self._left is not None:
            self._left -= 1

    def _put(self, key: str, data: bytes) -> None:
        if key not in self.objects:
            bisect.insort(self._keys, key)
        self.objects[key] = (bytes(data), time.time())

    def _entry(self, lead: str, name: str) -> Entry:
        data, modified = self.objects[f"{lead}{name}"]
        return Entry(name, Kind.FILE, len(data), modified)


def _tag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
