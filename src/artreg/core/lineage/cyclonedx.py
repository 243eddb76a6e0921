"""A version as a CycloneDX 1.6 ML-BOM: the model with its card, its data, and the libraries that it was made with.

See https://cyclonedx.org/docs/1.6/json/. Equal versions give equal documents: nothing in one is of chance or of now.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from artreg.core.lineage.origin import ARTREG_URI, Origin, Package

_MODEL = "model"
_DATA = "data"


def cyclonedx_bom(origin: Origin, license_: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the document; what is not known is left out.

    Args:
        origin: The version.
        license_: The model's license, by its SPDX `id` or its `name`.
    """
    published = origin.run.get("published_at")
    metadata: dict[str, Any] = {
        "component": _model(origin) | ({"licenses": [{"license": dict(license_)}]} if license_ else {}),
        "tools": {"components": [{"type": "application", "name": "artreg", "version": origin.artreg}]},
    }
    if isinstance(published, str):
        metadata["timestamp"] = published
    libraries = [_library(package) for package in origin.packages]
    data = [_dataset(origin)] if origin.data is not None else []
    known = {package.name: _purl(package) for package in origin.packages}
    needs = [known[name] for name in sorted(known)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{ARTREG_URI}:{origin.manifest.digest}')}",
        "version": 1,
        "metadata": metadata,
        "components": [*data, *libraries],
        "dependencies": [
            {"ref": _MODEL, "dependsOn": [*([_DATA] if data else []), *needs]},
            *(
                {"ref": _purl(package), "dependsOn": [known[name] for name in package.requires if name in known]}
                for package in origin.packages
            ),
        ],
    }


def _model(origin: Origin) -> dict[str, Any]:
    files = origin.model_files.values()  # of a model of several, no hash is that of the model; properties have each
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "group": origin.model.project,
        "name": origin.model.model,
        "version": str(origin.version),
        "hashes": _hashes([*files] if len(files) == 1 else []),
        "modelCard": _card(origin),
        "properties": [
            {"name": "artreg:digest", "value": origin.manifest.digest},
            *({"name": f"artreg:file:{name}", "value": sha256} for name, sha256 in origin.manifest.files.items()),
        ],
    }
    if origin.commit is not None:
        component["pedigree"] = {"commits": [_commit(origin, origin.commit)]}
    return component


def _commit(origin: Origin, commit: str) -> dict[str, Any]:
    found = {"uid": commit}
    if origin.repository is not None and "://" in origin.repository:
        found["url"] = origin.repository
    return found


def _card(origin: Origin) -> dict[str, Any]:
    known = {"task": origin.task, "modelArchitecture": origin.architecture}
    parameters: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
    if origin.data is not None:
        parameters["datasets"] = [{"ref": _DATA}]
    card: dict[str, Any] = {"modelParameters": parameters}
    figures = [
        {"type": key, "value": repr(value), "slice": "test"}
        for key, value in (origin.metrics or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return card | ({"quantitativeAnalysis": {"performanceMetrics": figures}} if figures else {})


def _dataset(origin: Origin) -> dict[str, Any]:
    data = origin.data or {}
    axis = origin.axis("data")
    properties = {
        "record_count": data.get("record_count"),
        "schema_hash": data.get("schema_hash"),
        "uri": data.get("uri"),
    }
    content: dict[str, Any] = {
        "type": "dataset",
        "name": str(data.get("name") or _DATA),
        "contents": {
            "properties": [
                {"name": f"artreg:{key}", "value": str(value)} for key, value in properties.items() if value is not None
            ]
        },
    }
    snapshot = axis.get("snapshot")
    component: dict[str, Any] = {
        "type": "data",
        "bom-ref": _DATA,
        "name": str(data.get("name") or _DATA),
        "data": [content],
        "hashes": _hashes([str(axis.get("content_hash") or data.get("content_hash") or "")]),
    }
    return component | ({"version": str(snapshot)} if snapshot else {})


def _library(package: Package) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "purl": _purl(package),
        "hashes": _hashes(package.sha256),
    }


def _purl(package: Package) -> str:
    return f"pkg:pypi/{package.name}@{package.version.replace('+', '%2B')}"


def _hashes(digests: list[str] | tuple[str, ...]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest} for digest in digests if len(digest) == 64]  # noqa: PLR2004 (SHA-256)
