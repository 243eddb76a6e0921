"""Snapshots: whole or not at all, once for all, and never others than they were."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core.snapshot import ColumnTotals, SnapshotRef, TableDescription
from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound
from artreg.frozen import replace
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.snapshot_check import check_snapshots
from artreg.registry.snapshot_data import pieces, pull
from artreg.registry.snapshot_taking import take
from artreg.registry.snapshots import find, list_snapshots, match
from artreg.registry.verify import verify
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from registry.bench import counting_ids, ticking_clock
from store.faults import Crash, CrashAt
from store.places import S3Place

DATA = b"id,a\n1,2\n"


def table(data: bytes = DATA) -> TableDescription:
    sha256 = hashlib.sha256(data).hexdigest()
    columns = (ColumnTotals("id", "text", 1, 0),)
    return TableDescription(sha256, len(data), "csv", 1, columns, {"id": {"count": 1}}, 1, "id")


def ref(data: bytes = DATA, name: str = "churn") -> SnapshotRef:
    return SnapshotRef(name, hashlib.sha256(data).hexdigest())


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, local_store: LocalStore, memory_store: MemoryStore) -> Store:
    return local_store if request.param == "disk" else memory_store


@pytest.fixture
def registry(store: Store) -> Registry:
    return Registry(store, "ada", ticking_clock(), counting_ids())


def test_what_was_taken_is_found_and_pulled(registry: Registry, tmp_path: Path) -> None:
    taken = take(registry, "churn", table(), "data/churn.csv", DATA)
    assert taken.created
    assert taken.path.endswith(f".artreg/data/churn/{ref().sha256}")
    found = find(registry, ref())
    assert found == taken.snapshot
    assert (found.copied, found.source, found.created_by) == (True, "data/churn.csv", "ada")
    out = tmp_path / "new" / "out.csv"
    assert pull(found, pieces(registry, found), out)
    assert out.read_bytes() == DATA
    assert not pull(found, pieces(registry, found), out)
    out.write_bytes(b"mine")
    with pytest.raises(AlreadyExists):
        pull(found, pieces(registry, found), out)
    assert out.read_bytes() == b"mine"


def test_the_same_again_changes_nothing(registry: Registry) -> None:
    first = take(registry, "churn", table(), "one", DATA)
    again = take(replace(registry, actor="bob"), "churn", table(), "two", DATA)
    assert (again.created, again.snapshot) == (False, first.snapshot)
    assert list_snapshots(registry) == [first.snapshot]


def test_a_dry_run_writes_nothing(registry: Registry) -> None:
    assert take(registry, "churn", table(), "x", DATA, dry_run=True).created
    assert list(registry.store.walk("")) == []


def test_a_reference_keeps_no_bytes_and_leaves_room_for_them(registry: Registry) -> None:
    known = take(registry, "churn", table(), "/lake/churn.csv", None).snapshot
    assert not known.copied
    assert find(registry, ref()) == known
    assert not any(entry.name.endswith("data.csv") for entry in registry.store.walk(""))
    kept = take(registry, "churn", table(), "/lake/churn.csv", DATA)
    assert kept.created
    assert find(registry, ref()).copied
    assert list_snapshots(registry) == [kept.snapshot]
    assert not take(registry, "churn", table(), "elsewhere", None).created


def test_people_name_a_snapshot_by_its_dataset_or_some_digits(registry: Registry) -> None:
    old = take(registry, "churn", table(), "one", DATA).snapshot
    new = take(registry, "churn", table(b"id\n2\n"), "two", b"id\n2\n").snapshot
    assert match(registry, "churn") == new
    assert match(registry, old.ref.short) == old
    assert match(registry, str(old.ref)) == old
    for wrong in ("churn@", "churn@sha256:abc", "churn@1.0.0", "Churn", "churn@sha256:XXXXXXXX", "../x", ""):
        with pytest.raises(InvalidInput):
            match(registry, wrong)
    for missing in ("other", "churn@sha256:00000000", f"churn@sha256:{'0' * 64}"):
        with pytest.raises(NotFound):
            match(registry, missing)


def test_other_bytes_than_described_are_refused(registry: Registry) -> None:
    with pytest.raises(IntegrityError):
        take(registry, "churn", table(), "x", b"other")
    assert list_snapshots(registry) == []


@pytest.mark.parametrize("name", ["", "../up", "A", "a/b", ".artreg", "x" * 65])
def test_a_name_that_is_none_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a dataset"):
        take(registry, name, table(), "x", DATA)


def test_damage_is_told_and_nothing_of_it_is_handed_out(
    registry: Registry, local_store: LocalStore, tmp_path: Path
) -> None:
    registry = replace(registry, store=local_store)
    taken = take(registry, "churn", table(), "x", DATA).snapshot
    assert verify(registry).ok
    file = tmp_path / "registry" / ".artreg" / "data" / "churn" / taken.table.sha256 / "data.csv"
    os.chmod(file, 0o644)
    file.write_bytes(DATA[::-1])
    (checked,) = check_snapshots(registry)
    assert [problem.file for problem in checked.problems] == ["data.csv"]
    assert not verify(registry).ok
    assert verify(registry, quick=True).ok
    with pytest.raises(IntegrityError, match=r"is not churn@sha256:\w{12} any more"):
        pull(taken, pieces(registry, taken), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    manifest = file.with_name("data_manifest.json")
    os.chmod(manifest, 0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b'"ada"', b'"bob"'))
    assert not check_snapshots(registry)[0].ok
    with pytest.raises(IntegrityError, match="does not belong"):
        find(registry, taken.ref)


@pytest.mark.parametrize("data", [DATA, None])
def test_cut_off_at_every_call_it_is_whole_or_not_there_and_the_next_finishes_it(data: bytes | None) -> None:
    def fresh() -> MemoryStore:
        store = MemoryStore(os.urandom(8).hex())
        store.make_root()
        return store

    for point in itertools.count():
        store = fresh()
        crashing = Registry(CrashAt(store, point), "ada", ticking_clock(), counting_ids())
        try:
            take(crashing, "churn", table(), "x", data)
        except Crash:
            pass
        else:
            break
        later = Registry(store, "bob")
        before = list_snapshots(later)
        assert all(checked.ok for checked in check_snapshots(later))
        done = take(later, "churn", table(), "y", data)
        assert before in ([], [done.snapshot])
        assert all(checked.ok for checked in check_snapshots(later))
        assert list_snapshots(later) == [done.snapshot]
    assert point > 5


def _take_often(root: str, start, results) -> None:
    registry = Registry(LocalStore(Path(root)), f"taker-{os.getpid()}")
    start.wait()
    results.put([take(registry, "churn", table(), "x", DATA).created for _ in range(3)])


def test_of_many_who_take_the_same_one_makes_it(local_store: LocalStore, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    root = str(tmp_path / "registry")
    takers = [context.Process(target=_take_often, args=(root, start, results)) for _ in range(6)]
    for taker in takers:
        taker.start()
    start.set()
    outcomes = [made for _ in takers for made in results.get(timeout=600)]
    for taker in takers:
        taker.join()
    assert sum(outcomes) == 1
    registry = Registry(local_store, "ada")
    assert [checked.ok for checked in check_snapshots(registry)] == [True]
    assert len(list(registry.store.walk(".artreg/data"))) == 3


def test_collecting_garbage_leaves_snapshots_alone(registry: Registry) -> None:
    taken = take(registry, "churn", table(), "x", DATA).snapshot
    collect(Registry(registry.store, "ada"), older_than=timedelta(0))
    assert find(registry, taken.ref) == taken


@pytest.mark.s3
def test_in_a_bucket_it_is_whole_or_not_there_too(ceph_place: S3Place, tmp_path: Path) -> None:
    store = ceph_place.store()
    for point in itertools.count():
        data = b"id,a\n1,%d\n" % point
        try:
            take(Registry(CrashAt(store, point), "ada"), "churn", table(data), "x", data)
        except Crash:
            later = Registry(store, "bob")
            assert take(later, "churn", table(data), "y", data).snapshot.ref == ref(data)
        else:
            break
    assert point > 5
    registry = Registry(store, "ada")
    assert all(checked.ok for checked in check_snapshots(registry))
    assert len(list_snapshots(registry)) == point + 1
    assert pull(find(registry, ref(data)), pieces(registry, find(registry, ref(data))), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == data
    collect(registry, older_than=timedelta(0))
    assert verify(registry).ok
