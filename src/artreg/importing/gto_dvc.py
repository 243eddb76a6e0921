"""Where DVC keeps what a commit only names: its cache beside a work tree, and the remote that its config names."""

from __future__ import annotations

import configparser
import hashlib
import itertools
import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from artreg.core.dvc import Output
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.importing.gto_annotations import LIMIT
from artreg.importing.gto_git import Repository, Tree
from artreg.importing.gto_http import HttpRemote
from artreg.importing.gto_tracked import Tracked, above
from artreg.importing.landing import Expected, checked_name, lay
from artreg.plainfile import read_plain
from artreg.store.factory import open_store
from artreg.store.interface import Chunk
from artreg.store.options import StorageOptions

_LIST_LIMIT = 256 * 2**20  # bytes of the list of a folder's files
_FETCH = "run dvc fetch --all-tags there, which fills the cache, and import again"
_FETCH_BARE = "a bare clone has no cache: git clone it, run dvc fetch --all-tags there, and import from that clone"
_UNREAD = {"ssh", "gdrive", "hdfs", "webhdfs", "webdav", "webdavs", "oss", "remote"}
_Reader = Callable[[str], Iterator[Chunk]]


class _Part(Frozen):
    """A file to bring.

    Attributes:
        output: The output that it is of.
        what: How it is called in errors.
        expected: Its md5.
        most: Bytes that it has at most, None where that is not known.
    """

    output: Output
    what: str
    expected: Expected
    most: int | None = None


class DvcStorage:
    """The cache and the remotes of the DVC project that a document belongs to.

    Args:
        repository: The repository.
        tree: The tree of the commit that the document lies in.
        document: Its path.
        options: How to reach a bucket.
    """

    def __init__(self, repository: Repository, tree: Tree, document: str, options: StorageOptions) -> None:
        projects = [place for place in above(document) if posixpath.join(place, ".dvc/config") in tree]
        self._home = posixpath.join(projects[0] if projects else "", ".dvc")
        self._repository = repository
        self._tree = tree
        self._options = options
        self._config: Mapping[str, Mapping[str, str]] | None = None
        self._place = repository.top / self._home if repository.top else None
        self._fetch = _FETCH if repository.top else _FETCH_BARE

    def require(self, tracked: Tracked) -> None:
        """Return if what is tracked may be had, as far as this machine alone can tell: no remote is asked.

        Raises:
            NotFound: It is not in the cache, and there is no remote that artreg can read.
            InvalidInput: The config is damaged.
        """
        output = tracked.output
        name = f"{output.md5}{'.dir' * output.folder}"
        cache = self._cache
        if cache is None or not any(os.path.isfile(os.path.join(cache, key)) for key in _keys(name)):
            what = f"DVC's list of the files of {output.path}" if output.folder else output.path
            if self._remote(output, what) is None:
                raise self._absent(name, what)

    def bring(self, tracked: Tracked, path: str, place: str, folder: Path) -> None:
        """Bring a file, or the files of a folder, to a place in a version's folder, checked by their md5.

        Args:
            tracked: What they are.
            path: Where the model lies, for errors.
            place: What the model is called in the version: `model.pkl`, or `model`.
            folder: The version's folder.

        Raises:
            NotFound: They are neither in the cache nor at the remote.
            IntegrityError: They are damaged.
            InvalidInput: They cannot be a version.
            StorageError: The remote cannot be reached.
        """
        output = tracked.output
        if not output.folder:
            expected = Expected(output.size, "md5", output.md5, output.old)
            self._bring(_Part(output, path, expected), folder, place)
            return
        files = self.files(tracked)
        single = list(files) == [""]
        left = output.size
        for name, md5 in files.items():
            part = _Part(output, f"{path}/{name}".removesuffix("/"), Expected(None, "md5", md5, output.old), left)
            there = place if single else f"{place}/{name}"
            self._bring(part, folder, there)
            left = None if left is None else left - (folder / there).stat().st_size

    def files(self, tracked: Tracked) -> Mapping[str, str]:
        """Return the md5 of the files of a folder, or of what of it is the model; one that is a file has no name.

        Raises:
            NotFound: The list is neither in the cache nor at the remote, or the model is not in it.
            IntegrityError: It is damaged.
            InvalidInput: It names files that lead out of the folder.
        """
        output, what = tracked.output, f"DVC's list of the files of {tracked.output.path}"
        data, missing = b"", True
        for chunks in self._sources(output, f"{output.md5}.dir", what):
            data, missing = _whole(chunks, what), False
            if hashlib.md5(data, usedforsecurity=False).hexdigest() == output.md5:
                break
        if missing:
            raise self._absent(f"{output.md5}.dir", what)
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != output.md5:
            raise IntegrityError(f"{what} is damaged", hint=_FETCH)
        files = _listed(data, what)
        within = tracked.within
        if within in files:
            return {"": files[within]}
        below = {name.removeprefix(f"{within}/"): md5 for name, md5 in files.items() if name.startswith(f"{within}/")}
        found = below if within else files
        if not found:
            raise NotFound(f"{output.path}, which DVC tracks, holds nothing at {within!r}", hint="correct its path")
        return found

    def _bring(self, part: _Part, folder: Path, place: str) -> None:
        damage: IntegrityError | None = None
        try:
            for chunks in self._sources(part.output, part.expected.digest, part.what):
                try:
                    return lay(folder, place, _at_most(part.most, chunks, part.what), part.what, part.expected)
                except IntegrityError as error:
                    damage = error
                    (folder / place).unlink(missing_ok=True)
        except NotFound as error:  # there is a remote that artreg does not read
            raise damage or error from error
        raise damage or self._absent(part.expected.digest, part.what)

    def _absent(self, md5: str, what: str) -> NotFound:
        return NotFound(f"{what} (md5 {md5}) is neither in DVC's cache nor at its remote", hint=self._fetch)

    def _sources(self, output: Output, name: str, what: str) -> Iterator[Iterator[Chunk]]:
        """Yield the bytes under an md5, from wherever there are any."""
        keys = _keys(name)
        for read in self._readers(output, what):
            for key in keys[::-1] if output.old else keys:
                chunks = read(key)
                try:
                    first = next(chunks, b"")
                except NotFound:
                    continue
                yield itertools.chain((bytes(first),), chunks)

    def _readers(self, output: Output, what: str) -> Iterator[_Reader]:
        if self._cache is not None:
            yield open_store(self._cache).chunks
        if (remote := self._remote(output, what)) is not None:
            yield remote

    @property
    def _cache(self) -> str | None:
        """Where the cache is; None of a bare repository, which has none."""
        if self._place is None:
            return None
        return os.path.join(self._place, os.path.expanduser(self._setting("cache", "dir") or "cache"))

    def _remote(self, output: Output, what: str) -> _Reader | None:
        """Return what reads the remote of an output, or None if there is none.

        Raises:
            NotFound: It is of a kind that artreg does not read.
        """
        name = output.remote or self._setting("core", "remote")
        settings = self._section(f"'remote \"{name}\"'") if name else {}
        url = settings.get("url", "")
        if not url or ("://" not in url and self._place is None and not os.path.isabs(url)):
            return None  # none, or relative to a work tree that there is none of
        place = url if "://" in url else os.path.join(self._place or "/", os.path.expanduser(url))
        try:
            if place.lower().startswith(("http://", "https://")):
                return HttpRemote(place, settings).chunks
            endpoint = settings.get("endpointurl") or self._options.endpoint_url
            return open_store(place, replace(self._options, endpoint_url=endpoint)).chunks
        except InvalidInput as error:
            scheme = url.partition("://")[0].lower()
            why = f"which artreg does not read over {scheme}" if scheme in _UNREAD else f"where {error.message}"
            raise NotFound(
                f"{what} is not in DVC's cache, but at the remote {name!r}, {why}", hint=self._fetch
            ) from error

    def _setting(self, section: str, name: str) -> str:
        return self._section(section).get(name, "")

    def _section(self, section: str) -> Mapping[str, str]:
        if self._config is None:
            self._config = self._read_config()
        return {name: value.strip().strip("\"'") for name, value in self._config.get(section, {}).items()}

    def _read_config(self) -> Mapping[str, Mapping[str, str]]:
        top = self._repository.top
        texts = [_text(top / self._home / name) for name in ("config", "config.local")] if top else [self._committed()]
        parser = configparser.RawConfigParser(strict=False, delimiters=("=",), default_section="\0")
        for text in texts:
            try:
                parser.read_string(re.sub(r"(?m)^[ \t]+", "", text))
            except configparser.Error:
                raise InvalidInput(
                    f"{self._home}/config is no config of DVC's", hint="dvc config --list says more"
                ) from None
        return {section: dict(parser.items(section)) for section in parser.sections()}

    def _committed(self) -> str:
        head = self._repository.head
        tree = self._repository.tree(head) if head else self._tree
        entry = tree.get(f"{self._home}/config") or self._tree.get(f"{self._home}/config")
        return self._repository.read(entry.oid, "blob", LIMIT).decode("utf-8", "replace") if entry else ""


