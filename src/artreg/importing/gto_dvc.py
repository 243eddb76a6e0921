"""Where DVC keeps what a commit only names: its cache beside a work tree, and the remote that its config names."""

from __future__ import annotations

import configparser
import hashlib
import itertools
import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from artreg.core.dvc import Output, locked, tracked
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.importing.gto_annotations import LIMIT, PIPELINE, Documents
from artreg.importing.gto_git import Repository, Tree
from artreg.importing.landing import Expected, checked_name, lay
from artreg.plainfile import read_plain
from artreg.store.factory import open_store
from artreg.store.interface import Chunk, Store
from artreg.store.options import StorageOptions

_LOCK = "dvc.lock"
_LIST_LIMIT = 256 * 2**20  # bytes of the list of a folder's files
_MOST_DOCUMENTS = 2000
_FETCH = "run dvc fetch --all-tags there, and import again"


class Tracked(Frozen):
    """What of a model DVC tracks.

    Attributes:
        document: The `.dvc` file or `dvc.lock` that says so.
        output: What it says.
        within: Where in that folder the model lies, '' where the output is the model.
    """

    document: str
    output: Output
    within: str


class _Part(Frozen):
    """A file to bring: the output that it is of, how it is called in errors, and its md5."""

    output: Output
    what: str
    expected: Expected


def find_tracked(documents: Documents, tree: Tree, path: str) -> Tracked | None:
    """Return what a commit's DVC files say of a path, or None if they say nothing.

    Raises:
        InvalidInput: The `.dvc` file beside it is damaged.
    """
    above = [path, *_above(path)]
    likely = [f"{place}.dvc" for place in above if place]
    likely += [posixpath.join(place, _LOCK) for place in above[1:]]
    others = (name for name in tree if name.endswith(".dvc") or posixpath.basename(name) == _LOCK)
    seen: set[str] = set()
    for name in itertools.islice(itertools.chain(likely, others), _MOST_DOCUMENTS):
        if name in seen or name not in tree:
            continue
        seen.add(name)
        for place, output in _outputs(documents, tree, name, certain=name in likely):
            if place == path or path.startswith(f"{place}/"):
                return Tracked(name, output, path[len(place) + 1 :])
    return None


def _above(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _outputs(documents: Documents, tree: Tree, name: str, *, certain: bool) -> Iterator[tuple[str, Output]]:
    folder = posixpath.dirname(name)
    try:
        document = documents.get(tree, name)
        if posixpath.basename(name) == _LOCK:
            pipeline = documents.get(tree, posixpath.join(folder, PIPELINE))
            stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
            found = [
                (_wdir(stages.get(stage) if isinstance(stages, dict) else None), it) for stage, it in locked(document)
            ]
        else:
            found = [(_wdir(document), output) for output in tracked(document)]
    except ArtregError:
        if certain:
            raise
        return
    for wdir, output in found:
        place = posixpath.normpath(posixpath.join(folder, wdir, output.path))
        if output.md5 and not place.startswith(("../", "/")) and place not in {"..", "."}:
            yield place, output


def _wdir(section: object) -> str:
    wdir = section.get("wdir") if isinstance(section, dict) else None
    return wdir if isinstance(wdir, str) else ""


class DvcStorage:
    """The cache and the remotes of the DVC project that a document belongs to.

    Args:
        repository: The repository.
        tree: The tree of the commit that the document lies in.
        document: Its path.
        options: How to reach a bucket.
    """

    def __init__(self, repository: Repository, tree: Tree, document: str, options: StorageOptions) -> None:
        projects = [place for place in _above(document) if posixpath.join(place, ".dvc/config") in tree]
        self._home = posixpath.join(projects[0] if projects else "", ".dvc")
        self._repository = repository
        self._tree = tree
        self._options = options
        self._config: Mapping[str, Mapping[str, str]] | None = None

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
        for name, md5 in files.items():
            part = _Part(output, f"{path}/{name}".removesuffix("/"), Expected(None, "md5", md5, output.old))
            self._bring(part, folder, place if single else f"{place}/{name}")

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
        for chunks in self._sources(part.output, part.expected.digest, part.what):
            try:
                return lay(folder, place, chunks, part.what, part.expected)
            except IntegrityError as error:
                damage = error
                (folder / place).unlink(missing_ok=True)
        raise damage or self._absent(part.expected.digest, part.what)

    def _absent(self, md5: str, what: str) -> NotFound:
        return NotFound(f"{what} (md5 {md5}) is neither in DVC's cache nor at its remote", hint=_FETCH)

    def _sources(self, output: Output, name: str, what: str) -> Iterator[Iterator[Chunk]]:
        """Yield the bytes under an md5, from wherever there are any."""
        keys = [f"files/md5/{name[:2]}/{name[2:]}", f"{name[:2]}/{name[2:]}"]
        for store in self._stores(output, what):
            for key in keys[::-1] if output.old else keys:
                chunks = store.chunks(key)
                try:
                    first = next(chunks, b"")
                except NotFound:
                    continue
                yield itertools.chain((bytes(first),), chunks)

    def _stores(self, output: Output, what: str) -> Iterator[Store]:
        home = self._repository.top / self._home if self._repository.top else None
        if home is not None:
            cache = self._setting("cache", "dir") or "cache"
            yield open_store(os.path.join(home, os.path.expanduser(cache)))
        name = output.remote or self._setting("core", "remote")
        section = f"'remote \"{name}\"'"
        url = self._setting(section, "url") if name else ""
        if not url:
            return
        endpoint = self._setting(section, "endpointurl") or self._options.endpoint_url
        if "://" not in url and home is None and not os.path.isabs(url):
            return  # relative to a work tree that there is none of
        place = url if "://" in url else os.path.join(home or "/", os.path.expanduser(url))
        try:
            yield open_store(place, replace(self._options, endpoint_url=endpoint))
        except InvalidInput as error:
            raise NotFound(
                f"{what} is not in DVC's cache, and artreg cannot read the remote {name!r}: {error.message}",
                hint=_FETCH,
            ) from error

    def _setting(self, section: str, name: str) -> str:
        if self._config is None:
            self._config = self._read_config()
        return self._config.get(section, {}).get(name, "").strip().strip("\"'")

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
