"""Folders that people keep their models in: `DIR/<model>/<version>/…`, or one folder that is one version."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from artreg.core.manifest import MANIFEST, METRICS, RUN
from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing.layout import arranged, looks_like_a_model
from artreg.importing.naming import version_of
from artreg.importing.source import Incoming, IncomingAlias, Names, Survey, Trouble
from artreg.importing.tree import (
    LocalFile,
    copy_file,
    files_below,
    is_hidden,
    print_of,
    read_document,
    read_small,
    reading_source,
)

_LINE = r"\\?([0-9a-fA-F]{64}) [ *](.+)"
_SHAPE = "models lie in DIR/MODEL/VERSION/; if DIR is one model, or one version, say so: --model, --version"
_READ_HERE = {METRICS, RUN, MANIFEST}
"""Documents that are read, and not copied: artreg writes them anew."""


class _Found(Frozen):
    """A folder that is a version.

    Attributes:
        files: What lies in it.
        places: Where each file lies in the version.
    """

    files: tuple[LocalFile, ...]
    places: Mapping[str, str]


class FolderSource:
    """A folder of models on this machine.

    Args:
        location: The folder.
        names: Says what models are called here.
        model: What the folder holds, if it is one model, or one version of it.
        version: Which version the folder is, if it is one.
    """

    kind = "dir"
    movable = False

    def __init__(
        self, location: str, names: Names, *, model: ModelName | None = None, version: Version | None = None
    ) -> None:
        self.location = os.path.abspath(location)
        self._names, self._model, self._version = names, model, version
        self._found: dict[str, _Found] = {}
        self._troubles: list[Trouble] = []

    def survey(self) -> Survey:
        """Look through the folder.

        Raises:
            NotFound: It is not there.
            InvalidInput: It is no folder, or holds no folders of models.
            StorageError: It cannot be read.
        """
        root = Path(self.location)
        if not root.is_dir():
            missing = InvalidInput if os.path.lexists(root) else NotFound
            raise missing(f"{root} is no folder", hint="name the folder that holds the models")
        self._found, self._troubles = {}, []
        with reading_source(root):
            if self._version is not None:
                model = self._model or self._names.model(root.name)
                return self._survey(self._version_in(root, root.name, model, self._version))
            if self._model is not None:
                return self._survey(*self._model_in(root, "", self._model))
            return self._survey(*self._models_in(root))

    def _survey(self, versions: Iterable[Incoming], aliases: Iterable[IncomingAlias] = ()) -> Survey:
        return Survey(tuple(versions), tuple(aliases), tuple(self._troubles))

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Copy a version; what its own checksum.txt says is checked on the way.

        Raises:
            IntegrityError: A file was changed since it was looked at, or is not what checksum.txt says.
            NotFound: It is gone.
            InvalidInput: checksum.txt cannot be read.
            StorageError: Another file cannot.
        """
        if incoming.item not in self._found:
            self.survey()
        if incoming.item not in self._found:
            raise NotFound(f"{incoming.item} is not in {self.location}")
        found = self._found[incoming.item]
        copied = [file for file in found.files if file.name not in _READ_HERE]
        digests = {file.name: copy_file(file, folder / found.places[file.name]) for file in copied}
        for file in found.files:
            if file.name == MANIFEST:
                _compare(file, digests)

    def _models_in(self, root: Path) -> tuple[list[Incoming], list[IncomingAlias]]:
        entries = _entries(root)
        if not any(entry.is_dir() for entry in entries):
            raise InvalidInput(f"{root} holds no folders of models", hint=_SHAPE)
        versions: list[Incoming] = []
        aliases: list[IncomingAlias] = []
        for entry in entries:
            with self._naming_trouble(entry.name):
                if not self._names.wanted(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    model = self._names.model(entry.name)
                    more = self._model_in(Path(entry.path), f"{entry.name}/", model)
                    versions += more[0]
                    aliases += more[1]
                else:
                    _refuse_model(entry)
        return versions, aliases

    def _model_in(self, folder: Path, prefix: str, model: ModelName) -> tuple[list[Incoming], list[IncomingAlias]]:
        """Look at what lies in a model's folder: versions, and links to them, which are aliases."""
        versions: dict[str, Incoming] = {}
        links: list[os.DirEntry[str]] = []
        before = len(self._troubles)
        for entry in _entries(folder):
            item = prefix + entry.name
            with self._naming_trouble(item):
                if entry.is_symlink():
                    links.append(entry)
                elif entry.is_dir():
                    for incoming in self._version_in(Path(entry.path), item, model, version_of(entry.name)):
                        versions[entry.name] = incoming
                else:
                    _refuse_model(entry)
        aliases = []
        for entry in links:
            item = prefix + entry.name
            with self._naming_trouble(item):
                aliases.append(_alias(entry, item, model, versions))
        if not versions and len(self._troubles) == before:
            error = InvalidInput(f"{folder} holds no folders of versions", hint=_SHAPE)
            self._troubles.append(Trouble(prefix.rstrip("/") or folder.name, error))
        return sorted(versions.values(), key=lambda incoming: incoming.version), aliases

    def _version_in(self, folder: Path, item: str, model: ModelName, version: Version) -> Iterator[Incoming]:
        """Yield the version that a folder is, unless it is none."""
        with self._naming_trouble(item):
            files = files_below(folder, is_hidden)
            places = arranged([file.name for file in files])
            documents = {file.name: file for file in files if file.name in _READ_HERE}
            metrics = read_document(documents[METRICS]) if METRICS in documents else {}
            run: dict[str, Any] = {"modified": _time(max(file.modified for file in files))}
            moved = {name: place for name, place in places.items() if name != place}
            run |= {"run": read_document(documents[RUN])} if RUN in documents else {}
            run |= {"renamed": moved} if moved and not all(map(_is_below_model, moved.values())) else {}
            self._found[item] = _Found(files, places)
            size = sum(file.size for file in files)
            yield Incoming(item, model, version, print_of(files), run, metrics, size)

    @contextmanager
    def _naming_trouble(self, item: str) -> Iterator[None]:
        try:
            with reading_source(item):
                yield
        except ArtregError as error:
            self._troubles.append(Trouble(item, error))


def _alias(entry: os.DirEntry[str], item: str, model: ModelName, versions: Mapping[str, Incoming]) -> IncomingAlias:
    target = os.readlink(entry.path).rstrip("/").removeprefix("./")
    version = versions[target].version if target in versions else version_of(target)
    return IncomingAlias(item, entry.name, Alias(entry.name) if is_alias(entry.name) else None, model, version)


def _refuse_model(entry: os.DirEntry[str]) -> None:
    """Return for what lies by the way; a model lies in a folder of its own."""
    if entry.is_symlink() or not entry.is_file() or looks_like_a_model(entry.name):
        raise InvalidInput(f"{entry.name!r} is no folder of a model or of a version", hint=_SHAPE)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted((entry for entry in found if not is_hidden(entry.name)), key=lambda entry: entry.name)


def _is_below_model(name: str) -> bool:
    return name.startswith("model/")


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).isoformat().replace("+00:00", "Z")


def _compare(listing: LocalFile, digests: Mapping[str, str]) -> None:
    """Return if every file is what a `checksum.txt` says.

    Raises:
        InvalidInput: It is none.
        IntegrityError: A file is something else, or missing.
    """
    for line in read_small(listing).splitlines():
        match = re.fullmatch(_LINE, line)
        if match is None:
            raise InvalidInput(f"{MANIFEST} is no list of sha256 sums", hint="correct it, or move it away in a copy")
        name = match[2].removeprefix("./")
        if name not in _READ_HERE and digests.get(name) != match[1].lower():
            what = "is not there" if name not in digests else "does not match it"
            raise IntegrityError(f"{MANIFEST} lists {name}, which {what}", hint="restore the file from a backup")
