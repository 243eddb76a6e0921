"""A bucket of Google's or Azure's, or of any other service that fsspec knows and that can create if absent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.store.bucket import Found, Piece
from artreg.store.disk import hashed_bytes, hashed_pieces
from artreg.store.interface import Entry, Finding, Kind, Leftover, Page, Progress, TreeFile, check_key
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.outcome import Outcome, classify
from artreg.store.retry import Retry

_PAGE = 1000


def open_generic(scheme: str, package: str, bucket: str, prefix: str, options: StorageOptions) -> ObjectStore:
    """Return the store for a bucket that the fsspec package `package` reaches.

    Raises:
        InvalidInput: That package is not installed.
    """
    import importlib.util  # noqa: PLC0415

    if importlib.util.find_spec(package) is None:
        raise InvalidInput(f"{scheme}:// needs the package {package}", hint=f"install it: pip install {package}")

    root = f"{bucket}/{prefix}".rstrip("/")
    return ObjectStore(FsspecBucket(partial(connect, scheme), root, options, f"{scheme}://{root}"))


def connect(scheme: str) -> Any:  # fsspec has no types
    """Return a file system of our own, which remembers nothing."""
    import fsspec  # noqa: PLC0415

    return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)


class FsspecBucket:
    """Objects below a path of an fsspec file system whose `pipe_file(mode="create")` is one conditional request.

    Args:
        connect: Makes the file system.
        root: Path of the root in it.
        options: Limits of retries, and the size of pieces.
        url: The root as a person would write it.
    """

    def __init__(self, connect: Callable[[], Any], root: str, options: StorageOptions, url: str) -> None:
        self._connect = connect
        self._root = root
        self._options = options
        self._url = url
        self._retry = Retry(options, url)
        self._lock = threading.Lock()
        self._fs: Any = None
        self._process = 0

    def __reduce__(self) -> tuple[object, ...]:
        return FsspecBucket, (self._connect, self._root, self._options, self._url)

    @property
    def url(self) -> str:
        """The root as it was given."""
        return self._url

    @property
    def piece_size(self) -> int:
        """The size of a piece of a download."""
        return self._options.part_size

    @property
    def parallel(self) -> int:
        """Pieces in flight."""
        return self._options.parallel

    def require(self) -> None:
        """Return if the bucket can be listed."""
        bucket = self._root.partition("/")[0]
        try:
            self._retry.call(lambda: self._file_system().ls(bucket, detail=False), self._url, "reached")
        except NotFound as error:
            raise NotFound(f"there is no bucket {bucket}", hint="artreg never makes one") from error

    def get(self, key: str, start: int, length: int, tag: str = "", into: bytearray | None = None) -> Piece:
        """Return a part of an object; its size and its tag are asked for before."""
        path = self._path(key)

        def fetch() -> Piece:
            info = self._file_system().info(path)
            if info["type"] != "file":
                raise NotFound(f"{key} is not there")
            if tag and _tag(info) != tag:
                raise IntegrityError(f"{key} was overwritten while it was being read")
            end = min(start + length, info["size"])
            data = self._file_system().cat_file(path, start=start, end=end) if end > start else b""
            return Piece(bytes(data), info["size"], _tag(info))

        return self._retry.call(fetch, key)

    def put_absent(self, key: str, data: bytes) -> None:
        """Put if there is none, by the service's own condition."""
        path = self._path(key)
        self._retry.call(
            lambda: self._file_system().pipe_file(path, data, mode="create"),
            key,
            "written",
            writes=True,
            condition=True,
        )

    def put(self, key: str, data: bytes) -> None:
        """Put without a condition."""
        path = self._path(key)
        self._retry.call(lambda: self._file_system().pipe_file(path, data), key, "written", writes=True)

    def upload(self, key: str, file: TreeFile, progress: Progress, *, absent: bool = False) -> str:
        """Put a file of any size through the file system's own upload, which knows no condition."""
        if file.size <= self._options.part_size:
            self.put(key, hashed_bytes(file))
            progress.advance(file.size)
        else:
            self._retry.call(lambda: self._write(key, file), key, "written", writes=True)
            progress.advance(file.size)
        return ""

    def fingerprint(self, file: TreeFile) -> str:
        """Return '': no content can be told by a name here, so that it is read back."""
        return ""

    def page(self, prefix: str, after: str) -> Page:
        """List everything under the prefix, and return the part that was asked for."""
        entries = []
        for info in self._listing(prefix, deep=False):
            name = info["name"].rstrip("/").rpartition("/")[2]
            if name > after:
                entries.append(_entry(name, info))
        entries.sort(key=lambda entry: entry.name)
        return Page(tuple(entries[:_PAGE]), more=len(entries) > _PAGE)

    def walk(self, prefix: str) -> Iterator[Found]:
        """Yield all objects below the prefix."""
        lead = len(self._path(prefix)) + 1
        found = [(info["name"].lstrip("/")[lead:], info) for info in self._listing(prefix, deep=True)]
        for name, info in sorted(found, key=lambda pair: pair[0]):
            if name:
                yield Found(_entry(name, info), _tag(info))

    def remove(self, key: str) -> None:
        """Delete one object."""
        path = self._path(key)

        def rm() -> None:
            try:
                self._file_system().rm_file(path)
            except Exception as error:
                if classify(error).outcome is not Outcome.ABSENT:
                    raise

        self._retry.call(rm, key, "removed", writes=True)

    def uploads(self) -> Iterator[Leftover]:
        """Yield nothing: these services forget unfinished uploads by themselves."""
        yield from ()

    def abort(self, leftover: Leftover) -> None:
        """Refuse: there are no such leftovers."""
        raise InvalidInput(f"{leftover.key} is no leftover")

    def diagnose(self) -> Iterator[Finding]:
        """Yield nothing beyond what the probe finds."""
        yield from ()

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def _file_system(self) -> Any:
        with self._lock:
            if self._fs is None or self._process != os.getpid():  # a connection does not outlive a fork
                self._fs = self._connect()
                self._process = os.getpid()
            return self._fs

    def _listing(self, prefix: str, *, deep: bool) -> list[Any]:
        path = self._path(prefix)

        def fetch() -> list[Any]:
            fs = self._file_system()
            fs.invalidate_cache()
            try:
                found = list(fs.find(path, detail=True).values()) if deep else fs.ls(path, detail=True)
            except FileNotFoundError:
                return []
            # A path that is itself an object is listed as if it lay below itself.
            return [info for info in found if info["name"].strip("/") != path.strip("/")]

        return self._retry.call(fetch, prefix or self._url, "listed")

    def _write(self, key: str, file: TreeFile) -> None:
        stream = self._file_system().open(self._path(key), "wb")
        try:
            for piece in hashed_pieces(file):
                stream.write(piece)
        except BaseException:
            stream.discard()  # closing it would store what came so far
            raise
        stream.close()


def _tag(info: Any) -> str:
    return str(info.get("etag") or info.get("ETag") or info.get("md5Hash") or "").strip('"')


def _entry(name: str, info: Any) -> Entry:
    if info["type"] == "directory":
        return Entry(name, Kind.FOLDER, 0, 0.0)
    modified = info.get("last_modified") or info.get("LastModified") or info.get("updated") or info.get("created")
    if isinstance(modified, str):
        modified = datetime.fromisoformat(modified)
    when = modified.timestamp() if isinstance(modified, datetime) else float(modified or 0.0)
    try:
        check_key(name)
    except ArtregError:
        return Entry(name, Kind.OTHER, 0, when)
    return Entry(name, Kind.FILE, int(info["size"]), when)
