"""A version as an OCI image layout by the ModelPack specification of the CNCF.

See https://github.com/modelpack/model-spec and https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
Each file is a layer as it stands, so that the digest of a layer is the sha256 that `checksum.txt` names; nothing in the
documents is of chance or of now, so that one version always gives the same digests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artreg.card import LICENSES, license_of
from artreg.core.canonical import digest
from artreg.core.lineage import Origin
from artreg.core.manifest import is_model_file
from artreg.errors import InvalidInput
from artreg.exporting.folder import Exported, find_whole, write_folder
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.store.interface import TreeFile

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
ARTIFACT_TYPE = "application/vnd.cncf.model.manifest.v1+json"
CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
LARGEST_MANIFEST = 4 * 2**20
"""Bytes; registries refuse what is larger."""

_LAYOUT = "oci-layout"
_INDEX = "index.json"
_CONFIGS = {".json", ".txt", ".yaml", ".yml", ".toml", ".jinja"}
_DATASETS = {".csv", ".tsv", ".parquet", ".jsonl", ".arrow"}
_CODE = {".py", ".lock", ".sh", ".yaml", ".yml", ".toml", ".patch", ".diff"}


def export_oci(registry: Registry, found: Resolved, out: Path, *, reporter: Reporter = SILENT) -> Exported:
    """Write a version into a new folder as an OCI image layout, tagged with its number.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something.
        InvalidInput: The folder cannot be named so, or the version has too many files for a manifest.
        StorageError: The version cannot be read, or the folder cannot be written.
    """
    whole = find_whole(registry, found)
    layers = [_layer(file) for file in whole.files]
    config = _encoded(_config(whole.origin, layers))
    manifest = _encoded(_manifest(whole.origin, config, layers))
    if len(manifest) > LARGEST_MANIFEST:
        raise InvalidInput(
            f"{whole.found} has {len(layers):,} files, more than fit into an OCI manifest",
            hint="registries take manifests of up to 4 MiB: publish the model as one file",
        )
    tag = str(whole.found.version)
    files = [
        *{blob.name: blob for blob in (*map(_blob, whole.files), _small_blob(config), _small_blob(manifest))}.values(),
        small_file(_LAYOUT, _encoded({"imageLayoutVersion": "1.0.0"})),
        small_file(_INDEX, _encoded(_index(manifest, tag))),
    ]
    details = {"tag": tag, "manifest_digest": f"sha256:{digest(manifest)}"}
    return write_folder(whole, "oci", files, out, marks=(_LAYOUT, _INDEX), details=details, reporter=reporter)


def layer_type(name: str) -> str:
    """Return the media type of the layer that a file of a version becomes, judged by its name."""
    suffix = os.path.splitext(name)[1].lower()
    if is_model_file(name):
        inside = "/" in name and suffix in _CONFIGS
        kind = "weight.config" if inside else "weight"
    elif suffix in _DATASETS:
        kind = "dataset"
    elif suffix in _CODE:
        kind = "code"
    else:
        kind = "doc"
    return f"application/vnd.cncf.model.{kind}.v1.raw"


def _layer(file: TreeFile) -> dict[str, Any]:
    return {
        "mediaType": layer_type(file.name),
        "digest": f"sha256:{file.sha256}",
        "size": file.size,
        "annotations": {
            "org.cncf.model.filepath": file.name,
            "org.cncf.model.file.mediatype.untested": "true",
            "org.opencontainers.image.title": file.name,
        },
    }


def _config(origin: Origin, layers: list[dict[str, Any]]) -> dict[str, Any]:
    descriptor = {
        "createdAt": _published(origin),
        "name": str(origin.model),
        "version": str(origin.version),
        "revision": origin.commit,
        "sourceURL": _source(origin),
    }
    config = {"architecture": origin.architecture, "format": _format(origin)}
    spdx = _license(origin)
    return {
        "descriptor": _known(descriptor) | ({"licenses": [spdx]} if spdx else {}),
        "modelfs": {"type": "layers", "diffIds": [layer["digest"] for layer in layers]},
        "config": _known(config),
    }


def _manifest(origin: Origin, config: bytes, layers: list[dict[str, Any]]) -> dict[str, Any]:
    annotations = {
        "org.opencontainers.image.created": _published(origin),
        "org.opencontainers.image.licenses": _license(origin),
        "org.opencontainers.image.revision": origin.commit,
        "org.opencontainers.image.source": _source(origin),
        "org.opencontainers.image.title": str(origin.model),
        "org.opencontainers.image.version": str(origin.version),
        "artreg.digest": origin.manifest.digest,
    }
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": _descriptor(CONFIG_TYPE, config),
        "layers": layers,
        "annotations": _known(annotations),
    }


def _index(manifest: bytes, tag: str) -> dict[str, Any]:
    named = {"artifactType": ARTIFACT_TYPE, "annotations": {"org.opencontainers.image.ref.name": tag}}
    return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [_descriptor(MANIFEST_TYPE, manifest) | named]}


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest(data)}", "size": len(data)}


def _published(origin: Origin) -> str | None:
    published = origin.run.get("published_at")
    return published if isinstance(published, str) else None


def _license(origin: Origin) -> str | None:
    """Return SPDX's name of the model's license: no other is allowed there."""
    return LICENSES.get((license_of(origin) or "").lower())


def _source(origin: Origin) -> str | None:
    return origin.repository if origin.repository is not None and "://" in origin.repository else None


def _format(origin: Origin) -> str | None:
    """Return the format of the model's files, if they have but one that is a name."""
    suffixes = {os.path.splitext(name)[1].lower().removeprefix(".") for name in origin.model_files}
    return suffixes.pop() if len(suffixes) == 1 else None


def _known(facts: Mapping[str, str | None]) -> dict[str, str]:
    return {name: fact for name, fact in facts.items() if fact}


def _encoded(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _blob(file: TreeFile) -> TreeFile:
    return TreeFile(f"blobs/sha256/{file.sha256}", file.source, file.size, file.sha256)


def _small_blob(data: bytes) -> TreeFile:
    return small_file(f"blobs/sha256/{digest(data)}", data)
