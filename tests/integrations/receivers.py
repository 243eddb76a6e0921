"""A receiver of OpenLineage on loopback that answers as a test wants, and events as OpenLineage's own classes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

from openlineage.client import event_v2
from openlineage.client.serde import Serde

MODULES = {
    "DataQualityMetricsInputDatasetFacet": "data_quality_metrics_input_dataset",
    "DatasetTypeDatasetFacet": "dataset_type_dataset",
    "DatasetVersionDatasetFacet": "dataset_version_dataset",
    "DatasourceDatasetFacet": "datasource_dataset",
    "EnvironmentVariablesRunFacet": "environment_variables_run",
    "ErrorMessageRunFacet": "error_message_run",
    "ExecutionParametersRunFacet": "execution_parameters_run",
    "JobTypeJobFacet": "job_type_job",
    "ParentRunFacet": "parent_run",
    "ProcessingEngineRunFacet": "processing_engine_run",
    "SchemaDatasetFacet": "schema_dataset",
    "SourceCodeLocationJobFacet": "source_code_location_job",
    "TagsDatasetFacet": "tags_dataset",
    "TagsRunFacet": "tags_run",
}
INNER = {
    "fields": "SchemaDatasetFacetFields",
    "parameters": "ExecutionParameter",
    "environmentVariables": "EnvironmentVariable",
    "run": "Run",
    "job": "Job",
    "root": "Root",
}
KEYS = {
    "DatasourceDatasetFacet": "dataSource",
    "DataQualityMetricsInputDatasetFacet": "dataQualityMetrics",
    "DatasetTypeDatasetFacet": "datasetType",
    "DatasetVersionDatasetFacet": "version",
    "EnvironmentVariablesRunFacet": "environmentVariables",
    "ErrorMessageRunFacet": "errorMessage",
    "ExecutionParametersRunFacet": "executionParameters",
    "JobTypeJobFacet": "jobType",
    "ParentRunFacet": "parent",
    "ProcessingEngineRunFacet": "processing_engine",
    "SchemaDatasetFacet": "schema",
    "SourceCodeLocationJobFacet": "sourceCodeLocation",
    "TagsDatasetFacet": "tags",
    "TagsRunFacet": "tags",
}
"""Under which key each facet stands, by the specification."""

Event = dict[str, Any]


def facet_class(name: str) -> Any:
    return getattr(import_module(f"openlineage.client.generated.{MODULES[name]}"), name)


def checked(event: Event) -> Event:
    """Return an event that OpenLineage's own classes take, and write again as it is."""
    producer = event["producer"]
    run, job = event["run"], event["job"]
    made = event_v2.RunEvent(
        eventType=event_v2.RunState[event["eventType"]],
        eventTime=event["eventTime"],
        producer=producer,
        run=event_v2.Run(run["runId"], _facets(run["facets"])),
        job=event_v2.Job(job["namespace"], job["name"], _facets(job["facets"])),
        inputs=[_dataset(event_v2.InputDataset, it, "inputFacets") for it in event["inputs"]],
        outputs=[_dataset(event_v2.OutputDataset, it, "outputFacets") for it in event["outputs"]],
    )
    assert _bare(json.loads(Serde.to_json(made))) == _bare(event)
    return event


def _dataset(kind: Any, document: Event, own: str) -> Any:
    return kind(
        document["namespace"],
        document["name"],
        facets=_facets(document.get("facets", {})),
        **{own: _facets(document.get(own, {}))},
    )


def _facets(documents: Event) -> Event:
    return {key: _facet(key, document) for key, document in documents.items()}


def _facet(key: str, document: Event) -> Any:
    name = document["_schemaURL"].rpartition("/")[2]
    kind = facet_class(name)
    assert document["_schemaURL"] == kind._get_schema()
    assert KEYS[name] == key
    module = import_module(kind.__module__)
    fields = {field: _inner(module, field, value) for field, value in document.items() if not field.startswith("_")}
    return kind(**fields, producer=document["_producer"])


def _inner(module: Any, field: str, value: Any) -> Any:
    if field == "columnMetrics":
        return {name: module.ColumnMetrics(**metrics) for name, metrics in value.items()}
    if field == "tags":
        return [getattr(module, f"{_tags_of(module)}Fields")(**tag) for tag in value]
    if field in {"run", "job", "root"} and field in INNER:
        if field == "root":
            return module.Root(run=module.RootRun(**value["run"]), job=module.RootJob(**value["job"]))
        return getattr(module, INNER[field])(**value)
    if field in INNER and isinstance(value, list):
        return [getattr(module, INNER[field])(**it) for it in value]
    return value


def _tags_of(module: Any) -> str:
    return "TagsRunFacet" if hasattr(module, "TagsRunFacet") else "TagsDatasetFacet"


def _bare(value: Any) -> Any:
    """Leave out what is empty, which says the same."""
    if isinstance(value, dict):
        inner = {key: _bare(it) for key, it in value.items()}
        return {key: it for key, it in inner.items() if it not in (None, {}, [])}
    return [_bare(it) for it in value] if isinstance(value, list) else value


Answer = Callable[[Event], int | None]


class Receiver(ThreadingHTTPServer):
    """Keeps the events that it is sent, and answers what `answer` says.

    None leaves the sender without one, and 0 gives him the beginning of one, in which a line comes every now and then.
    """

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.events: list[Event] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers)))
        code = self.server.answer(event)
        if code is None:
            self.server.released.wait(30)
            return
        if code == 0:
            self.wfile.write(b"HTTP/1.1 201 Created\r\n")
            while not self.server.released.wait(0.02):
                self.wfile.write(b"X-Slow: 1\r\n")
            return
        if code < 300:
            self.server.events.append(event)
        self.send_response(code)
        if 300 <= code < 400:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving(answer: Answer = lambda event: 201) -> Iterator[Receiver]:
    with Receiver(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
