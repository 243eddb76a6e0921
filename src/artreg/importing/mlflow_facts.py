"""What MLflow knows of its models, however it keeps it: values that a file store and a tracking server both give."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from artreg.frozen import Frozen
from artreg.importing.source import Trouble
from artreg.protocol import Protocol

READY = "READY"

_LONGEST_TEXT = 20_000  # MLflow's own limits are lower, but for what it keeps of a run in tags of its own
_URL_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s]*@")
_LARGEST_TIME = 253_402_300_799_000  # the end of the year 9999


class Point(Frozen):
    """A value of a metric.

    Attributes:
        value: It may be NaN or infinite.
        step: Which step of the training it is of.
        at: When it was logged, in ms since 1970.
    """

    value: float
    step: int
    at: int

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object; what JSON has no word for is a text."""
        value = self.value if math.isfinite(self.value) else str(self.value)
        return {"value": value, "step": self.step, "at": moment(self.at)}


class RegisteredModel(Frozen):
    """A registered model; `aliases` are versions by name."""

    name: str
    description: str
    tags: Mapping[str, str]
    aliases: Mapping[str, int]
    created: int
    updated: int


class ModelVersion(Frozen):
    """A version of a registered model.

    Attributes:
        name: The registered model.
        number: The version.
        source: Where the model was when it was registered, which may be `models:/m-…` or `runs:/…`.
        storage: Where its files lie as far as MLflow has resolved that, or ''.
        run_id: The run that made it, or ''.
        status: `READY`, or why not.
        status_message: More of it.
        stage: `None`, `Staging`, `Production` or `Archived`.
        description: What somebody wrote about it.
        tags: Its tags.
        user: Who registered it, or ''.
        created: When, in ms since 1970.
        updated: When it was last changed.
    """

    name: str
    number: int
    source: str
    storage: str
    run_id: str
    status: str
    status_message: str
    stage: str
    description: str
    tags: Mapping[str, str]
    user: str
    created: int
    updated: int

    @property
    def item(self) -> str:
        """How errors and records call it."""
        return f"{self.name}/{self.number}"

    @property
    def model_id(self) -> str:
        """The logged model that it is of (MLflow 3), or ''."""
        found = re.fullmatch("models:/(m-[A-Za-z0-9]+)", self.source)
        return found[1] if found else ""


class Run(Frozen):
    """A run.

    Attributes:
        run_id: Its id.
        name: Its name.
        experiment_id: The experiment's id.
        status: `FINISHED`, or something else.
        lifecycle: `active`, or `deleted` if somebody put it into the bin.
        user: Whose it is.
        started: When, in ms since 1970.
        ended: When, 0 if it has not ended.
        artifacts: Where its artifacts lie.
        params: Its parameters.
        tags: Its tags.
        metrics: The last value of each metric.
        models: How many models it logged, as far as that is known.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    lifecycle: str
    user: str
    started: int
    ended: int
    artifacts: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Point]
    models: int

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, as it is recorded."""
        return {
            "run_id": self.run_id,
            "name": self.name,
            "experiment_id": self.experiment_id,
            "status": self.status,
            "lifecycle": self.lifecycle,
            "user": self.user,
            "started_at": moment(self.started),
            "ended_at": moment(self.ended),
            "git_commit": self.tags.get("mlflow.source.git.commit", ""),
            "description": self.tags.get("mlflow.note.content", ""),
            "params": dict(self.params),
            "tags": dict(self.tags),
            "metrics": points(self.metrics),
        }


class LoggedModel(Frozen):
    """A model that MLflow 3 keeps apart from the run that logged it."""

    model_id: str
    name: str
    kind: str
    status: str
    created: int
    artifacts: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Point]

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, as it is recorded."""
        return {
            "model_id": self.model_id,
            "name": self.name,
            "type": self.kind,
            "status": self.status,
            "created_at": moment(self.created),
            "params": dict(self.params),
            "tags": dict(self.tags),
            "metrics": points(self.metrics),
        }


class Artifacts(Protocol):
    """The files of a model, wherever they lie."""

    def sizes(self) -> Mapping[str, int | None]:
        """Return every file by its path in the model, with its bytes where these are known.

        Raises:
            NotFound: There are none.
            InvalidInput: One is a link, or has a name that no file of a version can have.
            StorageError: They cannot be listed.
        """

    def read(self, name: str, limit: int) -> bytes:
        """Return a small file.

        Raises:
            NotFound: It is not there.
            InvalidInput: It is larger.
            StorageError: It cannot be read.
        """

    def copy(self, name: str, size: int | None, to: IO[bytes]) -> None:
        """Write a file's bytes to another one.

        Raises:
            NotFound: It is not there.
            IntegrityError: It has more or fewer bytes than it was listed with.
            StorageError: It cannot be read.
        """


class Tracking(Protocol):
    """Where MLflow keeps what it knows.

    Attributes:
        location: Where that is, without credentials.
    """

    location: str

    def models(self) -> Iterator[RegisteredModel | Trouble]:
        """Yield the registered models, by name."""

    def versions(self, name: str) -> Iterator[ModelVersion | Trouble]:
        """Yield the versions of a registered model, oldest first."""

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None if it is not there."""

    def experiment(self, experiment_id: str) -> str:
        """Return the name of an experiment, '' if it is not there."""

    def logged_model(self, model_id: str) -> LoggedModel | None:
        """Return a logged model, or None if it is not there."""

    def history(self, run_id: str, metric: str) -> list[Point]:
        """Return every value of a metric, in the order in which they were logged."""

    def artifacts(self, version: ModelVersion, run: Run | None, logged: LoggedModel | None) -> Artifacts:
        """Return the files of a version.

        Raises:
            NotFound: They are gone.
            InvalidInput: They lie where artreg does not read.
        """


def last(history: list[Point]) -> Point:
    """Return the value that MLflow takes for a metric's last."""
    return max(history, key=lambda point: (point.step, point.at, point.value))


def points(metrics: Mapping[str, Point]) -> dict[str, Any]:
    """Return metrics as a JSON object."""
    return {name: metrics[name].document() for name in sorted(metrics)}


def moment(at: int) -> str | None:
    """Return a time of MLflow's as RFC 3339 in UTC, or None if there is none."""
    if not 0 < at <= _LARGEST_TIME:
        return None
    when = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recorded(document: Any) -> Any:
    """Return what is to be recorded, without credentials in URLs and with texts of a bounded length."""
    if isinstance(document, Mapping):
        return {recorded(str(key)): recorded(value) for key, value in document.items()}
    if isinstance(document, list):
        return [recorded(value) for value in document]
    if not isinstance(document, str):
        return document
    text = _URL_USER.sub(r"\1", document).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text):,} characters in all)"


def place(uri: str) -> str:
    """Return a URI as it may be shown and recorded: without a user, a password or a signature in its query."""
    return _URL_USER.sub(r"\1", uri).partition("?")[0]
