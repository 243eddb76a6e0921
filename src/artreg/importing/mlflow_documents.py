"""From what a file store or a server of MLflow's says to what is known: one body for both, which name facts alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.importing.mlflow_facts import READY, LoggedModel, ModelVersion, Point, RegisteredModel, Run

_RUN_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}  # in a file store
_LOGGED_STATUS = {"1": "PENDING", "2": READY, "3": "UPLOAD_FAILED"}


class Kept(Frozen):
    """What MLflow keeps of a run, or of a logged model; both are kept alike, by a file store and by a server.

    Attributes:
        key: Its id.
        info: Facts about it, by MLflow's names for them.
        params: Its parameters.
        tags: Its tags.
        metrics: The last value of each metric.
        models: How many models a run logged, as far as that is known.
    """

    key: str
    info: Mapping[str, Any]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Point]
    models: int = 0


def run_of(kept: Kept) -> Run:
    """Return a run.

    Raises:
        InvalidInput: A fact is not what it should be.
    """
    info = kept.info
    return Run(
        run_id=kept.key,
        name=text_of(info, "run_name"),
        experiment_id=text_of(info, "experiment_id"),
        status=_RUN_STATUS.get(text_of(info, "status"), text_of(info, "status")),
        lifecycle=text_of(info, "lifecycle_stage"),
        user=text_of(info, "user_id"),
        started=count_of(info, "start_time"),
        ended=count_of(info, "end_time"),
        artifacts=text_of(info, "artifact_uri"),
        params=kept.params,
        tags=kept.tags,
        metrics=kept.metrics,
        models=kept.models,
    )


def logged_model_of(kept: Kept) -> LoggedModel:
    """Return a logged model.

    Raises:
        InvalidInput: A fact is not what it should be.
    """
    info = kept.info
    status = text_of(info, "status").removeprefix("LOGGED_MODEL_")
    return LoggedModel(
        model_id=kept.key,
        name=text_of(info, "name"),
        kind=text_of(info, "model_type"),
        status=_LOGGED_STATUS.get(status, status),
        created=count_of(info, "creation_timestamp_ms") or count_of(info, "creation_timestamp"),
        artifacts=text_of(info, "artifact_uri") or text_of(info, "artifact_location"),
        params=kept.params,
        tags=kept.tags,
        metrics=kept.metrics,
    )


def version_of(document: Mapping[str, Any], name: str, number: int, tags: Mapping[str, str]) -> ModelVersion:
    """Return a version of a registered model; what is said of its name and number was looked at before.

    Raises:
        InvalidInput: A fact is not what it should be.
    """
    return ModelVersion(
        name=name,
        number=number,
        source=text_of(document, "source"),
        storage=text_of(document, "storage_location"),
        run_id=text_of(document, "run_id"),
        status=text_of(document, "status") or READY,
        status_message=text_of(document, "status_message"),
        stage=text_of(document, "current_stage") or "None",
        description=text_of(document, "description"),
        tags=tags,
        user=text_of(document, "user_id"),
        created=count_of(document, "creation_timestamp"),
        updated=count_of(document, "last_updated_timestamp"),
    )


def model_of(
    document: Mapping[str, Any], name: str, tags: Mapping[str, str], aliases: Mapping[str, int]
) -> RegisteredModel:
    """Return a registered model; what is said of its name was looked at before.

    Raises:
        InvalidInput: A fact is not what it should be.
    """
    return RegisteredModel(
        name=name,
        description=text_of(document, "description"),
        tags=tags,
        aliases=aliases,
        created=count_of(document, "creation_timestamp"),
        updated=count_of(document, "last_updated_timestamp"),
    )


def text_of(document: Mapping[str, Any], key: str) -> str:
    """Return a text of a document, '' where it has none.

    Raises:
        InvalidInput: It is something else.
    """
    value = document.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(f"its {key} is no text", hint="it was damaged, or a newer MLflow wrote it")
    return str(value)


def count_of(document: Mapping[str, Any], key: str) -> int:
    """Return a whole number of a document, 0 where it has none.

    Raises:
        InvalidInput: It is something else.
    """
    value = document.get(key)
    try:
        return 0 if value in {None, ""} else whole(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"its {key} is no number", hint="it was damaged, or a newer MLflow wrote it") from None


def whole(value: object) -> int:
    """Return a whole number that may have come as a text.

    Raises:
        ValueError: It is none, negative, or larger than 64 bits hold.
    """
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > len(str(2**63)):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)
