"""A shop whose registry lies in memory."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.store.memory import MemoryStore
from consuming.shop import Shop
from registry.bench import Bench

MODEL = random.Random(7).randbytes(300_000).hex()


@pytest.fixture
def bench(memory_store: MemoryStore, tmp_path: Path) -> Bench:
    (tmp_path / "work").mkdir()
    bench = Bench(memory_store, tmp_path / "work")
    bench.publish("1.0.0", MODEL)
    bench.promote("1.0.0")
    return bench


@pytest.fixture
def shop(bench: Bench) -> Iterator[Shop]:
    with in_memory() as folder:
        yield Shop(bench.registry, Path(folder))


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder that nobody need wait for a disk for, where the system has such."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None, ignore_cleanup_errors=True)
