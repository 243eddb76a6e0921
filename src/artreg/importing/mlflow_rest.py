"""A tracking server's models, versions and runs, asked for by REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from artreg.errors import ArtregError, InvalidInput, NotFound
from artreg.importing.mlflow_artifacts import opened
from artreg.importing.mlflow_documents import (
    Kept,
    count_of,
    logged_model_of,
    model_of,
    run_of,
    text_of,
    version_of,
    whole,
)
from artreg.importing.mlflow_facts import Artifacts, LoggedModel, ModelVersion, Point, RegisteredModel, Run
from artreg.importing.source import Trouble
from artreg.integrations.mlflow_server import MlflowServer

_PAGE = 100
_VERSIONS_PAGE = 1000
_POINTS_PAGE = 10_000
_SHOWN = 80
_Made = TypeVar("_Made")


class TrackingServer:
    """What a tracking server tells; `server` may be any of which `url` says where it answers."""

    def __init__(self, server: MlflowServer) -> None:
        self._server = server
        self.location = server.url

    def models(self) -> Iterator[RegisteredModel | Trouble]:
        """Yield the registered models, by name."""
        for answer in self._server.pages("registered-models/search", "registered_models", max_results=_PAGE):
            try:
                yield _model(answer)
            except ArtregError as error:
                yield Trouble(str(answer.get("name"))[:_SHOWN], error)

    def versions(self, name: str) -> Iterator[ModelVersion | Trouble]:
        """Yield the versions of a registered model, oldest first."""
        mark = "'" if "'" not in name else '"'
        answers = self._server.pages(
            "model-versions/search",
            "model_versions",
            filter=f"name={mark}{name}{mark}",
            max_results=_VERSIONS_PAGE,
        )
        found: list[ModelVersion] = []
        for answer in answers:
            try:
                version = _version(answer)
            except ArtregError as error:
                yield Trouble(f"{name}/{str(answer.get('version'))[:_SHOWN]}", error)
            else:
                found += [version] if version.name == name else []
        yield from sorted(found, key=lambda version: version.number)

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None if it is not there."""
        return self._kept(run_id, "run", run_of, "runs/get", run_id=run_id)

    def experiment(self, experiment_id: str) -> str:
        """Return the name of an experiment, '' if it is not there."""
        try:
            answer = self._server.get("experiments/get", experiment_id=experiment_id)
        except NotFound:
            return ""
        return text_of(_inner(answer, "experiment"), "name")

    def logged_model(self, model_id: str) -> LoggedModel | None:
        """Return a logged model, or None if it is not there."""
        return self._kept(model_id, "model", logged_model_of, f"logged-models/{quote(model_id)}")

    def history(self, run_id: str, metric: str) -> list[Point]:
        """Return every value of a metric, in the order in which they were logged."""
        answers = self._server.pages(
            "metrics/get-history", "metrics", run_id=run_id, metric_key=metric, max_results=_POINTS_PAGE
        )
        return [_point(answer) for answer in answers]

    def artifacts(self, version: ModelVersion, run: Run | None, logged: LoggedModel | None) -> Artifacts:
        """Return the files of a version: where the server says that they are to be had.

        Raises:
            NotFound: They are gone.
            InvalidInput: They lie where artreg does not read.
        """
        answer = self._server.get("model-versions/get-download-uri", name=version.name, version=version.number)
        return opened(text_of(answer, "artifact_uri"), self._server)

    def _kept(self, key: str, what: str, made: Callable[[Kept], _Made], path: str, **asked: object) -> _Made | None:
        try:
            answer = _inner(self._server.get(path, **asked), what)
        except NotFound:
            return None
        info, data = _inner(answer, "info"), _inner(answer, "data")
        if text_of(info, f"{what}_id") != key:
            raise InvalidInput(f"the server gives another {what} than {key}", hint="ask who runs it")
        tags = {**_pairs(data, "tags"), **_pairs(info, "tags")}  # of a run, and of a logged model
        outputs = _inner(answer, "outputs").get("model_outputs") or []
        models = len(outputs) if isinstance(outputs, list) else 0
        return made(Kept(key, info, _pairs(data, "params"), tags, _metrics(data), models))


def _inner(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, Mapping):
        raise InvalidInput(f"the server's {key} is damaged", hint="ask who runs it")
    return value


def _items(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidInput(f"the server's {key} are damaged", hint="ask who runs it")
    return value


def _pairs(document: Mapping[str, Any], key: str) -> dict[str, str]:
    return {text_of(item, "key"): text_of(item, "value") for item in _items(document, key)}


def _metrics(data: Mapping[str, Any]) -> dict[str, Point]:
    return {text_of(item, "key"): _point(item) for item in _items(data, "metrics")}


def _point(item: Mapping[str, Any]) -> Point:
    value = item.get("value", 0.0)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise TypeError
        return Point(float(value), int(str(item.get("step") or 0)), count_of(item, "timestamp"))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("the server's metrics are damaged", hint="ask who runs it") from None


def _model(answer: Mapping[str, Any]) -> RegisteredModel:
    aliases = {text_of(item, "alias"): _number(item, "version") for item in _items(answer, "aliases")}
    return model_of(answer, _name(answer), _pairs(answer, "tags"), aliases)


def _version(answer: Mapping[str, Any]) -> ModelVersion:
    return version_of(answer, _name(answer), _number(answer, "version"), _pairs(answer, "tags"))


def _name(answer: Mapping[str, Any]) -> str:
    name = text_of(answer, "name")
    if not name:
        raise InvalidInput("the server names no model", hint="ask who runs it")
    return name


def _number(answer: Mapping[str, Any], key: str) -> int:
    try:
        return whole(answer.get(key))
    except ValueError as error:
        raise InvalidInput(f"the server gives no version: {error}", hint="ask who runs it") from None
