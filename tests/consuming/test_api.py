"""The cache from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import artreg
from artreg.errors import InvalidInput, NotFound
from artreg.store.local import LocalStore
from consuming.shop import content
from registry.bench import Bench


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    (tmp_path / "work").mkdir()
    bench = Bench(store, tmp_path / "work")
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    return tmp_path / "registry"


def test_a_version_can_be_used_where_it_lies(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = artreg.open(root, cache=tmp_path / "cache")
    folder = registry.path("churn@free")
    assert content(folder) == content(root / "demo" / "churn" / "1.0.0")
    assert registry.path("churn@free", "model.bin") == folder / "model.bin"
    for name in ("other", "model.bin/x"):
        with pytest.raises(NotFound, match="no file"):
            registry.path("churn@free", name)
    with pytest.raises(InvalidInput):
        registry.path("churn@free", "../x")
    shutil.rmtree(root)
    monkeypatch.setenv("ARTREG_CACHE", str(tmp_path / "cache"))
    offline = artreg.open(root, offline=True)
    assert offline.path("churn@1.0.0") == folder
    offline.pull("churn@free", tmp_path / "out")
    assert content(tmp_path / "out") == content(folder)


def test_without_a_cache_there_is_no_path(root: Path, tmp_path: Path) -> None:
    registry = artreg.open(root, cache="off")
    with pytest.raises(InvalidInput, match="without a cache"):
        registry.path("churn@free")
    assert registry.pull("churn@free", tmp_path / "out").created
