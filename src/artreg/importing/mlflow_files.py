"""MLflow's file store (`mlruns/`), read as it lies: no link in it is followed, and nothing is written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from artreg.errors import ArtregError, InvalidInput, NotFound, StorageError
from artreg.importing.mlflow_artifacts import LocalArtifacts, opened
from artreg.importing.mlflow_documents import Kept, logged_model_of, model_of, run_of, text_of, version_of, whole
from artreg.importing.mlflow_facts import Artifacts, LoggedModel, ModelVersion, Point, RegisteredModel, Run, last
from artreg.importing.source import Trouble
from artreg.plainfile import read_plain
from artreg.yamldoc import parse_yaml

_META = "meta.yaml"
_META_LIMIT = 2**20
_VALUE_LIMIT = 2**20
_HISTORY_LIMIT = 64 * 2**20
_MOST_ENTRIES = 100_000
_REGISTERED = "models"
_BIN = ".trash"
_DELETED = "Deleted_Internal"
_Made = TypeVar("_Made")


class FileStore:
    """A file store.

    Args:
        folder: `mlruns/`, or the folder in which it lies.

    Raises:
        NotFound: There is no such folder.
        InvalidInput: It is no file store.
        StorageError: It cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._root = _root(folder)
        self.location = str(self._root.resolve())
        self._experiments = {name: path for name, path in _folders(self._root) if name != _REGISTERED}
        binned = dict(_folders(self._root / _BIN))
        self._experiments = {**binned, **self._experiments}
        self._runs: dict[str, Path] = {}
        self._logged: dict[str, Path] = {}
        for experiment in self._experiments.values():
            self._runs |= {name: path for name, path in _folders(experiment) if (path / _META).is_file()}
            self._logged |= dict(_folders(experiment / _REGISTERED))

    def models(self) -> Iterator[RegisteredModel | Trouble]:
        """Yield the registered models, by name."""
        for name, path in _folders(self._root / _REGISTERED):
            try:
                yield _model(name, path)
            except (ArtregError, OSError) as error:
                yield Trouble(name, _told(error, name))

    def versions(self, name: str) -> Iterator[ModelVersion | Trouble]:
        """Yield the versions of a registered model, oldest first."""
        numbered: list[tuple[int, Path]] = []
        for folder, path in _folders(self._root / _REGISTERED / name):
            if match := re.fullmatch("version-([1-9][0-9]{0,17})", folder):
                numbered.append((int(match[1]), path))
        for number, path in sorted(numbered):
            try:
                version = _version(name, number, path)
            except (ArtregError, OSError) as error:
                yield Trouble(f"{name}/{number}", _told(error, f"{name}/{number}"))
            else:
                if version.stage != _DELETED:
                    yield version

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None if it is not there."""
        return self._kept(self._runs, run_id, "run", run_of)

    def experiment(self, experiment_id: str) -> str:
        """Return the name of an experiment, '' if it is not there."""
        path = self._experiments.get(experiment_id)
        return text_of(_meta(path), "name") if path and (path / _META).exists() else ""

    def logged_model(self, model_id: str) -> LoggedModel | None:
        """Return a logged model, or None if it is not there."""
        return self._kept(self._logged, model_id, "logged model", logged_model_of)

    def history(self, run_id: str, metric: str) -> list[Point]:
        """Return every value of a metric, in the order in which they were logged."""
        folder = self._runs[run_id] / "metrics"
        try:
            return _history(dict(_files(folder))[metric], metric)
        except (KeyError, OSError) as error:
            raise _told(error, f"metric {metric} of run {run_id}") from error

    def artifacts(self, version: ModelVersion, run: Run | None, logged: LoggedModel | None) -> Artifacts:
        """Return the files of a version: in this store if they are there, else where it says that they lie.

        A store that was moved still names its old place, so that is looked at last.

        Raises:
            NotFound: They are gone.
            InvalidInput: They lie where artreg does not read.
        """
        for near in self._nearby(version):
            if near.is_dir():
                return LocalArtifacts(near, within=self._root)
        uri = (logged.artifacts if logged else "") or version.storage or version.source
        return opened(uri)

    def _kept(self, paths: Mapping[str, Path], key: str, what: str, made: Callable[[Kept], _Made]) -> _Made | None:
        path = paths.get(key)
        if path is None:
            return None
        try:
            params, tags, metrics = _texts(path / "params"), _texts(path / "tags"), _metrics(path / "metrics")
            return made(Kept(key, _meta(path), params, tags, metrics, sum(1 for _ in _folders(path / "outputs"))))
        except (ArtregError, OSError) as error:
            raise _told(error, f"{what} {key}") from error

    def _nearby(self, version: ModelVersion) -> Iterator[Path]:
        if version.model_id in self._logged:
            yield self._logged[version.model_id] / "artifacts"
        inner = re.search(
            rf"/{re.escape(version.run_id)}/(?:artifacts/)?(?P<path>.+)", version.storage or version.source
        )
        if version.run_id in self._runs and inner and ".." not in inner["path"].split("/"):
            yield self._runs[version.run_id] / "artifacts" / inner["path"].removeprefix("artifacts/")


def _root(folder: Path) -> Path:
    """Return the file store that a folder is, or holds as `mlruns/`."""
    try:
        names = set(os.listdir(folder))
    except FileNotFoundError:
        raise NotFound(f"there is no folder {folder}", hint="name MLflow's mlruns/, or a tracking server") from None
    except OSError as error:
        raise StorageError(f"{folder} cannot be read: {error.strerror}", hint="name MLflow's mlruns/") from error
    if _REGISTERED in names or any((folder / name / _META).is_file() for name in names):
        return folder
    if "mlruns" in names:
        return _root(folder / "mlruns")
    raise InvalidInput(
        f"{folder} is no file store of MLflow's: it has neither {_REGISTERED}/ nor experiments with a {_META}",
        hint="name the folder that is called mlruns/, or the tracking server as http://host:port",
    )


def _folders(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is a folder, and no link to one, by name."""
    return ((entry.name, Path(entry.path)) for entry in _entries(path) if entry.is_dir(follow_symlinks=False))


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}", hint="make it readable") from error
    return entries


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by relative path: a key of MLflow's may hold slashes."""
    waiting, seen = [(folder, "")], 0
    while waiting:
        here, prefix = waiting.pop()
        for entry in _entries(here):
            seen += 1
            if seen > _MOST_ENTRIES:
                raise InvalidInput(f"{folder} holds more than {_MOST_ENTRIES:,} files", hint="no run logs as many")
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), f"{name}/"))
            elif entry.is_file(follow_symlinks=False):
                yield name, Path(entry.path)
            else:
                raise InvalidInput(f"{name} is a link, or no plain file", hint=f"put the file itself into {folder}")


