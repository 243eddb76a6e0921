"""A registry as one listing showed it: what is small is read once, many files at a time, and kept.

The operations of `artreg.registry` read through it as through any store, so that a whole registry costs one listing and
one round of reads, and one thing that cannot be read spoils nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from artreg.errors import ArtregError, NotFound, StorageError
from artreg.store.interface import READ_LIMIT, Entry, Kind, Page

if TYPE_CHECKING:
    from artreg.store.interface import Store

_AFTER = "0"  # the character after the slash: what comes after a folder sorts from here on


class Snapshot:
    """A store of which everything below some prefixes was listed; it is only read.

    Args:
        store: The store.
        prefixes: What is listed; an empty one lists all.

    Raises:
        NotFound: The root is not there.
        StorageError: Storage cannot be reached, or refuses.
    """

    def __init__(self, store: Store, prefixes: Sequence[str]) -> None:
        store.require_root()
        self._store = store
        found: dict[str, Entry] = {}
        for prefix in prefixes:
            lead = f"{prefix}/" if prefix else ""
            found |= {f"{lead}{entry.name}": entry for entry in store.walk(prefix)}
        self.entries = dict(sorted(found.items()))
        self._keys = list(self.entries)
        self._read: dict[str, bytes | ArtregError] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @property
    def as_store(self) -> Store:
        """Itself, as those take it who read a store."""
        return cast("Store", self)

    def below(self, prefix: str) -> Iterator[tuple[str, Entry]]:
        """Yield the names below a folder, relative to it, each with its entry."""
        lead = f"{prefix}/"
        for place in range(bisect_left(self._keys, lead), len(self._keys)):
            key = self._keys[place]
            if not key.startswith(lead):
                return
            yield key[len(lead) :], self.entries[key]

    def fetch(self, keys: Sequence[str]) -> None:
        """Read files and keep them; one that cannot be read says so when it is asked for.

        Raises:
            StorageError: Storage cannot be reached, or refuses.
        """
        left = [key for key in keys if key not in self._read]
        while left:
            done = 0
            try:
                for key, data in zip(left, self._store.read_each(left), strict=True):
                    self._read[key] = data
                    done += 1
            except StorageError:
                raise
            except ArtregError as error:
                self._read[left[done]] = error
                done += 1
            left = left[done:]

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return a file as it was fetched, or fetch it now."""
        if key.startswith("."):  # what the registry keeps for itself is in no listing
            return self._store.read(key, limit)
        if key not in self.entries:
            raise NotFound(f"{key} is not there")
        self.fetch([key])
        found = self._read[key]
        if isinstance(found, ArtregError):
            raise found
        return found

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Yield files as they were fetched."""
        self.fetch([key for key in keys if key in self.entries])
        return map(self.read, keys)

    def last_number(self, prefix: str, name: object) -> int | None:
        """Return None: the listing tells."""
        return None

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield what the listing showed below a prefix."""
        for name, entry in self.below(prefix):
            yield Entry(name, entry.kind, entry.size, entry.modified)

    def page(self, prefix: str, after: str = "") -> Page:
        """Return what the listing showed directly under a prefix, all on one page."""
        if prefix.startswith("."):
            return self._store.page(prefix, after)
        lead = f"{prefix}/" if prefix else ""
        place, found = bisect_left(self._keys, lead), []
        while place < len(self._keys) and self._keys[place].startswith(lead):
            key = self._keys[place]
            name, inner, _ = key[len(lead) :].partition("/")
            if inner:
                found.append(Entry(name, Kind.FOLDER, 0, 0.0))
                place = bisect_left(self._keys, f"{lead}{name}{_AFTER}", place)
            else:
                entry = self.entries[key]
                found.append(Entry(name, entry.kind, entry.size, entry.modified))
                place += 1
        return Page(tuple(entry for entry in found if entry.name > after), more=False)
