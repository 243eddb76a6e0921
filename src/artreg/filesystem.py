"""`artreg://churn@prod/model.skops` for whatever reads through fsspec: pandas, pyarrow, Dask; read-only.

What is read was verified: a file is brought whole into the cache, or a private copy of it is made, and hashed, before
its first byte is handed out, and what is handed out is that very copy. An instance asks once what a reference means and
goes by that, wherever it is sent, so that all that is read through it is of one version; every new one (each
`fsspec.open`, each `pandas.read_json`) asks again, for instances are not cached.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from fsspec import AbstractFileSystem

from artreg.cli.output import PlainOutput
from artreg.cli.session import Session
from artreg.consuming.handle import Consumer
from artreg.consuming.listing import Listed, files_of
from artreg.consuming.lock_file import read_lock
from artreg.consuming.reading import open_file
from artreg.consuming.remembering import resolve
from artreg.core.manifest import MANIFEST, check_file_name
from artreg.core.names import ModelName, Reference, is_name, parse_target
from artreg.errors import InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.resolve import Resolved
from artreg.registry.versions import list_aliases, list_models, list_numbers, list_projects

_OF_FSSPEC = {"use_listings_cache", "listings_expiry_time", "max_paths", "asynchronous", "loop", "batch_size"}
"""Options that fsspec hands to any file system, and that mean nothing here."""

_BY_CHAINING = {"fo", "target_protocol", "target_options"}


class Meant(Frozen):
    """What a reference means to an instance.

    Attributes:
        found: The version.
        files: Its files.
    """

    found: Resolved
    files: Mapping[str, Listed]


class Place(Frozen):
    """What a path names.

    Attributes:
        prefix: The reference as it was written, or whatever stands in its place.
        reference: The reference; None above it.
        file: What stands after it: a file, a folder, or ''.
    """

    prefix: str
    reference: Reference | None
    file: str


class VerifiedFile(io.BufferedReader):
    """A file whose bytes were verified before it was opened.

    Attributes:
        size: Bytes.
    """

    size: int

    def __del__(self) -> None:
        """Close, without complaining that nobody did: pyarrow, for one, leaves it to this."""
        self.close()


class ArtregFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """Versions as folders: `[project/]model@target/file`.

    Args:
        root: The registry's root; by default what the lock names, or what the settings say, as on the command line.
        project: Where a model without a project lies.
        lock: A lock file that says what references mean.
        offline: Whether to go by the cache alone.
        options: Those that fsspec hands to any file system; others are refused.

    Raises:
        InvalidInput: An option is unknown, or the root is no root.
        NotFound: There is no such lock file.
    """

    protocol = "artreg"
    cachable = False  # an instance knows what an alias meant; one that fsspec kept would know it for ever
    root_marker = ""

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        *,
        project: str | None = None,
        lock: str | os.PathLike[str] | None = None,
        offline: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(use_listings_cache=False)
        _require_known(options)
        self._consumer, self._project = _opened(root, project, lock, offline=offline)
        self._known: dict[Reference, Meant] = {}
        self._asking = threading.Lock()
        self._own_token = os.urandom(16).hex()

    @property
    def _fs_token(self) -> str:
        """Tell instances apart (Dask goes by it): with the same options they may go by different versions."""
        return self._own_token

    def __getstate__(self) -> dict[str, Any]:
        """Take along what references meant: whoever reads in another process reads the same versions."""
        with self._asking:
            return {**self.__dict__, "_known": dict(self._known), "_asking": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on where the instance was sent from."""
        self.__dict__.update(state, _asking=threading.Lock())

    def __reduce__(self) -> tuple[object, ...]:
        """Make an instance without opening anything: fsspec would hand the options to another one."""
        return object.__new__, (type(self),), self.__getstate__()

    def invalidate_cache(self, path: str | None = None) -> None:
        """Ask anew what references mean."""
        with self._asking:
            self._known.clear()

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """List projects, references, or what lies in a version."""
        place = self._place(path)
        if place.reference is None:
            listed = list(self._above(place.prefix))
        else:
            version = self._version(place.reference)
            listed = list(_inside(place, version)) or [self._info(place, version)]
        return listed if detail else [entry["name"] for entry in listed]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return what a path names: of a file the size and the sha256, of a version its digest."""
        place = self._place(path)
        if place.reference is None:
            if place.prefix:
                self._above(place.prefix)
            return _folder(place.prefix)
        return self._info(place, self._version(place.reference))

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether a path names anything; what is damaged is there, and is an error."""
        try:
            self.info(path)
        except FileNotFoundError:
            return False
        return True

    def checksum(self, path: str) -> int:
        """Return a number that is another one whenever the bytes are others."""
        return int(self.ukey(path), 16)

    def ukey(self, path: str) -> str:
        """Return the sha256 of a file, or the digest of a version."""
        info = self.info(path)
        return str(info.get("sha256") or info.get("digest") or "0")

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """Return the bytes of a file, or some of them."""
        with self.open(path) as file:
            first, last, _step = slice(start, end).indices(file.size)
            file.seek(first)
            data: bytes = file.read(max(0, last - first))
        return data

    def _open(self, path: str, mode: str = "rb", **_: Any) -> VerifiedFile:
        if mode != "rb":
            self._refuse(path)
        place = self._place(path)
        if place.reference is None or self.info(path)["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
        with _as_missing(path):
            inner: IO[bytes] = open_file(self._consumer, self._version(place.reference).found, place.file)
        file = VerifiedFile(inner)  # type: ignore[arg-type]  # what it has suffices
        file.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        return file

    def _refuse(self, path: object = "", *_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.EROFS, "artreg:// is for reading: to add a version use artreg publish", str(path))

    mkdir = makedirs = rmdir = rm = rm_file = _rm = cp_file = copy = mv = touch = _refuse
    put = put_file = pipe = pipe_file = _refuse

    def _place(self, path: str) -> Place:
        text = self._strip_protocol(path)
        first, _, rest = text.partition("/")
        if "@" not in first and "@" in rest.partition("/")[0]:
            second, _, rest = rest.partition("/")
            first = f"{first}/{second}"
        if "@" not in first:
            if rest or (first and not is_name(first)):
                raise InvalidInput(
                    f"{str(text)[:200]!r} names no version", hint="write artreg://churn@prod/model.skops, for one"
                )
            return Place(first, None, "")
        model, _, target = first.partition("@")
        reference = Reference(ModelName.parse(model, self._project), parse_target(target))
        return Place(first, reference, check_file_name(rest) if rest not in {"", MANIFEST} else rest)

    def _version(self, reference: Reference) -> Meant:
        with self._asking, _as_missing(str(reference)):
            if reference not in self._known:
                found = resolve(self._consumer, reference).found
                if found.warning:
                    warnings.warn(found.warning, stacklevel=2)
                self._known[reference] = Meant(found, files_of(self._consumer, found))
            return self._known[reference]

    def _info(self, place: Place, version: Meant) -> dict[str, Any]:
        name = f"{place.prefix}/{place.file}".rstrip("/")
        if place.file in version.files:
            return _file(name, version.files[place.file])
        if not place.file:
            return {**_folder(name), "version": str(version.found.version), "digest": version.found.digest}
        if any(file.startswith(f"{place.file}/") for file in version.files):
            return _folder(name)
        raise FileNotFoundError(errno.ENOENT, f"{version.found} has no such file", name)

    def _above(self, project: str) -> list[dict[str, Any]]:
        """List the references of a project, or the projects."""
        registry = self._consumer.registry
        if registry.lock is not None:
            names = [str(pin.reference) for pin in registry.lock.pins if pin.reference.model.project == project]
            projects = {pin.reference.model.project for pin in registry.lock.pins}
        elif project:
            models = list_models(registry.store, project)
            names, projects = [f"{model}@{target}" for model in models for target in self._targets(model)], set()
        else:
            names, projects = [], set(list_projects(registry.store))
        if project and not names:
            raise FileNotFoundError(errno.ENOENT, "there is no such project", project)
        return [_folder(name) for name in (names if project else sorted(projects))]

    def _targets(self, model: ModelName) -> list[str]:
        store = self._consumer.registry.store
        return [*list_aliases(store, model), *map(str, list_numbers(store, model))]


def _inside(place: Place, version: Meant) -> Iterator[dict[str, Any]]:
    """Yield what lies directly in a folder of a version."""
    lead, folders = f"{place.file}/" if place.file else "", set[str]()
    for name, file in version.files.items():
        if name.startswith(lead):
            first, slash, _ = name[len(lead) :].partition("/")
            if not slash:
                yield _file(f"{place.prefix}/{name}", file)
            elif first not in folders:
                folders.add(first)
                yield _folder(f"{place.prefix}/{lead}{first}")


def _file(name: str, file: Listed) -> dict[str, Any]:
    return {"name": name, "type": "file", "size": file.size, "sha256": file.sha256}


def _folder(name: str) -> dict[str, Any]:
    return {"name": name, "type": "directory", "size": 0}


@contextlib.contextmanager
def _as_missing(path: str) -> Iterator[None]:
    """Say that something is not there as whoever opens files expects it."""
    try:
        yield
    except NotFound as error:
        raise FileNotFoundError(errno.ENOENT, f"{error.message} ({error.hint})", path) from error


def _require_known(options: Mapping[str, Any]) -> None:
    if not _BY_CHAINING.isdisjoint(options):
        raise InvalidInput(
            "artreg:// lies in no other file system", hint="name the registry by the option root, such as s3://models"
        )
    unknown = sorted(options.keys() - _OF_FSSPEC)
    if unknown:
        raise InvalidInput(
            f"artreg:// has no option {unknown[0][:80]!r}", hint="it may be root, project, lock or offline"
        )


def _opened(
    root: str | os.PathLike[str] | None, project: str | None, lock: str | os.PathLike[str] | None, *, offline: bool
) -> tuple[Consumer, str]:
    """Return the registry as the settings say how to reach it, and what is demanded of it."""
    flags = {"registry": None if root is None else os.fspath(root), "project": project}
    session = Session(flags, PlainOutput(quiet=True))
    pins = None if lock is None else read_lock(lock)
    if pins is not None and not (root or os.environ.get("ARTREG_REGISTRY")):
        session.work_on(pins.registry)
    consumer = session.consumer(offline=offline)
    if not consumer.offline:
        consumer.registry.store.require_root()
    return replace(consumer, registry=replace(consumer.registry, lock=pins)), session.settings.project
