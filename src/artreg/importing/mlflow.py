"""MLflow as a source: the versions of its model registry, from a file store or a tracking server.

The folder of a model, with its `MLmodel`, becomes `model/` of the version, byte for byte; version 3 becomes 3.0.0.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from artreg.core import canonical
from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.version import Version
from artreg.errors import ArtregError, InvalidInput, NotFound, StorageError
from artreg.importing.mlflow_artifacts import MLMODEL
from artreg.importing.mlflow_facts import (
    READY,
    Artifacts,
    LoggedModel,
    ModelVersion,
    Point,
    RegisteredModel,
    Run,
    Tracking,
    moment,
    place,
    recorded,
)
from artreg.importing.mlflow_files import FileStore
from artreg.importing.mlflow_rest import TrackingServer
from artreg.importing.source import Incoming, IncomingAlias, Names, Survey, Trouble
from artreg.integrations.mlflow_server import MlflowServer
from artreg.yamldoc import parse_yaml

HISTORY = "metrics_history.json"
"""The file of a version that holds every value of the metrics that were logged more than once."""

STAGES = {"Staging": Alias("staging"), "Production": Alias("prod")}
"""What MLflow's stages become; `Archived` says only that there is none, and is recorded."""

_URI = r"([A-Za-z][A-Za-z0-9.-]*)(?:\+[A-Za-z0-9_]+)?:.*"
_HOST = r"[A-Za-z0-9.-]+:[0-9]{1,5}(?:/.*)?"
_DATABASES = {"sqlite", "postgresql", "mysql", "mssql"}
_ELSEWHERE = {"databricks", "databricks-uc", "uc", "models", "runs"}
_MLMODEL_LIMIT = 4 * 2**20
_MOST_POINTS = 50_000
_AT_ONCE = 8
_RESTORE = "repair it there, and run the import again: what is here already is left alone"


