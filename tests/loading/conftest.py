"""A registry to load from, and a canary that must never sing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from artreg.api import Registry
from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.registry.handle import Registry as Handle
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.store.local import LocalStore

CHURN = ModelName("demo", "churn")
PROD = Alias("prod")
POLICY = parse_policy({"aliases": {"prod": {}}})

Put = Callable[[Mapping[str, bytes]], Registry]


@pytest.fixture
def put(tmp_path: Path, local_store: LocalStore) -> Put:
    """Publishes files as the next version, and points prod at it."""
    handle = Handle(local_store, "ada")

    def publish_and_promote(files: Mapping[str, bytes]) -> Registry:
        number = len(list(tmp_path.glob("made-*")))
        folder = tmp_path / f"made-{number}"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        version = Version(1, number, 0)
        publish(handle, CHURN, folder, version)
        promote(handle, CHURN, version, PROD, POLICY)
        return Registry(handle)

    return publish_and_promote


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that hostile models would make; a test fails if it is there at its end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "something in a model was run"
