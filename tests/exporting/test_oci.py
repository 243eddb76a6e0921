"""A version as an OCI image layout: by the book, the same to the byte each time, its layers the version's own files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from artreg.core.manifest import Manifest
from artreg.errors import InvalidInput
from artreg.exporting import oci
from artreg.exporting.oci import export_oci, layer_type
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from exporting.golden import same_as_golden
from exporting.made import V, meant, published, registry_on


def blob(out: Path, descriptor: dict[str, Any]) -> bytes:
    algorithm, _, digest = descriptor["digest"].partition(":")
    data = (out / "blobs" / algorithm / digest).read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, descriptor["size"])
    return data


def manifest_in(out: Path) -> dict[str, Any]:
    index = json.loads((out / "index.json").read_bytes())
    assert json.loads((out / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (one,) = index["manifests"]
    assert one["annotations"] == {"org.opencontainers.image.ref.name": str(V)}
    found: dict[str, Any] = json.loads(blob(out, one))
    return found


def unpacked(out: Path) -> dict[str, bytes]:
    layers = manifest_in(out)["layers"]
    return {layer["annotations"]["org.cncf.model.filepath"]: blob(out, layer) for layer in layers}


def test_the_documents_are_those_of_the_book(registry: Registry, tmp_path: Path) -> None:
    done = export_oci(registry, meant(registry), tmp_path / "out")
    manifest = manifest_in(tmp_path / "out")
    same_as_golden("oci-manifest.json", json.dumps(manifest, indent=2) + "\n")
    config = json.loads(blob(tmp_path / "out", manifest["config"]))
    same_as_golden("oci-config.json", json.dumps(config, indent=2) + "\n")
    assert config["modelfs"]["diffIds"] == [layer["digest"] for layer in manifest["layers"]]
    assert (
        done.details["manifest_digest"]
        == json.loads((tmp_path / "out/index.json").read_bytes())["manifests"][0]["digest"]
    )


DESCRIPTOR = {
    *("authors", "createdAt", "datasetsURL", "description", "docURL", "family", "licenses", "name", "revision"),
    *("sourceURL", "title", "vendor", "version"),
}
CONFIG = {"architecture", "capabilities", "format", "paramSize", "precision", "quantization"}
"""The fields that ModelPack's schema of the config knows; it allows no others."""


@pytest.mark.parametrize("run", [None, {"axes": {"code": {"commit": 3, "remote": "git@host:x"}, "config": []}}])
def test_a_config_has_no_other_fields_than_the_schema(local_store: LocalStore, tmp_path: Path, run: Any) -> None:
    registry = registry_on(local_store)
    published(registry, tmp_path / "made", {"model.bin": "m"}, run=run)
    export_oci(registry, meant(registry), tmp_path / "out")
    config = json.loads(blob(tmp_path / "out", manifest_in(tmp_path / "out")["config"]))
    assert config.keys() == {"config", "descriptor", "modelfs"}
    assert config["descriptor"].keys() <= DESCRIPTOR
    assert config["config"].keys() <= CONFIG
    assert all(isinstance(value, str) and value for part in ("config", "descriptor") for value in config[part].values())


@pytest.mark.parametrize(("said", "expected"), [("apache-2.0", "Apache-2.0"), ("openrail", None), ("ours", None)])
def test_the_license_of_the_card_is_said_as_spdx_calls_it(
    local_store: LocalStore, tmp_path: Path, said: str, expected: str | None
) -> None:
    registry = registry_on(local_store)
    published(registry, tmp_path / "made", {"model.bin": "m", "README.md": f"---\nlicense: {said}\n---\n"}, run=None)
    export_oci(registry, meant(registry), tmp_path / "out")
    manifest = manifest_in(tmp_path / "out")
    config = json.loads(blob(tmp_path / "out", manifest["config"]))
    assert manifest["annotations"].get("org.opencontainers.image.licenses") == expected
    assert config["descriptor"].get("licenses") == ([expected] if expected else None)


def test_its_layers_are_the_files_of_the_version(registry: Registry, tmp_path: Path) -> None:
    export_oci(registry, meant(registry), tmp_path / "out")
    files = unpacked(tmp_path / "out")
    version = tmp_path / "registry/demo/churn" / str(V)
    assert files == {path.name: path.read_bytes() for path in version.iterdir()}
    listed = Manifest.parse(files["checksum.txt"], "it").files
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "checksum.txt"} == listed


def test_it_is_the_same_to_the_byte_each_time(registry: Registry, tmp_path: Path) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        export_oci(registry, meant(registry), out)
    first, second = ({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()} for out in outs)
    assert first == second


def test_a_model_of_many_files_and_two_of_the_same_bytes(local_store: LocalStore, tmp_path: Path) -> None:
    registry = registry_on(local_store)
    files = {"model/config.json": "{}", "model/a.safetensors": b"w", "model/b.safetensors": b"w", "notes/é b.md": "x"}
    published(registry, tmp_path / "made", files, run=None)
    export_oci(registry, meant(registry), tmp_path / "out")
    found = unpacked(tmp_path / "out")
    assert {name: found[name] for name in files} == {
        k: v if isinstance(v, bytes) else v.encode() for k, v in files.items()
    }


def test_a_manifest_that_no_registry_would_take_is_refused(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci, "LARGEST_MANIFEST", 1000)
    with pytest.raises(InvalidInput, match="more than fit"):
        export_oci(registry, meant(registry), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.skops", "weight"),
        ("model.json", "weight"),
        ("model/model.safetensors", "weight"),
        ("model/config.json", "weight.config"),
        ("README.md", "doc"),
        ("checksum.txt", "doc"),
        ("metrics.json", "doc"),
        ("uv.lock", "code"),
        ("config.yaml", "code"),
        ("rows.csv", "dataset"),
    ],
)
def test_what_a_layer_is_its_name_tells(name: str, kind: str) -> None:
    assert layer_type(name) == f"application/vnd.cncf.model.{kind}.v1.raw"
