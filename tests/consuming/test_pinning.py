"""Pinning, and what has moved since."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import artreg
from artreg.consuming.lock_file import find_lock, read_lock, write_lock
from artreg.consuming.pinning import Standing, pin, standing
from artreg.core.lock import Lock
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound, StorageError
from artreg.registry.confirm import confirm
from artreg.registry.handle import Registry
from artreg.registry.rollback import rollback
from artreg.registry.yank import yank
from artreg.store.factory import open_store
from artreg.store.local import LocalStore
from registry.bench import CHURN, FREE, POLICY, Bench

GOLDEN = Path(__file__).parents[1] / "golden"


def reference(text: str) -> Reference:
    return Reference.parse(text, "demo")


def locked(bench: Bench, *texts: str, lock: Lock | None = None) -> Lock:
    before = lock or Lock(bench.store.url)
    made = pin(bench.registry, before, [reference(text) for text in texts])
    return before.having(one.pin for one in made if one.pin)


def stands(bench: Bench, lock: Lock, text: str) -> Standing:
    return standing(bench.registry, lock.find(reference(text)))


@pytest.fixture
def bench(local_store: LocalStore, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    return Bench(local_store, tmp_path / "made")


@pytest.fixture
def two(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    bench.promote("1.0.0")
    return bench


def test_the_format_is_what_it_was() -> None:
    registry = Registry(open_store(GOLDEN / "registry-4"))
    made = pin(registry, Lock(""), [reference(text) for text in ("churn@prod", "churn@latest", "churn@1.1.0")])
    lock = Lock("registry-4").having(one.pin for one in made if one.pin)
    assert lock.encode() == (GOLDEN / "artreg-1.lock").read_bytes()
    assert read_lock(GOLDEN / "artreg-1.lock") == lock


def test_only_what_is_named_is_pinned_anew(two: Bench) -> None:
    lock = locked(two, "churn@free", "churn@latest")
    assert [(str(one.reference), str(one.version), one.generation) for one in lock.pins] == [
        ("demo/churn@free", "1.0.0", 1),
        ("demo/churn@latest", "1.1.0", None),
    ]
    two.publish("1.2.0")
    two.promote("1.2.0")
    again = locked(two, "churn@free", lock=lock)
    assert [str(one.version) for one in again.pins] == ["1.2.0", "1.1.0"]
    assert again.find(reference("churn@latest")) == lock.find(reference("churn@latest"))


def test_a_record_that_moves_nothing_is_no_change(two: Bench) -> None:
    lock = locked(two, "churn@free")
    confirm(two.registry, CHURN, FREE, POLICY, "still so")
    assert locked(two, "churn@free", lock=lock) == lock
    assert (stands(two, lock, "churn@free").outdated, stands(two, lock, "churn@free").behind) == (False, 0)


def test_what_moved_since_is_told(two: Bench) -> None:
    lock = locked(two, "churn@free", "churn@latest", "churn@1.0.0")
    two.promote("1.1.0", reason="better")
    two.publish("1.2.0")
    two.promote("1.2.0", reason="best")
    confirm(two.registry, CHURN, FREE, POLICY)
    moved = stands(two, lock, "churn@free")
    assert (moved.outdated, str(moved.now), moved.behind) == (True, "1.2.0", 2)
    assert moved.move is not None
    assert (moved.move.who, moved.move.why) == ("ada", "best")
    assert (stands(two, lock, "churn@latest").outdated, stands(two, lock, "churn@1.0.0").outdated) == (True, False)
    for _ in range(2):
        rollback(two.registry, CHURN, FREE, POLICY, reason="slow")
    back = stands(two, lock, "churn@free")
    assert (back.outdated, str(back.now), back.behind) == (False, "1.0.0", 4)


def test_a_yank_is_told_of_whatever_it_was_locked_by(two: Bench) -> None:
    lock = locked(two, "churn@free", "churn@1.0.0")
    yank(two.registry, CHURN, Version.parse("1.0.0"), "leaks the label")
    for text in ("churn@free", "churn@1.0.0"):
        found = stands(two, lock, text)
        assert found.yank is not None
        assert found.yank.why == "leaks the label"


def test_a_registry_that_was_set_back_or_is_another_is_named(two: Bench, tmp_path: Path) -> None:
    two.promote("1.1.0")
    lock = locked(two, "churn@free", "churn@1.1.0")
    other = Bench(open_store(tmp_path / "other"), tmp_path / "made")
    other.store.make_root()
    assert stands(other, lock, "churn@free").now is None
    assert stands(other, lock, "churn@1.1.0").gone == "there is no model demo/churn in " + other.store.url
    other.publish("1.0.0", "else")
    other.promote("1.0.0")
    with pytest.raises(IntegrityError, match="its newest move is 1, but 2 was locked"):
        stands(other, lock, "churn@free")
    other.publish("1.1.0", "else")
    other.promote("1.1.0")
    with pytest.raises(IntegrityError, match="move 2 is not the one that was locked"):
        stands(other, lock, "churn@free")
    with pytest.raises(IntegrityError, match="is not what was locked"):
        stands(other, lock, "churn@1.1.0")


def test_a_file_is_replaced_whole_and_only_where_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, lock = tmp_path / "artreg.lock", read_lock(GOLDEN / "artreg-1.lock")
    assert find_lock(there) is None
    assert (write_lock(there, lock), write_lock(there, lock)) == (True, False)
    assert read_lock(there) == lock
    link = tmp_path / "link.lock"
    link.symlink_to(there)
    assert write_lock(link, Lock("other"))
    assert (link.is_symlink(), read_lock(there)) == (True, Lock("other"))

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(StorageError, match="No space left"):
        write_lock(there, lock)
    assert (read_lock(there), sorted(path.name for path in tmp_path.iterdir())) == (
        Lock("other"),
        ["artreg.lock", "link.lock"],
    )


def test_what_cannot_be_a_lock_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no"):
        read_lock(tmp_path / "artreg.lock")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_lock(place)


def test_python_goes_by_the_lock(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    bench.promote("1.0.0")
    file = tmp_path / "artreg.lock"
    write_lock(file, locked(bench, "churn@free"))
    bench.promote("1.1.0")
    opened = artreg.open(lock=file)
    found = opened.resolve("churn@free")
    assert (str(found.version), found.generation, opened.url) == ("1.0.0", 1, bench.store.url)
    assert opened.pull("churn@free", tmp_path / "out").created
    assert (tmp_path / "out" / "model.bin").read_text() == "1.0.0"
    with pytest.raises(NotFound, match=r"does not pin demo/churn@1\.1\.0"):
        opened.resolve("churn@1.1.0")
    assert str(artreg.open(bench.store.url).resolve("churn@free").version) == "1.1.0"
    yank(bench.registry, CHURN, Version.parse("1.0.0"), "slow")
    assert "slow" in opened.resolve("churn@free").warning


def test_the_lock_decides_offline_too_and_is_not_taken_for_what_the_alias_means(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    bench.promote("1.0.0")
    file, cache = tmp_path / "artreg.lock", tmp_path / "cache"
    write_lock(file, locked(bench, "churn@free"))
    bench.promote("1.1.0")
    assert artreg.open(bench.store.url, cache=cache).pull("churn@free", tmp_path / "new").created
    assert artreg.open(lock=file, cache=cache).pull("churn@free", tmp_path / "old").created
    offline = {"cache": cache, "offline": True}
    assert artreg.open(lock=file, **offline).path("churn@free", "model.bin").read_text() == "1.0.0"
    assert artreg.open(bench.store.url, **offline).path("churn@free", "model.bin").read_text() == "1.1.0"


def test_python_refuses_what_is_not_as_it_was_locked(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    file = tmp_path / "artreg.lock"
    write_lock(file, locked(bench, "churn@1.0.0"))
    other = Bench(open_store(tmp_path / "other"), tmp_path / "made")
    other.store.make_root()
    other.publish("1.0.0", "else")
    with pytest.raises(IntegrityError, match="is not what it was pinned to"):
        artreg.open(tmp_path / "other", lock=file).pull("churn@1.0.0", tmp_path / "out")
    assert not (tmp_path / "out").exists()
