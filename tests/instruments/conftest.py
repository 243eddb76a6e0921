"""A registry with an incumbent in prod and a candidate, and a way to ask one gate about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.record import Verdict
from artreg.core.version import Version
from artreg.instruments import INSTRUMENTS
from artreg.registry.assess import assess
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.store.memory import MemoryStore

MODEL = ModelName("demo", "churn")
PROD, CANARY = Alias("prod"), Alias("canary")


@dataclass(frozen=True)
class Lab:
    """A registry in which 1.0.0 stands in prod, nothing in canary, and 1.1.0 is the candidate."""

    registry: Registry
    folder: Path

    def publish(self, version: str, **files: bytes) -> None:
        self.publish_only(version, {"model.bin": version.encode(), "metrics.json": b'{"auc": 0.9}\n', **files})

    def publish_only(self, version: str, files: Mapping[str, bytes]) -> None:
        made = self.folder / f"made-{version}"
        made.mkdir()
        for name, data in files.items():
            (made / name).write_bytes(data)
        publish(self.registry, MODEL, made, Version.parse(version))

    def ask(self, gate: dict[str, Any], version: str = "1.1.0", alias: Alias = PROD) -> Verdict:
        """Ask one gate, by the instruments that the command line has; its verdict must fit into a record."""
        policy = parse_policy({"aliases": {alias.name: {"gates": [gate]}}})
        found = assess(self.registry, MODEL, Version.parse(version), alias, policy, instruments=INSTRUMENTS)
        verdict = found.verdicts[1]
        json.dumps(verdict.document(), allow_nan=False)
        assert verdict.gate == gate["gate"]
        return verdict


@pytest.fixture
def lab(memory_store: MemoryStore, tmp_path: Path) -> Lab:
    lab = Lab(Registry(memory_store, "ada"), tmp_path)
    lab.publish("1.0.0")
    lab.publish("1.1.0")
    promote(lab.registry, MODEL, Version(1, 0, 0), PROD, parse_policy({"aliases": {"prod": {}}}))
    return lab
