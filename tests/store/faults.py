"""Stores that break in a chosen way, wrapped round ones that do not."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from artreg.errors import AlreadyExists, OutcomeUnknown
from artreg.store.interface import (
    NO_PROGRESS,
    READ_LIMIT,
    Chunk,
    Digest,
    Entry,
    Finding,
    Leftover,
    Page,
    Pointer,
    Progress,
    Store,
    TreeFile,
)


class Crash(BaseException):
    """The process died here; nothing may catch it, as nothing catches a power cut."""


class Wrapper:
    """Passes every call on; `before` is told its name and may raise, and so is `after` once it has returned."""

    def __init__(self, store: Store) -> None:
        self.inner = store

    def before(self, call: str, key: str) -> None:
        pass

    def after(self, call: str, key: str) -> None:
        pass

    def _pass(self, call: str, key: str, action: Callable[[], object]):
        self.before(call, key)
        result = action()
        self.after(call, key)
        return result

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def whole_trees(self) -> bool:
        return self.inner.whole_trees

    def require_root(self) -> None:
        self._pass("require_root", "", self.inner.require_root)

    def make_root(self) -> None:
        self._pass("make_root", "", self.inner.make_root)

    def prepare_writing(self) -> None:
        self._pass("prepare_writing", "", self.inner.prepare_writing)

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        return self._pass("read", key, lambda: self.inner.read(key, limit))

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        return map(self.read, keys)

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        self.before("chunks", key)
        yield from self.inner.chunks(key, start)
        self.after("chunks", key)

    def digests(
        self, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
    ) -> Iterator[Digest]:
        self.before("digests", prefix)
        yield from self.inner.digests(prefix, files, progress)
        self.after("digests", prefix)

    def page(self, prefix: str, after: str = "") -> Page:
        return self._pass("page", prefix, lambda: self.inner.page(prefix, after))

    def last_number(self, prefix: str, name: Callable[[int], str]) -> int | None:
        return self._pass("last_number", prefix, lambda: self.inner.last_number(prefix, name))

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        self.before("walk", prefix)
        yield from self.inner.walk(prefix, sized=sized)
        self.after("walk", prefix)

    def create(self, key: str, data: bytes) -> None:
        self._pass("create", key, lambda: self.inner.create(key, data))

    def persist(self, keys: Sequence[str]) -> None:
        self._pass("persist", keys[0], lambda: self.inner.persist(keys))

    def local_path(self, key: str) -> Path | None:
        return self.inner.local_path(key)

    @contextlib.contextmanager
    def staged(self, folder: str, sources: Mapping[str, Path], **settings: Any) -> Iterator[tuple[TreeFile, ...]]:
        self.before("staged", folder)
        with self.inner.staged(folder, sources, **settings) as files:
            yield files
        self.after("staged", folder)

    def put_tree(
        self, prefix: str, files: Sequence[TreeFile], *, claim: str, seal: str, progress: Progress = NO_PROGRESS
    ) -> None:
        self._pass(
            "put_tree", prefix, lambda: self.inner.put_tree(prefix, files, claim=claim, seal=seal, progress=progress)
        )

    def restore(self, key: str, file: TreeFile, progress: Progress = NO_PROGRESS) -> None:
        self._pass("restore", key, lambda: self.inner.restore(key, file, progress))

    def delete(self, keys: Sequence[str]) -> None:
        """One call for each key, so that a crash can lie between two."""
        for key in keys:
            self._pass("delete", key, lambda key=key: self.inner.delete([key]))

    def pointer(self, key: str) -> Pointer | None:
        return self._pass("pointer", key, lambda: self.inner.pointer(key))

    def point(self, key: str, pointer: Pointer) -> None:
        self._pass("point", key, lambda: self.inner.point(key, pointer))

    def leftovers(self) -> Iterator[Leftover]:
        self.before("leftovers", "")
        yield from self.inner.leftovers()
        self.after("leftovers", "")

    def discard(self, leftover: Leftover) -> None:
        self._pass("discard", leftover.key, lambda: self.inner.discard(leftover))

    def diagnose(self) -> Iterator[Finding]:
        self.before("diagnose", "")
        yield from self.inner.diagnose()
        self.after("diagnose", "")


class Counting(Wrapper):
    """Remembers every call, as `(name, key)`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls: list[tuple[str, str]] = []

    def before(self, call: str, key: str) -> None:
        self.calls.append((call, key))


class CrashAt(Wrapper):
    """Dies at the `point`-th moment; the two moments of a call are just before it and just after it took effect."""

    def __init__(self, store: Store, point: int) -> None:
        super().__init__(store)
        self._left = point

    def before(self, call: str, key: str) -> None:
        self._tick(call, key)

    def after(self, call: str, key: str) -> None:
        self._tick(call, key)

    def _tick(self, call: str, key: str) -> None:
        if self._left == 0:
            raise Crash(f"{call} {key}")
        self._left -= 1


class LostAnswers(Wrapper):
    """Loses the answers of the first `losses` calls of `create`, which took effect or did not."""

    def __init__(self, store: Store, losses: int = 1, *, effect: bool = True, sent_again: bool = False) -> None:
        super().__init__(store)
        self._losses = losses
        self._effect = effect
        self._sent_again = sent_again

    def create(self, key: str, data: bytes) -> None:
        if not self._losses:
            return self.inner.create(key, data)
        self._losses -= 1
        if self._effect:
            self.inner.create(key, data)
        if self._sent_again:  # whatever lies between sent it twice, and the second met the first
            raise AlreadyExists(f"{key} is there already")
        raise OutcomeUnknown(f"{key} may or may not have been written")


class Unconditional(Wrapper):
    """Ignores the condition of `create`, as a bucket does that does not know it; answers success each time."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._turn = threading.Lock()

    def create(self, key: str, data: bytes) -> None:
        with self._turn:
            self.inner.delete([key])
            self.inner.create(key, data)


class Deaf(Wrapper):
    """Answers success to every `create`, but keeps what was there."""

    def create(self, key: str, data: bytes) -> None:
        with contextlib.suppress(AlreadyExists):
            self.inner.create(key, data)


class Stale(Wrapper):
    """Shows every listing as it was when it was first asked for."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._pages: dict[tuple[str, str], Page] = {}

    def page(self, prefix: str, after: str = "") -> Page:
        return self._pages.setdefault((prefix, after), self.inner.page(prefix, after))
