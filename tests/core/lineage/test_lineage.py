"""What is said of a version's origin is valid by the published schemas, and says what is known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from artreg.core.lineage import Origin, cyclonedx_bom, slsa_statement
from artreg.core.lineage.origin import locked
from artreg.core.manifest import Manifest
from artreg.core.names import ModelName
from artreg.core.version import Version

LOCK = b"""
version = 1
[[package]]
name = "numpy"
version = "2.4.0"
source = { registry = "simple" }
sdist = { url = "x", hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111" }
wheels = [{ url = "y", hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222" }]
[[package]]
name = "torch"
version = "2.15.0+cpu"
dependencies = [{ name = "numpy" }, { name = "elsewhere" }]
[[package]]
name = "here"
source = { editable = "." }
"""
RUN: dict[str, Any] = {
    "axes": {
        "code": {"commit": "c" * 40, "dirty": True, "remote": "https://example.org/churn.git"},
        "environment": {"python": "3.11.7", "packages": {"artreg": "0.1.0"}, "container_image": None},
        "config": {"document": {"seed": 42, "trainer": "hist_gradient_boosting", "data": {"task": "classification"}}},
        "data": {"content_hash": "d" * 64, "snapshot": f"churn@sha256:{'d' * 64}", "uri": "data/churn.csv"},
    },
    "seeds": {"seed": 42},
    "command": ["artreg", "train"],
    "started": "2026-01-02T03:04:05.678Z",
    "duration_seconds": 2.5,
    "published_at": "2026-01-02T03:04:09.000Z",
    "write_id": "f" * 32,
}
DATA = {"name": "churn", "record_count": 8000, "schema_hash": "e" * 64, "uri": "data/churn.csv"}
FILES = {"model.skops": "a" * 64, "metrics.json": "b" * 64, "run.json": "0" * 64, "uv.lock": "9" * 64}


def origin(run: dict[str, Any] | None = None, **changes: Any) -> Origin:
    known: dict[str, Any] = {
        "run": RUN if run is None else run,
        "metrics": {"roc_auc": 0.9, "test": {"rows": 3}},
        "data": DATA,
        "packages": locked(LOCK),
    }
    known |= {"model": ModelName("demo", "churn"), "version": Version(1, 2, 1), "manifest": Manifest.of(FILES)}
    return Origin(**{**known, **changes})


ODD: list[dict[str, Any]] = [
    {},
    {"axes": None},
    {"axes": {"code": {"commit": "unknown", "remote": None}, "config": {"document": 3}, "data": {}}},
    {"axes": {"environment": {"packages": 7}}, "started": "yesterday", "published_at": "2026-01-02T03:04:09.000Z"},
]
CASES = [origin(), *(origin(run, metrics=None, data=None, packages=()) for run in ODD)]


@pytest.mark.parametrize("case", CASES)
def test_the_statement_is_one_of_in_toto_with_slsa_provenance(case: Origin) -> None:
    document = slsa_statement(case)
    parsed = json_format.ParseDict(document, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    predicate = json_format.ParseDict(document["predicate"], provenance_pb2.Provenance())
    assert predicate.build_definition.build_type == "urn:artreg:training:v1"
    assert predicate.run_details.builder.id
    subjects = {subject["name"]: subject["digest"]["sha256"] for subject in document["subject"]}
    assert subjects == FILES


def test_the_statement_says_what_went_in() -> None:
    definition = slsa_statement(origin())["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["config"]["seed"] == 42
    code, environment, data = definition["resolvedDependencies"]
    assert code == {
        "name": "code",
        "uri": f"git+https://example.org/churn.git@{'c' * 40}",
        "digest": {"gitCommit": "c" * 40},
        "annotations": {"dirty": True},
    }
    assert environment["digest"] == {"sha256": "9" * 64}
    assert data == {"name": "data", "uri": f"churn@sha256:{'d' * 64}", "digest": {"sha256": "d" * 64}}
    metadata = slsa_statement(origin())["predicate"]["runDetails"]["metadata"]
    assert metadata == {
        "invocationId": "f" * 32,
        "startedOn": "2026-01-02T03:04:05.678Z",
        "finishedOn": "2026-01-02T03:04:08.178Z",
    }


@pytest.mark.parametrize("case", CASES)
def test_the_bom_is_valid_cyclonedx(case: Origin) -> None:
    from cyclonedx.schema import SchemaVersion  # takes seconds, which most runs can do without
    from cyclonedx.validation.json import JsonStrictValidator

    text = json.dumps(cyclonedx_bom(case))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.dumps(cyclonedx_bom(case)) == text


@pytest.mark.parametrize("said", [{"id": "Apache-2.0"}, {"name": "ours"}])
def test_a_license_is_part_of_the_bom(said: dict[str, str]) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bom = cyclonedx_bom(origin(), said)
    assert bom["metadata"]["component"]["licenses"] == [{"license": said}]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None


def test_no_file_of_several_is_taken_for_the_model() -> None:
    files = {"model/config.json": "1" * 64, "model/model.safetensors": "2" * 64}
    model = cyclonedx_bom(origin(manifest=Manifest.of(FILES | files)))["metadata"]["component"]
    assert model["hashes"] == []
    assert {"name": "artreg:file:model/config.json", "value": "1" * 64} in model["properties"]


def test_the_bom_holds_model_data_and_libraries() -> None:
    bom = cyclonedx_bom(origin())
    model = bom["metadata"]["component"]
    assert (model["name"], model["version"], model["hashes"][0]["content"]) == ("churn", "1.2.1", "a" * 64)
    assert model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "roc_auc", "value": "0.9", "slice": "test"}
    ]
    assert model["pedigree"]["commits"][0]["uid"] == "c" * 40
    data, numpy, torch = bom["components"]
    assert (data["type"], data["hashes"][0]["content"]) == ("data", "d" * 64)
    assert (numpy["purl"], len(numpy["hashes"])) == ("pkg:pypi/numpy@2.4.0", 2)
    assert torch["purl"] == "pkg:pypi/torch@2.15.0%2Bcpu"
    needs = {entry["ref"]: entry["dependsOn"] for entry in bom["dependencies"]}
    assert needs[torch["purl"]] == [numpy["purl"]]


@pytest.mark.parametrize("lock", [b"", b"\xff", b"package = 1", b"[[package]]\nversion = '1'"])
def test_a_lock_that_cannot_be_read_gives_no_packages(lock: bytes) -> None:
    assert locked(lock) == ()
