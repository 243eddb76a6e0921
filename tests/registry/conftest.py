"""A small registry to work on, in memory and on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from registry.bench import Bench


@pytest.fixture(params=["memory", "disk"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, local_store: LocalStore, memory_store: MemoryStore) -> Bench:
    folder = tmp_path / "made"
    folder.mkdir()
    return Bench(memory_store if request.param == "memory" else local_store, folder)
