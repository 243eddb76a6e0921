"""Small registries to break, and what they show to a reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from artreg.core import keys
from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.registry.catalog import alias_targets
from artreg.registry.gc import Collected, collect
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.registry.versions import find_manifest, list_aliases, list_numbers
from artreg.store.interface import Store

MODEL = ModelName("demo", "churn")
STAGING, PROD = Alias("staging"), Alias("prod")
POLICY = parse_policy({"aliases": {"staging": {}, "prod": {}}}, "a policy whose gates let everything pass")
V1, V2, V3 = (Version(1, minor, 0) for minor in range(3))


def make_source(folder: Path, text: str, *, size: int = 0) -> Path:
    """A folder that can be published; its model is `text`, filled up to `size` bytes."""
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights.bin").write_bytes(text.encode().ljust(size, b"\0"))
    (folder / "model" / "words.txt").write_text(f"words of {text}\n")
    (folder / "metrics.json").write_text('{"roc_auc": 0.9}\n')
    return folder


def make_sources(folder: Path, *, large: int = 0) -> Path:
    """The folders `one`, `two` and `three`, and one with a large file if a size is given."""
    for name in ("one", "two", "three"):
        make_source(folder / name, name)
    if large:
        make_source(folder / "large", "large", size=large)
    return folder


def make_history(registry: Registry, sources: Path) -> None:
    """Three versions; staging went through all of them, prod through two and back again."""
    for version, name in ((V1, "one"), (V2, "two"), (V3, "three")):
        publish(registry, MODEL, sources / name, version)
        promote(registry, MODEL, version, STAGING, POLICY)
    for version in (V1, V2):
        promote(registry, MODEL, version, PROD, POLICY)
    rollback(registry, MODEL, PROD, POLICY, reason="it was worse")


def later(store: Store) -> Registry:
    """A registry an hour later, when whatever nobody finished is old."""
    return Registry(store, "collector", now=lambda: datetime.now(UTC) + timedelta(hours=1))


def collect_everything(store: Store) -> Collected:
    return collect(later(store), older_than=timedelta(0))


def view(registry: Registry) -> Mapping[str, object]:
    """What readers see: the content of every version, and every move of every alias."""
    manifests = {version: find_manifest(registry, MODEL, version) for version in list_numbers(registry.store, MODEL)}
    moves = {
        name: [(str(head.record.version), head.record.digest) for head in records(registry, MODEL, Alias(name))]
        for name in list_aliases(registry.store, MODEL)
    }
    return {
        "versions": {str(version): manifest.content for version, manifest in manifests.items() if manifest},
        "moves": {name: found for name, found in moves.items() if found},
    }


def assert_sound(registry: Registry, *, stale_pointers: bool = False) -> None:
    """Nothing is wrong, but for a pointer that was not set yet where that is allowed."""
    wrong = [
        (checked.ref, problem)
        for checked in verify(registry).checked
        for problem in checked.problems
        if not (stale_pointers and problem.file in {"staging", "prod"} and problem.problem.startswith("the pointer "))
    ]
    assert wrong == []


def assert_pointers(store: Store) -> None:
    """Every pointer shows what its history says."""
    for name, version in alias_targets(Registry(store), MODEL).items():
        pointer = store.pointer(keys.pointer_key(MODEL, Alias(name)))
        assert pointer is not None
        assert pointer.target == str(version)


def files_below(root: Path) -> dict[str, bytes]:
    """Every file below a folder, read without artreg."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found
