"""A shop whose registry lies in memory."""

from __future__ import annotations

import random
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
def shop(bench: Bench, tmp_path: Path) -> Shop:
    (tmp_path / "shop").mkdir()
    return Shop(bench.registry, tmp_path / "shop")
