"""OpenLineage events of trainings: pure rules from what is known of a training to the documents that are sent.

See https://openlineage.io/docs/spec/object-model. Of a run there is a START, and at its end a COMPLETE, a FAIL or an
ABORT; what each says adds to what those before it said.
"""

from __future__ import annotations

import math
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from artreg import __version__
from artreg.core.comparison.facts import UNKNOWN, leaves, section
from artreg.core.lineage.origin import ARTREG_URI
from artreg.frozen import Frozen

PRODUCER = f"{ARTREG_URI}:{__version__}"

_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = {
    "DataQualityMetricsInputDatasetFacet": "1-0-3",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DatasetVersionDatasetFacet": "1-0-1",
    "DatasourceDatasetFacet": "1-0-1",
    "EnvironmentVariablesRunFacet": "1-0-0",
    "ErrorMessageRunFacet": "1-0-1",
    "ExecutionParametersRunFacet": "1-0-0",
    "JobTypeJobFacet": "2-0-4",
    "ParentRunFacet": "1-2-0",
    "ProcessingEngineRunFacet": "1-1-1",
    "SchemaDatasetFacet": "1-2-0",
    "SourceCodeLocationJobFacet": "1-1-0",
    "TagsDatasetFacet": "1-0-0",
    "TagsRunFacet": "1-0-0",
}
"""The facets that are used, each with the version of its schema."""

Document = dict[str, Any]


class Run(Frozen):
    """A run of a job.

    Attributes:
        id: A UUID.
        namespace: The job's namespace.
        job: The job's name.
    """

    id: str
    namespace: str
    job: str

    def document(self) -> Document:
        """Return it as others that name it do."""
        return {"run": {"runId": self.id}, "job": {"namespace": self.namespace, "name": self.job}}


class Family(Frozen):
    """The run that began this one, and the one at the root of all, as far as they are known."""

    parent: Run | None = None
    root: Run | None = None


class Output(Frozen):
    """The version that came of a run.

    Attributes:
        registry: The registry's root.
        model: The model's full name.
        version: Its number.
        digest: Its digest.
        path: Where it lies.
        metrics: The document `metrics.json`.
    """

    registry: str
    model: str
    version: str
    digest: str
    path: str
    metrics: Mapping[str, Any]


def new_run_id(milliseconds: int, random: bytes) -> str:
    """Return a UUID of version 7 (RFC 9562), which begins with the time, from ten random bytes."""
    number = milliseconds << 80 | int.from_bytes(random) & ~(0xF << 76 | 0x3 << 62)
    return str(uuid.UUID(int=number | 0x7 << 76 | 0x2 << 62))


def parse_run(text: str) -> Run | None:
    """Read `NAMESPACE/NAME/RUN_ID`, as others hand a run on; None if it is none."""
    namespace, _, rest = text.strip().rpartition("/")[0].rpartition("/")
    number = text.strip().rpartition("/")[2]
    try:
        return Run(str(uuid.UUID(number)), namespace, rest) if namespace and rest else None
    except ValueError:
        return None


def start(run: Run, time: str, family: Family, inputs: Iterable[Document] = ()) -> Document:
    """Return the event that a training begins."""
    return _event("START", run, time, _running(family), inputs=list(inputs))


def failure(run: Run, time: str, family: Family, message: str, *, aborted: bool) -> Document:
    """Return the event that a training came to nothing."""
    facets = _running(family)
    facets["errorMessage"] = _facet("ErrorMessageRunFacet", message=message, programmingLanguage="PYTHON")
    return _event("ABORT" if aborted else "FAIL", run, time, facets)


