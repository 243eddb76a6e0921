"""Registers a version at an MLflow tracking server, with the folder that MLflow loads.

Everything can be done again: a run and a version that are there already are known by the digest in their tags, and what
was cut off is gone on with. The version at the server comes last, when every byte of it has arrived.
"""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from artreg.core.comparison.facts import leaves, section
from artreg.core.lineage import Origin
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.exporting.folder import Whole, find_whole
from artreg.exporting.mlflow import MLMODEL, mlflow_files
from artreg.frozen import Frozen
from artreg.integrations.mlflow_server import PROXY, MlflowServer
from artreg.registry.contents import IN_MEMORY
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.store.interface import Chunk, Progress, TreeFile

T = TypeVar("T")

DIGEST = "artreg.digest"
"""The tag by which a version is known again."""

_FOLDER = "model"
_THERE = "RESOURCE_ALREADY_EXISTS"
_AT_ONCE = 100
_PIECE = 2**20
_LONGEST_KEY = 250
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000
_COMMIT = "mlflow.source.git.commit"


class Registered(Frozen):
    """A version that a tracking server has now.

    Attributes:
        source: The version.
        tracking_uri: The server, without credentials.
        name: What the registered model is called there.
        version: The version's number there.
        run_id: The run there that holds its metrics and settings.
        created: Whether this call registered it; False if it was there already.
        alias: The alias that points at it there now, or None if none was asked for.
    """

    source: Resolved
    tracking_uri: str
    name: str
    version: str
    run_id: str
    created: bool
    alias: str | None


def register_at(
    registry: Registry,
    found: Resolved,
    tracking_uri: str,
    name: str | None = None,
    *,
    reporter: Reporter = SILENT,
) -> Registered:
    """Register a version at a tracking server; an alias by which it is named is set there too.

    Args:
        registry: Where the version lies.
        found: The version.
        tracking_uri: The server.
        name: What the registered model is called there, by default as here; it is made if it is not there.
        reporter: Told of the bytes that are sent.

    Raises:
        NotFound: There is no such version.
        InvalidInput: It is no tracking server, or one that passes no artifacts on; or MLflow could not load the model.
        IntegrityError: The version is damaged; nothing was registered.
        StorageError: The server cannot be reached, or refuses; run again, it goes on.
    """
    there = registered_at(found, tracking_uri, name)
    if there is not None:
        return there
    server, name = MlflowServer(tracking_uri), name or found.model.model
    whole = find_whole(registry, found)
    files = mlflow_files(registry, whole)
    _made(server, "registered-models/create", {"name": name})
    run = _run(server, registry, whole)
    _upload(server, run, files, reporter.step(f"register {found}", sum(file.size for file in files)))
    version = _version(server, name, whole, run)
    server.post("runs/update", {"run_id": run["run_id"], "status": "FINISHED", "end_time": _now(registry)})
    return _pointed_at(server, found, name, version, created=True)


def registered_at(found: Resolved, tracking_uri: str, name: str | None = None) -> Registered | None:
    """Return a version that a tracking server has already; an alias by which it is named is set there. None if not.

    Raises:
        InvalidInput: It is no tracking server.
        StorageError: The server cannot be reached, or refuses.
    """
    server, name = MlflowServer(tracking_uri), name or found.model.model
    version = _found(server, name, found.digest)
    return None if version is None else _pointed_at(server, found, name, version, created=False)


def _pointed_at(
    server: MlflowServer, found: Resolved, name: str, version: Mapping[str, Any], *, created: bool
) -> Registered:
    alias, number = None if found.alias is None else str(found.alias), str(version.get("version", ""))
    if alias is not None:
        server.post("registered-models/alias", {"name": name, "alias": alias, "version": number})
    return Registered(found, server.url, name, number, str(version.get("run_id", "")), created, alias)


def _found(server: MlflowServer, name: str, digest: str) -> Mapping[str, Any] | None:
    """Return the version at the server that was made of this one."""
    mark = '"' if "'" in name else "'"
    try:
        for version in server.pages("model-versions/search", "model_versions", filter=f"name={mark}{name}{mark}"):
            if version.get("status") == "READY" and _tags(version).get(DIGEST) == digest:
                return version
    except NotFound:  # no model of this name
        pass
    return None


def _tags(document: Mapping[str, Any]) -> dict[str, str]:
    tags = document.get("tags") or []
    return {str(tag.get("key")): str(tag.get("value", "")) for tag in tags if isinstance(tag, Mapping)}


