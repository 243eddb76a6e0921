"""A small registry to work on, in memory and on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from faults.build import make_history, make_sources
from registry.bench import CHURN, Bench


@pytest.fixture(params=["memory", "disk"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, local_store: LocalStore, memory_store: MemoryStore) -> Bench:
    folder = tmp_path / "made"
    folder.mkdir()
    return Bench(memory_store if request.param == "memory" else local_store, folder)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry on a disk in which aliases moved, and a version that none of them ever held; tests copy it."""
    folder = tmp_path_factory.mktemp("damage")
    store = LocalStore(folder / "registry")
    store.make_root()
    sources = make_sources(folder / "sources")
    make_history(Registry(store), sources)
    publish(Registry(store), CHURN, sources / "one", Version(1, 3, 0))
    return folder / "registry"