def completion(
    run: Run, time: str, family: Family, published: Output, *, record: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Document:
    """Return the event that a training came to a version.

    Args:
        run: The run.
        time: When.
        family: Where it comes from.
        published: The version.
        record: The run record.
        manifest: The data manifest.
    """
    axes = section(record, "axes")
    environment, config = section(axes, "environment"), section(section(axes, "config"), "document")
    facets = _running(family)
    parameters = [{"key": key, "name": key, "value": str(it)} for key, it in leaves(config) if it is not None]
    facets["executionParameters"] = _facet("ExecutionParametersRunFacet", parameters=parameters)
    variables = [{"name": name, "value": str(it)} for name, it in section(environment, "variables").items()]
    if variables:
        facets["environmentVariables"] = _facet("EnvironmentVariablesRunFacet", environmentVariables=variables)
    facets["tags"] = _tags("TagsRunFacet", _environment(environment))
    return _event(
        "COMPLETE",
        run,
        time,
        facets,
        job=_source(section(axes, "code")),
        inputs=[_input(manifest, published.registry)],
        outputs=[_output(published)],
    )


def dataset(uri: str, registry: str, base: str) -> Document:
    """Return the name of a table among all data, as the specification has it.

    Args:
        uri: Where it lies, without credentials: a path, a URL, `sklearn:NAME`, or a snapshot of the registry.
        registry: The registry's root.
        base: The folder that a path is relative to.
    """
    if "@sha256:" in uri:
        return {"namespace": registry_namespace(registry), "name": f"data/{uri.partition('@')[0]}"}
    url = re.fullmatch(r"(?P<space>[A-Za-z][A-Za-z0-9+.-]*://[^/]*)/*(?P<name>.*)", uri)
    if url is not None and url["space"] != "file://":
        return {"namespace": url["space"], "name": url["name"] or "/"}
    bundled = re.fullmatch(r"(?P<space>sklearn):(?P<name>.+)", uri)
    if bundled is not None:
        return {"namespace": bundled["space"], "name": bundled["name"]}
    path = f"/{url['name']}" if url is not None else os.path.normpath(os.path.join(base, uri))
    return {"namespace": "file", "name": path}


def registry_namespace(url: str) -> str:
    """Return the namespace of what a registry holds: its root as a URL."""
    return url.rstrip("/") if "://" in url else f"file://{os.path.abspath(url)}"


def _event(
    kind: str,
    run: Run,
    time: str,
    facets: Document,
    *,
    job: Document | None = None,
    inputs: list[Document] | None = None,
    outputs: list[Document] | None = None,
) -> Document:
    type_ = _facet("JobTypeJobFacet", processingType="BATCH", integration="ARTREG", jobType="TRAINING")
    return {
        "eventType": kind,
        "eventTime": time,
        "producer": PRODUCER,
        "schemaURL": _EVENT,
        "run": {"runId": run.id, "facets": facets},
        "job": {"namespace": run.namespace, "name": run.job, "facets": {"jobType": type_, **(job or {})}},
        "inputs": inputs or [],
        "outputs": outputs or [],
    }


def _facet(name: str, /, **fields: object) -> Document:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{FACETS[name]}/{name}.json#/$defs/{name}", **fields}


def _tags(name: str, pairs: Iterable[tuple[str, object]]) -> Document:
    tags = [{"key": key, "value": str(value), "source": "ARTREG"} for key, value in pairs if value not in (None, "")]
    return _facet(name, tags=tags)


def _running(family: Family) -> Document:
    """Return what every event says of the run."""
    engine = _facet(
        "ProcessingEngineRunFacet", name="artreg", version=__version__, openlineageAdapterVersion=__version__
    )
    facets = {"processing_engine": engine}
    if family.parent is not None:
        root = {} if family.root is None else {"root": family.root.document()}
        facets["parent"] = _facet("ParentRunFacet", **family.parent.document(), **root)
    return facets


def _environment(environment: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for key in ("python", "platform", "uv_lock_sha256", "container_image"):
        yield key, environment.get(key)
    for package, version in section(environment, "packages").items():
        yield f"package.{package}", version


def _source(code: Mapping[str, Any]) -> Document:
    commit = code.get("commit")
    if not commit or commit == UNKNOWN:
        return {}
    remote, known = code.get("remote"), ("branch", "folder")
    more = {name: code[key] for name, key in zip(("branch", "path"), known, strict=True) if code.get(key)}
    more |= {"repoUrl": remote} if remote else {}
    url = remote or "file:///"
    return {"sourceCodeLocation": _facet("SourceCodeLocationJobFacet", type="git", url=url, version=commit, **more)}


def _input(manifest: Mapping[str, Any], registry: str) -> Document:
    uri = str(manifest["uri"])
    where = dataset(uri, registry, os.getcwd())
    fields = [
        {"name": str(it.get("name")), "type": str(it.get("type")), "ordinal_position": place}
        for place, it in enumerate(manifest["schema"], 1)
    ]
    facets = {
        "schema": _facet("SchemaDatasetFacet", fields=fields),
        "dataSource": _facet("DatasourceDatasetFacet", name=str(manifest["name"]), uri=_uri(where)),
        "version": _facet("DatasetVersionDatasetFacet", datasetVersion=str(manifest["content_hash"])),
        "tags": _tags("TagsDatasetFacet", [("snapshot", manifest["snapshot"]), ("schema", manifest["schema_hash"])]),
    }
    columns = {name: _column(profile) for name, profile in section(manifest, "profile").items()}
    quality = _facet("DataQualityMetricsInputDatasetFacet", rowCount=manifest["record_count"], columnMetrics=columns)
    return {**where, "facets": facets, "inputFacets": {"dataQualityMetrics": quality}}


def _uri(where: Mapping[str, str]) -> str:
    space, name = where["namespace"], where["name"]
    return f"{space}/{name}" if "://" in space else f"file://{name}" if space == "file" else f"{space}:{name}"


def _column(profile: Mapping[str, Any]) -> Document:
    """Return the figures of a column that the specification has a name for."""
    names = {"nullCount": "missing", "count": "count", "distinctCount": "distinct", "min": "min", "max": "max"}
    figures = {name: profile[key] for name, key in names.items() if _is_number(profile.get(key))}
    quantiles = {key: value for key, value in section(profile, "quantiles").items() if _is_number(value)}
    return {**figures, "quantiles": quantiles} if quantiles else figures


def _output(published: Output) -> Document:
    where = {"namespace": registry_namespace(published.registry), "name": published.model}
    uri = published.path if "://" in published.path else f"file://{os.path.abspath(published.path)}"
    figures = ((key, value) for key, value in leaves(published.metrics) if _is_number(value))
    tags = [("digest", f"sha256:{published.digest}"), *((f"metric.{key}", value) for key, value in figures)]
    facets = {
        "version": _facet("DatasetVersionDatasetFacet", datasetVersion=published.version),
        "dataSource": _facet("DatasourceDatasetFacet", name=f"{published.model}@{published.version}", uri=uri),
        "datasetType": _facet("DatasetTypeDatasetFacet", datasetType="MODEL"),
        "tags": _tags("TagsDatasetFacet", tags),
    }
    return {**where, "facets": facets}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