class MlflowSource:
    """MLflow's model registry.

    Args:
        location: A folder `mlruns/`, or one that holds it, or a tracking server as `http://` or `https://`.
        names: What its names become.

    Attributes:
        kind: `mlflow`.
        location: Where it lies, without credentials.

    Raises:
        NotFound: There is no such folder.
        InvalidInput: It is none of these.
        StorageError: It cannot be read.
    """

    kind = "mlflow"
    movable = True

    def __init__(self, location: str, names: Names) -> None:
        self._tracking = _tracking(location)
        self.location = self._tracking.location
        self._experiment = cache(self._tracking.experiment)
        self._names = names
        self._found: dict[str, tuple[Artifacts, Run | None]] = {}

    def survey(self) -> Survey:
        """Look through the registered models, their versions and the runs behind them.

        Raises:
            InvalidInput: It is no MLflow.
            StorageError: It cannot be reached.
        """
        versions: list[Incoming] = []
        aliases: list[IncomingAlias] = []
        troubles: list[Trouble] = []
        for model in self._tracking.models():
            if isinstance(model, Trouble):
                troubles += [model] if self._names.wanted(model.item) else []
            elif self._names.wanted(model.name):
                come = self._model(model, aliases, troubles)
                versions += come
        return Survey(tuple(versions), tuple(aliases), tuple(troubles))

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Bring a model's folder as `model/`, and the whole of its metrics where they have a history.

        Raises:
            IntegrityError: A file is not of the size that it was listed with.
            NotFound: It is gone.
            InvalidInput: It is a link, or has a name that no file of a version can have.
            StorageError: It cannot be read.
        """
        artifacts, run = self._found[incoming.item]
        history = self._history(run) if run else {}
        try:
            for name, size in artifacts.sizes().items():
                path = folder / "model" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    artifacts.copy(name, size, file)
            if history:
                (folder / HISTORY).write_bytes(canonical.dumps(history))
        except OSError as error:
            raise StorageError(
                f"{incoming.item} cannot be written to {folder}: {error.strerror}", hint="make room there"
            ) from error

    def _model(self, model: RegisteredModel, aliases: list[IncomingAlias], troubles: list[Trouble]) -> list[Incoming]:
        """Return the versions of a model; what points at them and what cannot come go to the lists."""
        try:
            name = self._names.model(model.name)
        except InvalidInput as error:
            troubles.append(Trouble(model.name, error))
            return []
        found = list(self._tracking.versions(model.name))
        troubles += [version for version in found if isinstance(version, Trouble)]
        there = [version for version in found if isinstance(version, ModelVersion)]
        with ThreadPoolExecutor(_AT_ONCE) as several:
            looked_at = list(several.map(lambda version: self._version(model, name, version), there))
        come = [each for each in looked_at if isinstance(each, Incoming)]
        troubles += [each for each in looked_at if isinstance(each, Trouble)]
        troubles += [_without_run(each) for each in come if "missing" in (each.run["run"] or {})]
        coming = {version.version for version in come}
        for alias in _aliases(model, name, there):
            if alias.version in coming:
                aliases.append(alias)
            else:
                lost = NotFound(f"it points at version {alias.version.major}, which does not come", hint=_RESTORE)
                troubles.append(Trouble(alias.item, lost))
        return come

    def _version(self, model: RegisteredModel, name: ModelName, version: ModelVersion) -> Incoming | Trouble:
        try:
            return self._incoming(model, name, version)
        except ArtregError as error:
            return Trouble(version.item, error)

    def _incoming(self, model: RegisteredModel, name: ModelName, version: ModelVersion) -> Incoming:
        if version.status != READY:
            message = f": {version.status_message}" if version.status_message else ""
            raise InvalidInput(
                f"its status is {version.status}, not {READY}{message}", hint="register it again, or delete it there"
            )
        run = self._tracking.run(version.run_id) if version.run_id else None
        logged = self._tracking.logged_model(version.model_id) if version.model_id else None
        artifacts = self._tracking.artifacts(version, run, logged)
        sizes = artifacts.sizes()
        if MLMODEL not in sizes:
            raise InvalidInput(
                f"its folder holds no {MLMODEL}", hint="MLflow itself could not load it; register a model"
            )
        described = _mlmodel(artifacts.read(MLMODEL, _MLMODEL_LIMIT))
        self._found[version.item] = artifacts, run
        total = [size for size in sizes.values() if size is not None]
        return Incoming(
            item=version.item,
            model=name,
            version=Version(version.number, 0, 0),
            fingerprint=f"{version.created} {version.run_id} {place(version.source)}",
            run=recorded(self._record(model, version, run, logged, described)),
            metrics=_finite(_metrics(run, logged)),
            size=sum(total) if len(total) == len(sizes) else None,
        )

    def _record(
        self,
        model: RegisteredModel,
        version: ModelVersion,
        run: Run | None,
        logged: LoggedModel | None,
        described: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return what is recorded of a version: all that MLflow knows of it."""
        record: dict[str, Any] = {
            "name": version.name,
            "version": str(version.number),
            "created_at": moment(version.created),
            "updated_at": moment(version.updated),
            "created_by": version.user or (run.user if run else ""),
            "description": version.description,
            "stage": version.stage,
            "tags": dict(version.tags),
            "source": place(version.source),
            "registered_model": {
                "created_at": moment(model.created),
                "description": model.description,
                "tags": dict(model.tags),
            },
            "run": None,
            "logged_model": logged.document() if logged else None,
            **described,
        }
        if run is not None:
            record["run"] = {**run.document(), "experiment": self._experiment(run.experiment_id)}
        elif version.run_id:
            record["run"] = {"run_id": version.run_id, "missing": True}
        return record

    def _history(self, run: Run) -> dict[str, Any]:
        """Return every value of the metrics that have several."""
        courses: dict[str, Any] = {}
        left = _MOST_POINTS
        for name in sorted(run.metrics):
            every = list(dict.fromkeys(self._tracking.history(run.run_id, name)))  # a file store may hold one twice
            if len(every) > 1:
                kept = every[-left:] if left else []
                left -= len(kept)
                courses[name] = {
                    "points": [point.document() for point in kept],
                    **({"left_out": len(every) - len(kept)} if len(kept) < len(every) else {}),
                }
        bounded: dict[str, Any] = recorded(courses)
        return bounded