def _meta(path: Path) -> Mapping[str, Any]:
    file = path / _META
    if file.is_symlink():
        raise InvalidInput(f"its {_META} is a link", hint="put the file itself there")
    try:
        document = parse_yaml(read_plain(file, _META_LIMIT), _META, by_others=True)
    except FileNotFoundError:
        raise NotFound(f"its {_META} is missing", hint="restore it from a copy; then run the import again") from None
    if not isinstance(document, dict):
        raise InvalidInput(f"its {_META} is empty or damaged", hint="restore it from a copy; then run the import again")
    return document


def _model(name: str, path: Path) -> RegisteredModel:
    meta = _meta(path)
    if text_of(meta, "name") != name:
        raise InvalidInput(f"its {_META} is that of {text_of(meta, 'name')!r}", hint="MLflow would not find it either")
    aliases: dict[str, int] = {}
    for alias, number in _texts(path / "aliases").items():
        try:
            aliases[alias] = whole(number.strip())
        except ValueError as error:
            raise InvalidInput(f"its alias {alias} names no version: {error}", hint="correct or remove it") from None
    return model_of(meta, name, _texts(path / "tags"), aliases)


def _version(name: str, number: int, path: Path) -> ModelVersion:
    meta = _meta(path)
    if (text_of(meta, "name"), text_of(meta, "version")) != (name, str(number)):
        raise InvalidInput(f"its {_META} is that of another version", hint="MLflow would not find it either")
    return version_of(meta, name, number, _texts(path / "tags"))


def _texts(folder: Path) -> dict[str, str]:
    return {name: read_plain(path, _VALUE_LIMIT).decode("utf-8", "replace") for name, path in _files(folder)}


def _metrics(folder: Path) -> dict[str, Point]:
    histories = {name: _history(path, name) for name, path in _files(folder)}
    return {name: last(history) for name, history in histories.items() if history}


def _history(path: Path, name: str) -> list[Point]:
    """Read lines of a time, a value, and, of all but the oldest MLflows, a step."""
    lines = read_plain(path, _HISTORY_LIMIT).decode("utf-8", "replace").splitlines()
    try:
        cells = [line.split() for line in lines if line.strip()]
        return [Point(float(cell[1]), int(cell[2]) if len(cell) > 2 else 0, whole(cell[0])) for cell in cells]  # noqa: PLR2004
    except (ValueError, IndexError):
        raise InvalidInput(
            f"its metric {name} is damaged: a line is no time, value and step", hint="correct or remove that line"
        ) from None


def _told(error: Exception, what: str) -> ArtregError:
    """Return an error that names the item."""
    if isinstance(error, OSError):
        return StorageError(f"{what} cannot be read: {error.strerror}", hint="make it readable, and import again")
    if isinstance(error, ArtregError):
        return type(error)(f"{what}: {error.message}", hint=error.hint, **error.details)
    return InvalidInput(f"{what}: {error} is missing", hint="restore it from a copy; then run the import again")
