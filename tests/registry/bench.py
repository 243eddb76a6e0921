"""A small registry to work on, in memory and on a disk, with a clock and write ids that do not change."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from artreg.core.names import Alias, ModelName
from artreg.core.policy import Policy, parse_policy
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.move import Moved
from artreg.registry.promote import promote
from artreg.registry.publish import Published, publish
from artreg.store.interface import Store

CHURN = ModelName("demo", "churn")
STAGING = Alias("staging")
PROD = Alias("prod")
FREE = Alias("free")

POLICY = parse_policy(
    {
        "aliases": {
            "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}]},
            "prod": {"gates": [{"gate": "from", "alias": "staging"}, {"gate": "metric", "key": "roc_auc", "min": 0.8}]},
            "free": {},
        }
    }
)


def ticking_clock() -> Callable[[], datetime]:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    seconds = itertools.count()
    return lambda: start + timedelta(seconds=next(seconds))


def counting_ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032x}"


@dataclass
class Bench:
    """A registry with shorthands for what nearly every test does."""

    store: Store
    folder: Path
    policy: Policy = POLICY
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = Registry(self.store, "ada", ticking_clock(), counting_ids())

    def made(self, content: str = "model", **metrics: float) -> Path:
        folder = self.folder / f"made-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        (folder / "model.bin").write_text(content)
        (folder / "metrics.json").write_text(json.dumps({"roc_auc": 0.9, **metrics}))
        return folder

    def publish(self, version: str, content: str | None = None, **metrics: float) -> Published:
        folder = self.made(version if content is None else content, **metrics)
        return publish(self.registry, CHURN, folder, Version.parse(version))

    def promote(self, version: str, alias: Alias = FREE, reason: str = "") -> Moved:
        return promote(self.registry, CHURN, Version.parse(version), alias, self.policy, reason=reason)
