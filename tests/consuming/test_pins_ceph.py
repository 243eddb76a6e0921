"""A lock, a sync and `artreg://` on a real S3: whole, verified, and without the registry where the cache has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from artreg.errors import IntegrityError
from registry.bench import Bench

pytestmark = pytest.mark.s3

NAME = "demo/churn@free"


@pytest.fixture
def bench(ceph_place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", ceph_place.endpoint)
    monkeypatch.setenv("ARTREG_REGISTRY", f"s3://{ceph_place.bucket}/{ceph_place.prefix}")
    monkeypatch.setenv("ARTREG_CACHE", str(tmp_path / "cache"))
    (tmp_path / "made").mkdir()
    bench = Bench(ceph_place.store(), tmp_path / "made")
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version, version * 4_000_000)  # 20 MB, which come in several parts
    bench.promote("1.0.0")
    return bench


def artreg(*words: str) -> int:
    return subprocess.run([sys.executable, "-m", "artreg", *words], check=False, capture_output=True).returncode


def test_what_is_locked_is_brought_and_kept(bench: Bench, ceph_place, tmp_path: Path, monkeypatch) -> None:
    assert artreg("lock", "churn@free") == 0
    bench.promote("1.1.0")
    monkeypatch.delenv("ARTREG_REGISTRY")
    assert artreg("outdated", "--exit-code") == 6
    assert artreg("sync", "-o", "one", "--no-yanked") == 0
    assert (tmp_path / "one" / NAME / "model.bin").read_text() == "1.0.0" * 4_000_000
    key = "demo/churn/1.0.0/model.bin"
    ceph_place.put(key, (ceph_place.get(key) or b"").replace(b"1.0.0", b"1.0.1", 1))
    assert artreg("sync", "-o", "two", "--no-cache") == 4
    assert not (tmp_path / "two" / NAME).exists()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert artreg("sync", "-o", "one", "--frozen") == 0
    assert artreg("sync", "-o", "two", "--offline") == 0
    assert (tmp_path / "two" / NAME / "model.bin").read_text() == "1.0.0" * 4_000_000


def test_files_are_read_by_url(bench: Bench, ceph_place) -> None:
    with fsspec.open("artreg://churn@free/model.bin") as file:
        file.seek(-5, os.SEEK_END)
        assert file.read() == b"1.0.0"
    bench.promote("1.1.0")
    system = fsspec.filesystem("artreg")
    assert system.cat_file("churn@free/model.bin", end=5) == b"1.1.0"
    key = "demo/churn/1.1.0/metrics.json"
    ceph_place.put(key, (ceph_place.get(key) or b"").replace(b"0.9", b"0.8"))
    with pytest.raises(IntegrityError):
        system.cat("churn@free/metrics.json")
    keys = ceph_place.keys()
    ceph_place.store().delete(keys)
    offline = fsspec.filesystem("artreg", offline=True)
    with offline.open("churn@1.0.0/model.bin") as file:
        assert file.read(5) == b"1.0.0"
