"""Folders and registries to time things on, made without artreg where that would take too long."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from artreg.core.manifest import Manifest
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, PromotionRecord
from artreg.core.run_record import RunRecord
from artreg.core.version import Version

ARTREG = str(Path(sys.executable).with_name("artreg"))
MODEL = ModelName("demo", "churn")
PROD = Alias("prod")
MEBIBYTE = 2**20


def folder_of(path: Path, count: int, size: int) -> Path:
    """Make a folder with a model of so many files, of so many random bytes each."""
    (path / "model").mkdir(parents=True)
    block = os.urandom(min(size, MEBIBYTE))
    for number in range(count):
        with open(path / "model" / f"part-{number:05d}.bin", "wb") as file:
            file.write(number.to_bytes(4, "big") + block[4:])
            file.writelines(block for _ in range(size // len(block) - 1))
    (path / "metrics.json").write_text(json.dumps({"roc_auc": 0.9}, indent=1) + "\n")
    return path


def published(root: Path, folder: Path, model: str) -> Path:
    """Publish a folder into a registry, which is made where it is missing; return the folder of the version."""
    root.mkdir(exist_ok=True)
    command = [ARTREG, "publish", str(folder), "--model", model, "--version", "1.0.0", "-q", "-r", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return root / "demo" / model / "1.0.0"


def long_registry(root: Path, versions: int, *, model: ModelName = MODEL, records: bool = True) -> Path:
    """Write a registry with many versions, each moved to prod once, as artreg would have; the models share one file."""
    place = root / model.project / model.model
    (place / "history/prod").mkdir(parents=True)
    (root / "model.bin").write_bytes(b"a model") if not (root / "model.bin").exists() else None
    sha256 = hashlib.sha256(b"a model").hexdigest()
    before: tuple[Version, str] | None = None
    for number in range(versions):
        version = Version(1, number, 0)
        digest = write_version(root, place, model, version, sha256)
        if records:
            before = write_record(place, model, PROD, version, digest, number + 1, before)
    if before is not None:
        (place / "prod").symlink_to(str(before[0]))
    return root


def write_version(root: Path, place: Path, model: ModelName, version: Version, sha256: str) -> str:
    """Write a version whose model is the file `model.bin` of the root, as artreg would have; return its digest."""
    run = RunRecord(
        model=model,
        version=version,
        write_id=f"{version}",
        content=Manifest.of({"model.bin": sha256}).digest,
        sizes={"model.bin": 7},
        published_at="2026-01-01T00:00:00.000Z",
        published_by="ada",
        run={},
    ).encode()
    manifest = Manifest.of({"model.bin": sha256, "run.json": hashlib.sha256(run).hexdigest()})
    folder = place / str(version)
    folder.mkdir()
    os.link(root / "model.bin", folder / "model.bin") if number_of_links(root / "model.bin") < 60_000 else (
        folder / "model.bin"
    ).write_bytes(b"a model")
    (folder / "run.json").write_bytes(run)
    (folder / "checksum.txt").write_bytes(manifest.encode())
    return manifest.digest


def number_of_links(path: Path) -> int:
    """Return how many names a file has; a file system allows only so many."""
    return path.stat().st_nlink


def write_record(
    place: Path,
    model: ModelName,
    alias: Alias,
    version: Version,
    digest: str,
    generation: int,
    before: tuple[Version, str] | None,
) -> tuple[Version, str]:
    """Write a promotion after the one before; return its version and digest."""
    record = PromotionRecord(
        model=model,
        alias=alias,
        generation=generation,
        action=Action.PROMOTE,
        version=version,
        digest=digest,
        previous_version=before[0] if before else None,
        previous_record=before[1] if before else None,
        fallback=generation - 1 or None,
        write_id=f"{generation:032x}",
        time="2026-01-01T00:00:00.000Z",
        who="ada",
        why="",
        policy=None,
        gates=(),
    ).encode()
    (place / f"history/{alias}/{generation:08d}.json").write_bytes(record)
    return version, hashlib.sha256(record).hexdigest()
