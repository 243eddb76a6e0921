"""A pins board, written by R or Python, as a source of versions: a folder, or a prefix in a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from xxhash import xxh64

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.importing.landing import Expected, lay, model_file
from artreg.importing.pins_meta import DATA, LIMIT, Pin, parse_meta, require_hash
from artreg.importing.pins_versions import is_version_name, numbered, require_version_name
from artreg.importing.source import Incoming, Names, Survey, Trouble
from artreg.store.factory import open_store
from artreg.store.interface import Chunk, Kind
from artreg.store.options import StorageOptions

_MANIFEST = "_pins.yaml"


class PinsSource:
    """Reads a board.

    Args:
        location: The board's folder, or `s3://bucket/prefix` and whatever else a registry can lie in.
        names: What names of pins become here.
        options: How to reach a bucket.

    Raises:
        InvalidInput: Nothing can lie there.
    """

    kind = "pins"
    movable = True

    def __init__(self, location: str, names: Names, *, options: StorageOptions | None = None) -> None:
        place = location if "://" in location else os.path.abspath(os.path.expanduser(location))
        self._store = open_store(place, options)
        self._names = names
        self.location = self._store.url

    def survey(self) -> Survey:
        """Read the `data.txt` of every version of every pin that is wanted."""
        versions: list[Incoming] = []
        troubles: list[Trouble] = []
        for pin in self._pins():
            if not self._names.wanted(pin):
                continue
            try:
                model = self._names.model(pin)
            except InvalidInput as error:
                troubles.append(Trouble(pin, error))
                continue
            for found in self._versions(pin, model):
                if isinstance(found, Incoming):
                    versions.append(found)
                else:
                    troubles.append(found)
        return Survey(tuple(versions), (), tuple(troubles))

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Bring the files of a version of a pin: the only one as `model.<ext>`, several in `model/`."""
        pin = self._meta(incoming.item)
        hashes = []
        for name, size in zip(pin.files, pin.sizes, strict=True):
            place = model_file(name) if len(pin.files) == 1 else f"model/{name}"
            hashed = xxh64()
            chunks = _seen_by(hashed, self._store.chunks(f"{incoming.item}/{name}"))
            lay(folder, place, chunks, name, Expected(size))
            hashes.append(hashed.hexdigest())
        require_hash(pin, hashes)

    def _pins(self) -> list[str]:
        """Return the names of the folders of a board.

        Raises:
            NotFound: There is none.
            InvalidInput: It is no board.
        """
        try:
            self._store.require_root()
        except NotFound:
            raise NotFound(f"there is no board at {self.location}", hint="name a board's folder or prefix") from None
        except InvalidInput:
            raise InvalidInput(f"{self.location} is a file, no board", hint="name the board's folder") from None
        found = list(self._listed(""))
        pins = [name for name, kind in found if kind is Kind.FOLDER and not name.startswith(".")]
        named = any(name == _MANIFEST for name, _ in found)
        if not named and not any(is_version_name(name) for pin in pins for name, _ in self._listed(pin)):
            raise InvalidInput(
                f"{self.location} is no board of pins: no folder in it holds versions such as 20240501T133700Z-a1b2c",
                hint="name the folder or prefix that was given to board_folder() or board_s3()",
            )
        return pins

    def _versions(self, pin: str, model: ModelName) -> Iterator[Incoming | Trouble]:
        names = [name for name, kind in self._listed(pin) if kind is not Kind.FILE]
        good = numbered(filter(is_version_name, names))
        sizes = {entry.name: entry.size for entry in self._store.walk(pin) if entry.kind is Kind.FILE}
        for name in sorted(set(names) - set(good)):
            try:
                require_version_name(name)
            except InvalidInput as error:
                yield Trouble(f"{pin}/{name}", error)
        for name, version in good.items():
            item = f"{pin}/{name}"
            try:
                meta = self._meta(item)
                size = _measured(meta, {file: sizes.get(f"{name}/{file}") for file in meta.files})
            except ArtregError as error:
                yield Trouble(item, error)
            else:
                yield _incoming(item, model, version, meta, size)

    def _meta(self, item: str) -> Pin:
        try:
            data = self._store.read(f"{item}/{DATA}", LIMIT)
        except NotFound:
            raise NotFound(
                f"it has no {DATA}, without which pins cannot read it either",
                hint="write the pin anew, or delete this version of it",
            ) from None
        return parse_meta(data)

    def _listed(self, prefix: str) -> Iterator[tuple[str, Kind]]:
        after, more = "", True
        while more:
            page = self._store.page(prefix, after)
            yield from ((entry.name, entry.kind) for entry in page.entries)
            more = page.more and bool(page.entries)
            after = page.entries[-1].name if page.entries else ""


def _seen_by(hashed: xxh64, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        hashed.update(chunk)
        yield chunk


def _measured(meta: Pin, found: Mapping[str, int | None]) -> int:
    """Return the bytes of a version's files.

    Raises:
        NotFound: One is not there.
        IntegrityError: They have not the sizes that `data.txt` says.
    """
    for name, told in zip(meta.files, meta.sizes, strict=True):
        size = found[name]
        if size is None:
            raise NotFound(f"it has no file {name}, which its {DATA} names", hint="restore it, or write it anew")
        if told not in (None, size):
            raise _other_size(f"{name} has", size, told or 0)
    total = sum(size or 0 for size in found.values())
    if meta.total not in (None, total):
        raise _other_size("its files have", total, meta.total or 0)
    return total


def _other_size(what: str, size: int, told: int) -> IntegrityError:
    return IntegrityError(
        f"{what} {size:,} bytes, but {DATA} says {told:,}",
        hint="it is cut short or was changed: restore it, or write the pin anew",
    )


def _incoming(item: str, model: ModelName, version: Version, meta: Pin, size: int) -> Incoming:
    pin, _, name = item.rpartition("/")
    files = list(meta.files)
    run = {"pin": pin, "pin_version": name, **meta.said, "files": files, "pin_hash": meta.pin_hash}
    return Incoming(item, model, version, f"{name} {meta.pin_hash} {size}", run, {}, size)
