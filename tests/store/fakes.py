"""A bucket behind fsspec that is nothing but a dictionary."""

from __future__ import annotations

import hashlib
import io
import threading
from datetime import UTC, datetime

from fsspec import AbstractFileSystem


class DictFileSystem(AbstractFileSystem):
    """Objects in a dictionary; creating one if it is absent is atomic, or ignored if `broken`."""

    protocol = "dict"
    cachable = False

    def __init__(self, *, broken: bool = False, tags: bool = True) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.buckets = {"bucket"}
        self.broken = broken
        self.tags = tags
        self._turn = threading.RLock()

    def pipe_file(self, path, value, mode="overwrite", **_kwargs):
        with self._turn:
            if path.partition("/")[0] not in self.buckets:
                raise FileNotFoundError(path)
            if mode == "create" and path in self.objects and not self.broken:
                raise FileExistsError(path)
            self.objects[path] = bytes(value)

    def info(self, path, **_kwargs):
        with self._turn:
            return self._info(path.strip("/"))

    def _info(self, path):
        if path in self.objects:
            data = self.objects[path]
            tag = {"etag": hashlib.sha1(data).hexdigest()} if self.tags else {}
            return {"name": path, "type": "file", "size": len(data), "updated": datetime.now(UTC), **tag}
        if any(key.startswith(f"{path}/") for key in self.objects):
            return {"name": path, "type": "directory", "size": 0}
        raise FileNotFoundError(path)

    def ls(self, path, detail=True, **_kwargs):
        with self._turn:
            path = path.strip("/")
            inner = {key[len(path) + 1 :].partition("/")[0] for key in self.objects if key.startswith(f"{path}/")}
            found = [self._info(f"{path}/{name}") for name in sorted(inner)] or [self._info(path)]
            return found if detail else [info["name"] for info in found]

    def find(self, path, maxdepth=None, withdirs=False, detail=False, **_kwargs):
        with self._turn:
            return {key: self._info(key) for key in self.objects if key.startswith(f"{path}/") or key == path}

    def cat_file(self, path, start=None, end=None, **_kwargs):
        with self._turn:
            if path not in self.objects:
                raise FileNotFoundError(path)
            return self.objects[path][start:end]

    def rm_file(self, path):
        with self._turn:
            if path not in self.objects:
                raise FileNotFoundError(path)
            del self.objects[path]

    def open(self, path, mode="rb", **_kwargs):
        assert mode == "wb"
        return _Upload(self, path)


class _Upload(io.BytesIO):
    """Bytes that become an object when they are closed, whatever happened before."""

    def __init__(self, fs: DictFileSystem, path: str) -> None:
        super().__init__()
        self._fs = fs
        self._path = path

    def discard(self) -> None:
        super().close()

    def close(self) -> None:
        if not self.closed:
            self._fs.pipe_file(self._path, self.getvalue())
        super().close()
