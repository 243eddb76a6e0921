"""Versions to export: one as training makes it, always the same, and others as people make them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artreg.core.canonical import digest
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.registry.resolve import Resolved, resolve
from registry.bench import CHURN, counting_ids, ticking_clock

TABLE = b"id,age,plan,churned\na,31,basic,0\nb,44,extra,1\n"
METRICS: dict[str, Any] = {
    "accuracy": 0.75,
    "roc_auc": 0.875,
    "test": {"positive_rate": 0.25, "rows": 4},
    "train": {"positive_rate": 0.3, "rows": 16},
    "cv": {"folds": 5, "roc_auc": {"mean": 0.86, "std": 0.01, "values": [0.85, 0.87]}},
}
DATA: dict[str, Any] = {
    "format": "artreg/data/1",
    "name": "churn",
    "uri": "data/churn.csv",
    "record_count": 20,
    "content_hash": digest(TABLE),
    "schema": [
        {"name": "id", "type": "text"},
        {"name": "age", "type": "integer"},
        {"name": "plan", "type": "text"},
        {"name": "churned", "type": "integer"},
    ],
    "schema_hash": "e" * 64,
    "snapshot": f"churn@sha256:{digest(TABLE)}",
    "lineage": None,
    "id_column": "id",
    "target": {"column": "churned", "positive": 1},
    "split": {
        "method": "crc32(salt:id) / 2**32 < test_fraction",
        "salt": "churn-v1",
        "test_fraction": 0.2,
        "train_rows": 16,
        "test_rows": 4,
    },
    "profile": {"age": {"missing": 2}, "plan": {"missing": 0}},
}
RUN: dict[str, Any] = {
    "axes": {
        "code": {"commit": "c" * 40, "dirty": False, "remote": "https://example.org/churn.git"},
        "environment": {
            "python": "3.11.7",
            "platform": "Linux-x86_64",
            "packages": {"artreg": "0.1.0", "scikit-learn": "1.9.1", "skops": "0.16.0", "numpy": "2.4.6"},
            "uv_lock_sha256": "9" * 64,
        },
        "config": {
            "document": {
                "name": "churn",
                "seed": 42,
                "trainer": "logistic_regression",
                "data": {"path": "data/churn.csv", "target": "churned", "task": "classification"},
                "model": {"C": 1.0},
            }
        },
        "data": {"content_hash": digest(TABLE), "uri": "data/churn.csv"},
    },
    "seeds": {"seed": 42},
    "command": ["artreg", "train"],
    "nondeterministic": [{"operation": "exp in NumPy", "depends_on": "the CPU"}],
}
SAMPLE = {
    "format": "artreg/sample/1",
    "categorical": ["plan"],
    "numeric": ["age"],
    "rows": [["basic", 31], ["extra", None], ["extra", 44], ["basic", 20]],
}
V = Version(1, 2, 1)
REF = Reference(CHURN, V)


def registry_on(store: Any) -> Registry:
    """Return a registry whose clock and ids are always the same."""
    return Registry(store, "ada", ticking_clock(), counting_ids())


def write(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write files into a folder; what is neither bytes nor text becomes JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes | str) else json.dumps(content)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def trained(**changes: Any) -> dict[str, Any]:
    """Return the files of a version as training makes them."""
    files: dict[str, Any] = {
        "model.skops": b"skops" * 100,
        "metrics.json": METRICS,
        "data_manifest.json": DATA,
        "config.yaml": "seed: 42\n",
        "uv.lock": "version = 1\n",
        "sample.json": SAMPLE,
    }
    return {**files, **changes}


def published(registry: Registry, folder: Path, files: Mapping[str, Any], run: Mapping[str, Any] | None = RUN) -> None:
    """Publish files as the version `V` of churn."""
    publish(registry, CHURN, write(folder, files), V, run=run)


def meant(registry: Registry, reference: Reference = REF) -> Resolved:
    """Return what a reference means, as what exports takes it."""
    return resolve(registry, reference)
