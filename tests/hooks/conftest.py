"""A web server that hooks are sent to, and a registry with a version in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.store.memory import MemoryStore
from hooks.bench import Receiver
from registry.bench import Bench


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "receiver"
    folder.mkdir()
    found = Receiver(folder)
    found.behave("ok")
    found.start()
    yield found
    found.kill()


@pytest.fixture
def bench(memory_store: MemoryStore, tmp_path: Path) -> Bench:
    """A registry in memory in which `free` may be moved between two versions."""
    return moving(Bench(memory_store, tmp_path))


def moving(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    return bench
