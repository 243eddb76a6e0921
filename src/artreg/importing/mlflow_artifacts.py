"""The files of a model of MLflow's: in a folder, in a bucket, or behind a tracking server's proxy."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from artreg.core.manifest import check_file_name
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.importing.mlflow_facts import Artifacts, place
from artreg.integrations.mlflow_server import PROXY, MlflowServer
from artreg.plainfile import read_plain

MLMODEL = "MLmodel"

_BUCKETS = {"s3", "gs", "gcs", "az", "abfs", "abfss"}
_MOST_FILES = 100_000
_DEEPEST = 32
_PIECE = 2**20
_GONE = "restore them where MLflow looks for them; then run the import again"


def opened(uri: str, server: MlflowServer | None = None) -> Artifacts:
    """Return the files that lie at a place that MLflow names.

    Args:
        uri: A path, or a URL.
        server: The tracking server, if that is who named it.

    Raises:
        NotFound: There is nothing.
        InvalidInput: artreg does not read there.
    """
    scheme = urlsplit(uri).scheme.lower() if "://" in uri or ":/" in uri else ""
    if scheme in {"", "file"}:
        return _local(uri)
    if scheme == PROXY and server is not None:
        return ProxiedArtifacts(server, server.path_of(uri))
    if scheme in _BUCKETS:
        return BucketArtifacts(uri)
    raise InvalidInput(
        f"its files lie at {place(uri)!r}, where artreg does not read",
        hint="import from the tracking server that serves them, or copy them to a disk or a bucket first",
    )


def _local(uri: str) -> LocalArtifacts:
    path = unquote(urlsplit(uri).path) if uri.startswith("file:") else uri
    if not os.path.isabs(path) or "\0" in path or ".." in path.split("/"):
        raise InvalidInput(f"its files are said to lie at {place(uri)!r}, which is no absolute path", hint=_GONE)
    if not os.path.isdir(path):
        raise NotFound(f"its files are gone: there is no folder {path}", hint=_GONE)
    # Whoever wrote that path could name any folder of this machine: one that is no model of MLflow's stays unread.
    if not os.path.isfile(os.path.join(path, MLMODEL)):
        raise InvalidInput(f"{path} holds no {MLMODEL}, so it is no model of MLflow's", hint=_GONE)
    return LocalArtifacts(Path(path))


class LocalArtifacts:
    """Files in a folder.

    Args:
        folder: The folder.
        within: The folder below which no link may lead to it, if that matters.
    """

    def __init__(self, folder: Path, within: Path | None = None) -> None:
        self._folder = folder
        if within is not None and not folder.resolve().is_relative_to(within.resolve()):
            raise InvalidInput(f"{folder} leads out of the store by a link", hint="put the files themselves there")

    def sizes(self) -> Mapping[str, int | None]:
        """Return every file by its path, with its bytes."""
        found: dict[str, int | None] = {}
        try:
            for parent, folders, names in os.walk(self._folder, onerror=_raise):
                for name in (*names, *(name for name in folders if os.path.islink(os.path.join(parent, name)))):
                    path = Path(parent, name)
                    relative, status = path.relative_to(self._folder).as_posix(), path.lstat()
                    if not stat.S_ISREG(status.st_mode):
                        raise InvalidInput(
                            f"{relative!r} is a link, or no plain file", hint="put the file itself there, and try again"
                        )
                    found[check_file_name(f"model/{relative}").removeprefix("model/")] = status.st_size
        except OSError as error:
            raise _unreadable(error) from error
        return _some(found)

    def read(self, name: str, limit: int) -> bytes:
        """Return a small file."""
        try:
            return read_plain(self._folder / name, limit)
        except FileNotFoundError:
            raise NotFound(f"{name} is gone", hint=_GONE) from None
        except OSError as error:
            raise InvalidInput(f"{name} cannot be read: {error.strerror}", hint=_GONE) from error

    def copy(self, name: str, size: int | None, to: IO[bytes]) -> None:
        """Write a file's bytes to another one; a link that took its place is not followed."""
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                _pour(file, name, size, to)
        except OSError as error:
            raise _unreadable(error) from error