def _tracking(location: str) -> Tracking:
    found = re.fullmatch(_URI, location, re.DOTALL)
    scheme = found[1].lower() if found else ""
    if scheme in {"http", "https"}:
        return TrackingServer(MlflowServer(location))
    if scheme == "file":
        return FileStore(Path(unquote(urlsplit(location).path)))
    if scheme in _DATABASES or location.endswith((".db", ".sqlite")):
        uri = place(location if scheme else f"sqlite:///{location}")
        raise InvalidInput(
            f"{uri} is a database, which only MLflow's own server reads as it should",
            hint=f"run mlflow server --backend-store-uri {uri} --port 5000, "
            "then artreg import mlflow http://127.0.0.1:5000",
        )
    missing = not os.path.exists(location)
    if missing and re.fullmatch(_HOST, location):
        raise InvalidInput(f"there is no folder {location}", hint=f"of a tracking server write http://{location}")
    if "://" in location or (missing and location.partition(":")[0] in _ELSEWHERE):
        raise InvalidInput(
            f"{place(location)} is nothing that artreg reads MLflow's models from",
            hint="name MLflow's mlruns/, or a tracking server as http://host:port; of Databricks and the like download "
            "the models, and import them by artreg import dir",
        )
    return FileStore(Path(location).expanduser())


def _aliases(model: RegisteredModel, name: ModelName, there: list[ModelVersion]) -> Iterator[IncomingAlias]:
    """Yield what points at versions: stages first, so that an alias of the same name, which is newer, holds."""
    for stage, alias in STAGES.items():
        in_it = [version for version in there if version.stage == stage]
        if in_it:
            newest = in_it[-1]
            since = f"stage {stage} of MLflow, last changed {moment(newest.updated)}"
            yield IncomingAlias(f"{model.name}#{stage}", stage, alias, name, Version(newest.number, 0, 0), since)
    for text in sorted(model.aliases):  # capitals first: a name that needs no change is the later one
        known = text.lower()
        yield IncomingAlias(
            f"{model.name}@{text}",
            text,
            Alias(known) if is_alias(known) else None,
            name,
            Version(model.aliases[text], 0, 0),
            "alias of MLflow",
        )


def _without_run(incoming: Incoming) -> Trouble:
    run_id = incoming.run["run"]["run_id"]
    why = NotFound(f"its run {run_id} is gone", hint="the version comes, without what only its run knew")
    return Trouble(f"{incoming.item} (run {run_id})", why)


def _mlmodel(data: bytes) -> dict[str, Any]:
    """Return what is recorded of an MLmodel file: which MLflow made it, its flavours and its signature."""
    document = parse_yaml(data, MLMODEL, by_others=True)
    flavors = document.get("flavors") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(flavors, dict):
        raise InvalidInput(f"its {MLMODEL} is of a format that is not known: it names no flavors", hint=_RESTORE)
    signature = document.get("signature")
    parts = signature.items() if isinstance(signature, dict) else ()
    return {
        "mlflow_version": str(document.get("mlflow_version", "")),
        "flavors": sorted(str(flavor) for flavor in flavors),
        "signature": {str(part): _schema(text) for part, text in parts if text} or None,
    }


def _schema(text: object) -> object:
    try:
        return json.loads(str(text), parse_constant=str)
    except (ValueError, RecursionError):
        return str(text)


def _metrics(run: Run | None, logged: LoggedModel | None) -> Mapping[str, Point]:
    """Return what was measured of a model: by its run, or, of a run that logged several models, of this one."""
    ours, theirs = logged.metrics if logged else {}, run.metrics if run else {}
    return {**theirs, **ours} if run and run.models > 1 else {**ours, **theirs}


def _finite(metrics: Mapping[str, Point]) -> dict[str, float]:
    """Return metrics by name; NaN and infinities, for which JSON has no word, stand in the record alone."""
    return {recorded(name): metrics[name].value for name in sorted(metrics) if math.isfinite(metrics[name].value)}
