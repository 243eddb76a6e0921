"""A registry, one who takes models from it, and what lies in that one's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from artreg.consuming.cache import DEFAULT_SIZE, Cache
from artreg.consuming.handle import Consumer
from artreg.consuming.pull import pull
from artreg.consuming.remembering import resolve
from artreg.core.names import Reference
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.pull import Pulled
from artreg.store.interface import Chunk, Store
from artreg.store.local import LocalStore
from store.faults import Wrapper


class Watched(Wrapper):
    """Remembers what was asked of a store, how many bytes of files came, and from which place on."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls: list[tuple[str, str]] = []
        self.bytes = 0
        self.starts: list[int] = []

    def before(self, call: str, key: str) -> None:
        self.calls.append((call, key))

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        self.starts.append(start)
        for piece in super().chunks(key, start):
            self.bytes += len(piece)
            yield piece

    def local_path(self, key: str) -> Path | None:
        return None


@dataclass
class Shop:
    """Pulls versions into folders of their own.

    Attributes:
        registry: The registry.
        folder: Where the cache and the folders lie.
        limit: How many bytes the cache is to hold.
        watched: The store as the consumer sees it.
    """

    registry: Registry
    folder: Path
    limit: int = DEFAULT_SIZE
    watched: Watched = field(init=False)

    def __post_init__(self) -> None:
        self.watched = Watched(self.registry.store)

    @property
    def cache(self) -> Cache:
        return Cache(str(self.folder / "cache"), self.limit)

    def consumer(self, *, offline: bool = False, cache: bool = True) -> Consumer:
        registry = replace(self.registry, store=self.watched)
        return Consumer(registry, self.cache if cache else None, "memory", offline)

    def pull(
        self, reference: str, *, offline: bool = False, link: bool = False, cache: bool = True
    ) -> tuple[Pulled, Path]:
        """Pull a version into a new folder, and return what was said and where it lies."""
        consumer = self.consumer(offline=offline, cache=cache)
        known = resolve(consumer, Reference.parse(reference, "demo"))
        name = f"out-{os.urandom(6).hex()}"
        return pull(consumer, known.found, LocalStore(self.folder), name, link=link), self.folder / name

    def files(self) -> list[Path]:
        """What lies in the cache, the largest last."""
        found = (self.folder / "cache" / "files").glob("*/*")
        return sorted(found, key=lambda path: (path.lstat().st_size, path.name))

    def model(self) -> Path:
        """The largest file in the cache."""
        return self.files()[-1]


def content(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damage(path: Path) -> None:
    """Alter one byte of a file, leaving its size and its times as they are."""
    status = path.stat()
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    path.chmod(0o444)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