def _made(server: MlflowServer, path: str, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what was made, or None if it was there."""
    try:
        return server.post(path, document)
    except ArtregError as error:
        if error.details.get("mlflow_code") != _THERE:
            raise
    return None


def _run(server: MlflowServer, registry: Registry, whole: Whole) -> dict[str, Any]:
    """Return the run of a version: the one that its training was told of, one that was begun before, or a new one."""
    experiment = str(whole.found.model)
    _made(server, "experiments/create", {"name": experiment})
    answer = server.get("experiments/get-by-name", experiment_name=experiment)
    number = str(_inner(answer, "experiment").get("experiment_id", ""))
    same = f"tags.`{DIGEST}` = '{whole.found.digest}'"
    runs = server.post("runs/search", {"experiment_ids": [number], "filter": same, "max_results": 1}).get("runs") or []
    if runs and isinstance(runs, list) and isinstance(runs[0], Mapping):
        run = dict(_inner(runs[0], "info"))
    else:
        document = {"experiment_id": number, "run_name": str(whole.found), "start_time": _now(registry)}
        tags = [{"key": key, "value": value} for key, value in _run_tags(whole.origin).items()]
        run = dict(_inner(_inner(server.post("runs/create", {**document, "tags": tags}), "run"), "info"))
    if run.get("status") == "RUNNING":  # one that has ended knows them
        _log(server, str(run.get("run_id")), registry, whole.origin)
    return run


def _log(server: MlflowServer, run_id: str, registry: Registry, origin: Origin) -> None:
    params = [{"key": key, "value": value[:_LONGEST_PARAM]} for key, value in _fitting(_params(origin)).items()]
    metrics = [
        {"key": key, "value": value, "timestamp": _now(registry), "step": step}
        for key, (value, step) in _fitting(_metrics(origin)).items()
    ]
    for start in range(0, max(len(params), len(metrics)), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        server.post("runs/log-batch", {"run_id": run_id, "params": params[some], "metrics": metrics[some]})


def _fitting(facts: Mapping[str, T]) -> dict[str, T]:
    """Return facts by names that MLflow takes, such as `precision_10` for `precision@10`; of two alike the first."""
    found: dict[str, T] = {}
    for key, value in facts.items():
        parts = re.sub(r"[^\w.\- :/]", "_", key)[:_LONGEST_KEY].split("/")  # which it takes for a path
        found.setdefault("/".join(part for part in parts if part not in {"", ".", ".."}) or "_", value)
    return found


def _params(origin: Origin) -> dict[str, str]:
    """Return the settings of a training, or what the run of a version that was imported had."""
    imported = section(section(section(origin.run, "imported"), "run"), "params")
    return {key: str(value) for key, value in leaves(origin.settings or imported)}


def _metrics(origin: Origin) -> dict[str, tuple[object, int]]:
    """Return figures with their steps; NaN and infinities by the names that protobuf has for them."""
    found: dict[str, tuple[object, int]] = {
        key: (value, 0)
        for key, value in leaves(origin.metrics or {})
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    for key, point in section(section(section(origin.run, "imported"), "run"), "metrics").items():
        with suppress(KeyError, TypeError, ValueError):
            value = float(point["value"])
            names = {math.inf: "Infinity", -math.inf: "-Infinity"}
            found[key] = (value if math.isfinite(value) else names.get(value, "NaN"), int(point["step"]))
    return found


def _run_tags(origin: Origin) -> dict[str, str]:
    tags = {"artreg.model": str(origin.model), "artreg.version": str(origin.version), DIGEST: origin.manifest.digest}
    return {**tags, **({_COMMIT: origin.commit} if origin.commit else {})}


def _upload(server: MlflowServer, run: Mapping[str, Any], files: Sequence[TreeFile], progress: Progress) -> None:
    """Send every file, `MLmodel` last, so that what is half there is no model."""
    where = str(run.get("artifact_uri", ""))
    if not where.startswith(f"{PROXY}:"):
        raise InvalidInput(
            f"{server.url} keeps its artifacts where only its clients can write, and passes none on",
            hint="start it with mlflow server --artifacts-destination; or export a folder, and log that by MLflow",
        )
    root = f"{server.path_of(where)}/{_FOLDER}"
    for file in sorted(files, key=lambda file: (file.name == MLMODEL, file.name)):
        with _verified(file) as data:
            server.upload(f"{root}/{file.name}", data, file.size)
        progress.advance(file.size)


def _version(server: MlflowServer, name: str, whole: Whole, run: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = section(section(whole.origin.run, "imported"), "tags")
    tags = {**{str(key): str(value)[:_LONGEST_TAG] for key, value in kept.items()}, **_run_tags(whole.origin)}
    imported = section(whole.origin.run, "imported").get("description")
    document = {
        "name": name,
        "source": f"{str(run.get('artifact_uri')).rstrip('/')}/{_FOLDER}",
        "run_id": run.get("run_id"),
        "description": imported if isinstance(imported, str) and imported else f"{whole.found} of artreg",
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    return _inner(server.post("model-versions/create", document), "model_version")


@contextmanager
def _verified(file: TreeFile) -> Iterator[IO[bytes]]:
    """Hold a private copy of a file that has the sha256 that it should have."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:
        hashed = hashlib.sha256()
        for piece in _pieces(file):
            hashed.update(piece)
            copy.write(piece)
        if hashed.hexdigest() != file.sha256:
            raise IntegrityError(
                f"{file.name} does not match its checksum", hint="restore it from a copy, or use another version"
            )
        yield copy


def _pieces(file: TreeFile) -> Iterator[Chunk]:
    if isinstance(file.source, bytes):
        yield file.source
    elif isinstance(file.source, Path):
        with file.source.open("rb") as source:
            while piece := source.read(_PIECE):
                yield piece
    else:
        yield from file.source()


def _inner(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    if not isinstance(value, Mapping):
        raise StorageError(f"the server's answer lacks {key}", hint="is that an MLflow tracking server?")
    return value


def _now(registry: Registry) -> int:
    return int(registry.now().timestamp() * 1000)