class BucketArtifacts:
    """Files in a bucket, which credentials in the environment open."""

    def __init__(self, uri: str) -> None:
        import fsspec  # noqa: PLC0415  # few models lie in a bucket

        endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
        options: dict[str, Any] = {"endpoint_url": endpoint} if endpoint and uri.startswith("s3:") else {}
        try:
            self._files, self._root = fsspec.url_to_fs(uri, skip_instance_cache=True, **options)
        except (ImportError, ValueError, OSError) as error:
            raise InvalidInput(
                f"{place(uri)} cannot be opened: {type(error).__name__}", hint="install fsspec's package for it"
            ) from error
        self._root = self._root.rstrip("/")

    def sizes(self) -> Mapping[str, int | None]:
        """Return every file by its path, with its bytes."""
        try:
            found = self._files.find(self._root, detail=True)
        except Exception as error:  # each of fsspec's packages raises what it likes
            raise _remote(error, "its files") from error
        names = {key: key.removeprefix(f"{self._root}/") for key in sorted(found)[: _MOST_FILES + 1]}
        return _some(
            {
                check_file_name(f"model/{name}").removeprefix("model/"): found[key].get("size")
                for key, name in names.items()
            }
        )

    def read(self, name: str, limit: int) -> bytes:
        """Return a small file."""
        try:
            with self._files.open(f"{self._root}/{name}", "rb") as file:
                data: bytes = file.read(limit + 1)
        except Exception as error:  # each of fsspec's packages raises what it likes
            raise _remote(error, name) from error
        if len(data) > limit:
            raise InvalidInput(f"{name} is larger than {limit:,} bytes", hint="no file of its kind is")
        return data

    def copy(self, name: str, size: int | None, to: IO[bytes]) -> None:
        """Write a file's bytes to another one."""
        try:
            with self._files.open(f"{self._root}/{name}", "rb") as file:
                _pour(file, name, size, to)
        except ArtregError:
            raise
        except Exception as error:  # each of fsspec's packages raises what it likes
            raise _remote(error, name) from error


class ProxiedArtifacts:
    """Files that a tracking server passes on (`mlflow-artifacts:`)."""

    def __init__(self, server: MlflowServer, root: str) -> None:
        self._server = server
        self._root = root

    def sizes(self) -> Mapping[str, int | None]:
        """Return every file by its path, with its bytes."""
        found: dict[str, int | None] = {}
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for entry in self._server.listing(f"{self._root}/{folder}".rstrip("/")):
                name = check_file_name(f"model/{folder}{entry.get('path', '')}").removeprefix("model/")
                if entry.get("is_dir") is True:
                    waiting.append(f"{name}/")
                else:
                    size = entry.get("file_size", 0)  # protobuf's JSON leaves out a zero
                    found[name] = int(size) if str(size).isdigit() else None
                if len(found) + len(waiting) > _MOST_FILES or name.count("/") > _DEEPEST:
                    raise InvalidInput(f"it has more than {_MOST_FILES:,} files, or folders without end", hint=_GONE)
        return _some(found)

    def read(self, name: str, limit: int) -> bytes:
        """Return a small file."""
        return self._server.artifact(f"{self._root}/{name}", limit)

    def copy(self, name: str, size: int | None, to: IO[bytes]) -> None:
        """Write a file's bytes to another one."""
        self._server.download(f"{self._root}/{name}", size, to)


def _some(found: Mapping[str, int | None]) -> Mapping[str, int | None]:
    if not found:
        raise NotFound("its files are gone: there are none where MLflow keeps them", hint=_GONE)
    if len(found) > _MOST_FILES:
        raise InvalidInput(f"it has more than {_MOST_FILES:,} files", hint="no model of MLflow's has")
    return dict(sorted(found.items()))


def _pour(file: IO[bytes], name: str, size: int | None, to: IO[bytes]) -> None:
    taken = 0
    while piece := file.read(_PIECE):
        taken += len(piece)
        if size is not None and taken > size:
            break
        to.write(piece)
    if size is not None and taken != size:
        raise IntegrityError(f"{name} changed while it was read: it had {size:,} bytes", hint="import again")


def _raise(error: OSError) -> None:
    raise error


def _unreadable(error: OSError) -> ArtregError:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"its files are gone: there is no {error.filename}", hint=_GONE)
    return StorageError(f"its files cannot be read: {error.strerror}: {error.filename}", hint="make them readable")


def _remote(error: Exception, what: str) -> ArtregError:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{what}: gone from the bucket", hint=_GONE)
    return StorageError(
        f"{what} cannot be read from the bucket: {type(error).__name__}",
        hint="look at the credentials in the environment, such as AWS_ACCESS_KEY_ID",
    )
