"""The cache before a real S3 server: which requests are left, and what a process that was killed has saved."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from artreg.consuming.cache import Cache
from artreg.consuming.handle import Consumer
from artreg.consuming.pull import pull
from artreg.consuming.remembering import resolve
from artreg.consuming.shelf import work_on
from artreg.core.names import Reference
from artreg.exporting.card import find_card
from artreg.exporting.oci import export_oci
from artreg.registry.handle import Registry
from artreg.registry.origin import FILES
from artreg.registry.resolve import Resolved
from artreg.store.local import LocalStore
from artreg.store.object import ObjectStore
from consuming.shop import content
from registry.bench import Bench
from registry.test_requests import CountedBucket, Request
from store.places import S3Place

pytestmark = pytest.mark.s3

LIMITED = """
import resource, signal, sys
from artreg.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20 * 2**20,) * 2)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
main(sys.argv[1:])
"""
"""A command that the kernel kills when it has written 20 MiB of a file and goes on."""

PROD = Reference.parse("churn@free", "demo")


@pytest.fixture
def bench(ceph_place: S3Place, tmp_path: Path) -> Bench:
    (tmp_path / "work").mkdir()
    return Bench(ceph_place.store(), tmp_path / "work")


@pytest.fixture
def take(bench: Bench, ceph_place: S3Place, tmp_path: Path) -> Callable[..., list[Request]]:
    """Pulls into a folder, or makes something else of the version, and returns the requests that this took."""

    def run(name: str, make: Callable[[Registry, Resolved], object] | None = None) -> list[Request]:
        known = ceph_place.store()._bucket
        bucket = CountedBucket(known._bucket, known._lead.rstrip("/"), known._options, known._make)
        consumer = Consumer(Registry(ObjectStore(bucket)), Cache(str(tmp_path / "cache")), "here")
        found = resolve(consumer, PROD).found
        if make is None:
            pull(consumer, found, LocalStore(tmp_path), name)
        else:
            work_on(consumer, found, lambda registry: make(registry, found), only=FILES if name == "card" else None)
        return bucket.requests

    return run


def test_from_a_full_cache_nothing_is_asked_for_but_the_alias(
    bench: Bench, take: Callable[[str], list[Request]], tmp_path: Path
) -> None:
    bench.publish("1.0.0", "x" * 100_000)
    bench.promote("1.0.0")
    first = take("first")
    assert ("get_object", "1.0.0/model.bin") in first
    assert take("second") == [("list_objects_v2", "history/free/"), ("get_object", "history/free/00000001.json")]
    assert content(tmp_path / "first") == content(tmp_path / "second")


def test_an_export_asks_for_no_more_than_a_pull(
    bench: Bench, take: Callable[..., list[Request]], tmp_path: Path
) -> None:
    bench.publish("1.0.0", "x" * 100_000)
    bench.promote("1.0.0")
    alias = [("list_objects_v2", "history/free/"), ("get_object", "history/free/00000001.json")]
    assert ("get_object", "1.0.0/model.bin") not in take("card", find_card)
    assert take("card", find_card) == alias
    assert ("get_object", "1.0.0/model.bin") in take("one", lambda *it: export_oci(*it, tmp_path / "one"))
    assert take("two", lambda *it: export_oci(*it, tmp_path / "two")) == alias
    assert take("pulled") == alias
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_of_a_new_version_only_what_is_new_is_fetched(bench: Bench, take: Callable[[str], list[Request]]) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version, "x" * 100_000, loss=float(len(version)))
        bench.promote(version)
        fetched = {key for method, key in take(version) if method == "get_object"}
    assert "1.1.0/run.json" in fetched
    assert "1.1.0/model.bin" not in fetched


def test_a_command_that_was_killed_is_gone_on_with(bench: Bench, ceph_place: S3Place, tmp_path: Path) -> None:
    size = 96 * 2**20
    folder = bench.made()
    (folder / "model.bin").write_bytes(random.Random(5).randbytes(size))
    from artreg.core.version import Version
    from artreg.registry.publish import publish
    from registry.bench import CHURN

    publish(bench.registry, CHURN, folder, Version(1, 0, 0))
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "artreg", "pull", "churn@1.0.0", "-o", str(tmp_path / "out"), "--json"]
    environment = os.environ | {
        "ARTREG_CACHE": str(cache),
        "ARTREG_REGISTRY": bench.store.url,
        "ARTREG_ENDPOINT_URL": os.environ["S3_TEST_ENDPOINT"],
    }
    killed = subprocess.run([sys.executable, "-c", LIMITED, *command[3:]], env=environment, check=False)
    assert killed.returncode == -signal.SIGXFSZ
    assert not (tmp_path / "out").exists()
    come = max(path.stat().st_size for path in cache.glob("partial/*"))
    assert come > 16 * 2**20
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    fetched = json.loads(done.stdout)["fetched"]
    assert size - come <= fetched < size - come + 100_000
    assert (tmp_path / "out" / "model.bin").read_bytes() == (folder / "model.bin").read_bytes()
