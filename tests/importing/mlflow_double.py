"""A tracking server's double: what lies in a file store, by REST, and whatever can go wrong on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from artreg.importing.mlflow_facts import LoggedModel, ModelVersion, Point, RegisteredModel, Run
from artreg.importing.mlflow_files import FileStore

Fault = Callable[["Handler", str], bool]
"""Answers in the server's place, and says whether it did."""


class Double(ThreadingHTTPServer):
    """A server of a file store.

    Attributes:
        faults: Asked one after the other before each answer.
        asked: Every path that was asked for.
        headers: The headers that came with each.
    """

    daemon_threads = True

    def __init__(self, place: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.store = FileStore(place)
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.sent: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Double
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer of two writes waits for 40 ms

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.sent.append({key.lower(): value for key, value in self.headers.items()})
        for fault in list(self.server.faults):
            if fault(self, self.path):
                return
        parts = urlsplit(self.path)
        question = {key: values[0] for key, values in parse_qs(parts.query).items()}
        try:
            if parts.path == "/api/2.0/mlflow-artifacts/artifacts":
                self.tell({"files": _listing(self.server.store, question["path"])})
            elif parts.path.startswith("/api/2.0/mlflow-artifacts/artifacts/"):
                path = unquote(parts.path.removeprefix("/api/2.0/mlflow-artifacts/artifacts/"))
                self.give((Path(self.server.store.location) / path).read_bytes())
            else:
                self.tell(_answer(self.server.store, parts.path.removeprefix("/api/2.0/mlflow/"), question))
        except (KeyError, OSError):
            self.tell({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not here"}, 404)

    def tell(self, document: object, status: int = 200, **headers: str) -> None:
        self.give(json.dumps(document).encode(), status, **headers)

    def give(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(place: Path) -> Iterator[Double]:
    """Serve a file store."""
    double = Double(place)
    thread = threading.Thread(target=double.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        double.shutdown()
        thread.join()
        double.server_close()


def _answer(store: FileStore, what: str, question: dict[str, str]) -> object:
    if what.startswith("logged-models/"):
        return {"model": _logged(_there(store.logged_model(what.removeprefix("logged-models/"))))}
    return ANSWERS[what](store, question)


def _models(store: FileStore, question: dict[str, str]) -> object:
    return _page("registered_models", [_model(it) for it in store.models()], question)  # type: ignore[arg-type]


def _versions(store: FileStore, question: dict[str, str]) -> object:
    name = question["filter"].removeprefix("name=")[1:-1]
    newest_first = [_version(it) for it in store.versions(name)][::-1]  # type: ignore[arg-type]
    return _page("model_versions", newest_first, question)


def _history(store: FileStore, question: dict[str, str]) -> object:
    points = [_point(question["metric_key"], it) for it in store.history(question["run_id"], question["metric_key"])]
    return _page("metrics", points, question)


def _uri(store: FileStore, question: dict[str, str]) -> object:
    versions = {it.number: it for it in store.versions(question["name"])}  # type: ignore[union-attr]
    files = Path(versions[int(question["version"])].storage.removeprefix("file://"))  # type: ignore[union-attr]
    return {"artifact_uri": f"mlflow-artifacts:/{files.relative_to(store.location).as_posix()}"}


ANSWERS: dict[str, Callable[[FileStore, dict[str, str]], object]] = {
    "registered-models/search": _models,
    "model-versions/search": _versions,
    "runs/get": lambda store, question: {"run": _run(_there(store.run(question["run_id"])))},
    "experiments/get": lambda store, question: {"experiment": {"name": store.experiment(question["experiment_id"])}},
    "metrics/get-history": _history,
    "model-versions/get-download-uri": _uri,
}


def _page(key: str, items: list[dict[str, Any]], question: dict[str, str]) -> object:
    """Give one item a page, so that nobody forgets to ask for the next."""
    start = int(question.get("page_token", "0"))
    following = {"next_page_token": str(start + 1)} if start + 1 < len(items) else {}
    return {**({key: items[start : start + 1]} if items else {}), **following}


def _there(found: Any) -> Any:
    if found is None:
        raise KeyError
    return found


def _listing(store: FileStore, path: str) -> list[dict[str, Any]]:
    entries = sorted((Path(store.location) / path).iterdir())
    return [
        {"path": it.name, "is_dir": it.is_dir(), **({} if it.is_dir() else {"file_size": it.stat().st_size})}
        for it in entries
    ]


def _pairs(pairs: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


def _point(key: str, point: Point) -> dict[str, Any]:
    value = point.value if point.value == point.value else "NaN"
    return {"key": key, "value": value, "timestamp": point.at, "step": point.step}


def _model(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "creation_timestamp": model.created,
        "last_updated_timestamp": model.updated,
        "description": model.description,
        "tags": _pairs(model.tags),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in model.aliases.items()],
    }


def _version(version: ModelVersion) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": str(version.number),
        "creation_timestamp": version.created,
        "last_updated_timestamp": version.updated,
        "current_stage": version.stage,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id,
        "status": version.status,
        "tags": _pairs(version.tags),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "info": {
            "run_id": run.run_id,
            "run_name": run.name,
            "experiment_id": run.experiment_id,
            "user_id": run.user,
            "status": run.status,
            "start_time": run.started,
            "end_time": run.ended,
            "artifact_uri": run.artifacts,
            "lifecycle_stage": run.lifecycle,
        },
        "data": {
            "metrics": [_point(key, point) for key, point in run.metrics.items()],
            "params": _pairs(run.params),
            "tags": _pairs(run.tags),
        },
        "inputs": {},
        "outputs": {"model_outputs": [{"model_id": "m", "step": 0}] * run.models},
    }


def _logged(logged: LoggedModel) -> dict[str, Any]:
    return {
        "info": {
            "model_id": logged.model_id,
            "name": logged.name,
            "model_type": logged.kind,
            "creation_timestamp_ms": logged.created,
            "artifact_uri": "mlflow-artifacts:/somewhere",
            "status": f"LOGGED_MODEL_{logged.status}",
            "tags": _pairs(logged.tags),
        },
        "data": {
            "params": _pairs(logged.params),
            "metrics": [_point(key, point) for key, point in logged.metrics.items()],
        },
    }