def _keys(name: str) -> list[str]:
    """Return where DVC keeps what has an md5: since version 3, and before."""
    return [f"files/md5/{name[:2]}/{name[2:]}", f"{name[:2]}/{name[2:]}"]


def _at_most(most: int | None, chunks: Iterator[Chunk], what: str) -> Iterator[Chunk]:
    """Yield what comes, up to what there can be: a server may send without end."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if most is not None and size > most:
            raise IntegrityError(f"{what} has more bytes than DVC says of its folder", hint=_FETCH)
        yield chunk


def _text(path: Path) -> str:
    try:
        return read_plain(path, LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""


def _whole(chunks: Iterator[Chunk], what: str) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > _LIST_LIMIT:
            raise IntegrityError(f"{what} is larger than {_LIST_LIMIT:,} bytes")
    return bytes(data)


def _listed(data: bytes, what: str) -> Mapping[str, str]:
    try:
        entries = json.loads(data.decode("utf-8"))
        files = {entry["relpath"]: entry["md5"] for entry in entries}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise IntegrityError(f"{what} is no such list", hint=_FETCH) from None
    if len(files) != len(entries) or not all(isinstance(text, str) for pair in files.items() for text in pair):
        raise IntegrityError(f"{what} names one twice, or none", hint=_FETCH)
    for name, md5 in files.items():
        checked_name(name, f"{what}")
        if not re.fullmatch(r"[0-9a-f]{32}", md5):
            raise IntegrityError(f"{what} has no md5 of {name}", hint=_FETCH)
    return files
