"""Killed at any call to a disk, or any request to a bucket, a mirror leaves a sound target and goes on from there."""

import json
import os
import signal
from pathlib import Path

import pytest

from artreg.registry.handle import Registry
from artreg.registry.mirror import mirror
from artreg.store.local import LocalStore
from artreg.store.object import MARKED, MARKER
from faults import children, processes
from faults.build import assert_pointers, collect_everything
from faults.crash_bucket import contents, in_memory, uploads
from faults.operations import OPERATIONS
from registry.keepsake import assert_sound, bytes_of, on_disk
from sizes import FULL
from store.places import S3Place


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return on_disk(tmp_path_factory.mktemp("keepsake"))


def test_killed_at_calls_to_a_disk(source, tmp_path):
    whole = bytes_of(LocalStore(source))
    (tmp_path / "empty").mkdir()
    (tmp_path / "killed").mkdir()
    step = int(os.environ.get("ARTREG_TEST_STEP", "13" if FULL else "97"))
    arguments = ("mirror", str(tmp_path / "empty"), str(tmp_path / "killed"), str(source), step)
    assert processes.finish(processes.start(children.at_every_call, *arguments)) == 0
    calls = json.loads((tmp_path / "killed" / "calls.json").read_text())
    points = [path for path in (tmp_path / "killed").iterdir() if path.is_dir()]
    for root in points:
        _check_after_crash(Registry(LocalStore(root)), whole)
        OPERATIONS["mirror"].run(Registry(LocalStore(root)), source)
        assert bytes_of(LocalStore(root)) == whole
        collect_everything(LocalStore(root))
        assert bytes_of(LocalStore(root)) == whole
        assert [path for path in root.rglob("*") if ".artreg-tmp-" in path.name] == []
    print(f"mirror: {len(points)} crash points on a disk, of {len(calls)} calls")
    assert len(points) >= (len(calls) - 20) // step


def _check_after_crash(target: Registry, whole: dict[str, bytes]) -> None:
    """What is there is sound, and the very same; pointers may lag behind."""
    assert_sound(target)
    there = {key: data for key, data in bytes_of(target.store).items() if ".artreg-tmp-" not in key}
    views = {key for key in there if key.count("/") == 2 and not key.startswith(".artreg/")}
    assert {key: whole[key] for key in there.keys() - views} == {key: there[key] for key in there.keys() - views}


def _kill_at_requests(place: S3Place, source: Path, folder: Path) -> int:
    whole, trace = bytes_of(LocalStore(source)), folder / "moments.json"
    place.put(MARKER, MARKED)
    assert _run(place, source, None, trace) == 0
    assert bytes_of(in_memory(contents(place)).store) == whole
    moments = json.loads(trace.read_text())
    changes = [
        number
        for number, moment in enumerate(moments, 1)
        if moment.startswith(("PUT", "POST", "DELETE")) and moment.endswith("was answered")
    ]
    points = changes if FULL else changes[::3]
    for point in points:
        fresh = S3Place(place.endpoint, place.bucket, f"{place.prefix}-{point}", place.client)
        fresh.put(MARKER, MARKED)
        print(f"mirror: killed at moment {point}, {moments[point - 1]}")
        assert _run(fresh, source, point, None) == -signal.SIGKILL
        _check_after_crash(in_memory(contents(fresh)), whole)
        OPERATIONS["mirror"].run(Registry(fresh.store()), source)
        target = in_memory(contents(fresh))
        assert bytes_of(target.store) == whole
        assert_pointers(target.store)
        assert list(uploads(fresh)) == []
    print(f"mirror: {len(points)} crash points at {place.endpoint}")
    return len(points)


def _run(place: S3Place, source: Path, at: int | None, trace: Path | None) -> int:
    root = children.Root(place.bucket, place.prefix, place.options(parallel=1))
    return processes.finish(
        processes.start(children.in_bucket, "mirror", root, str(source), at, str(trace) if trace else None)
    )


@pytest.mark.s3
def test_killed_at_every_change_to_a_real_bucket(ceph_place, source, tmp_path):
    assert _kill_at_requests(ceph_place, source, tmp_path) >= (60 if FULL else 20)


@pytest.mark.s3
def test_from_a_bucket_to_another_and_back(ceph_place, source, tmp_path):
    first, second = (
        S3Place(ceph_place.endpoint, ceph_place.bucket, f"{ceph_place.prefix}-{name}", ceph_place.client)
        for name in ("first", "second")
    )
    OPERATIONS["mirror"].run(Registry(first.store()), source)
    assert not mirror(Registry(first.store()), Registry(second.store())).diverged
    mirror(Registry(second.store()), Registry(LocalStore(tmp_path / "back")))
    assert bytes_of(LocalStore(tmp_path / "back")) == bytes_of(LocalStore(source))
