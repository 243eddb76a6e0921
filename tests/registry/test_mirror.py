"""A mirror is the same to the byte, at every moment sound, and goes on where it was cut off."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.version import Version
from artreg.errors import InvalidInput, NotFound
from artreg.registry.handle import Registry
from artreg.registry.mirror import Mirrored, mirror
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.snapshot_taking import take
from artreg.registry.stored_policy import push_policy
from artreg.registry.yank import yank
from artreg.store.interface import Entry, Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from faults.build import assert_pointers, make_source
from faults.damage import EXTRA_DAMAGE, HISTORY_DAMAGE, QUIET_DAMAGE, VERSION_DAMAGE
from faults.outofband import whole_versions
from golden.test_golden import HERE as GOLDEN
from golden.test_golden import REGISTRIES
from registry.bench import CHURN, FREE, POLICY, STAGING
from registry.keepsake import OTHER, SNAPSHOT, SPENT, assert_sound, bytes_of, in_memory, on_disk, table
from sizes import FULL
from store.fakes import DictFileSystem
from store.faults import Crash, CrashAt, Wrapper
from store.places import GenericPlace


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(tmp_path_factory.mktemp("keepsake"))


@pytest.fixture
def source(template: Path, tmp_path: Path) -> Registry:
    return Registry(LocalStore(shutil.copytree(template, tmp_path / "source", symlinks=True)))


def fresh(kind: str, tmp_path: Path) -> Store:
    if kind == "disk":
        return LocalStore(tmp_path / "target")
    if kind == "bucket":
        return GenericPlace(DictFileSystem()).store()
    return MemoryStore(uuid.uuid4().hex)


def copy(source: Registry, target: Store, *scope: object, **settings: object) -> Mirrored:
    return mirror(source, Registry(target, "mirror"), scope, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["disk", "bucket", "memory"])
def test_a_mirror_is_the_same_to_the_byte_and_so_is_a_mirror_of_it(source: Registry, tmp_path: Path, kind: str) -> None:
    target = fresh(kind, tmp_path)
    result = copy(source, target)
    assert (result.damaged, result.diverged, result.ahead) == ((), (), ())
    assert bytes_of(target) == bytes_of(source.store)
    assert_sound(Registry(target))
    assert_pointers(target)
    back = LocalStore(tmp_path / "back")
    copy(Registry(target), back)
    assert bytes_of(back) == bytes_of(source.store)


@pytest.mark.parametrize("kind", ["disk", "bucket"])
def test_only_what_is_new_is_copied(source: Registry, tmp_path: Path, kind: str) -> None:
    target = fresh(kind, tmp_path)
    first = copy(source, target)
    again = copy(source, target)
    assert again.copied == copy(source, target, quick=True).copied == ()
    assert first.copied
    publish(source, CHURN, make_source(tmp_path / "new", "new"), Version(1, 3, 0))
    promote(source, CHURN, Version(1, 3, 0), FREE, POLICY)
    take(source, "churn", table(b"id,a\n5,6\n"), "data/churn.csv", b"id,a\n5,6\n")
    push_policy(source, POLICY, reason="back")
    told = copy(source, target, dry_run=True)
    done = copy(source, target, quick=True)
    assert [one.what for one in told.copied] == [one.what for one in done.copied]
    assert [one.what.partition("@sha256")[0] for one in done.copied] == [
        "data churn",
        "demo/churn@1.3.0",
        "demo/churn@free, 1",
        "the log of demo/churn@1.3.0, 1",
        "the policies, 3",
    ]
    assert bytes_of(target) == bytes_of(source.store)


def test_a_dry_run_writes_nothing(source: Registry, tmp_path: Path) -> None:
    told = copy(source, LocalStore(tmp_path / "target"), dry_run=True)
    assert not (tmp_path / "target").exists()
    assert told.dry_run
    assert told.copied == copy(source, LocalStore(tmp_path / "target")).copied


def test_a_part_brings_its_data_but_no_policy(source: Registry, tmp_path: Path) -> None:
    for name, scope in (("model", CHURN), ("project", "demo")):
        target = LocalStore(tmp_path / name)
        copy(source, target, scope)
        everything = bytes_of(source.store)
        wanted = ("demo/churn/", keys.snapshot_prefix(SNAPSHOT.name, SNAPSHOT.sha256, copied=True))
        assert bytes_of(target) == {key: data for key, data in everything.items() if key.startswith(wanted)}
        assert_sound(Registry(target))
    with pytest.raises(NotFound):
        copy(source, LocalStore(tmp_path / "none"), "nobody")
    with pytest.raises(InvalidInput):
        copy(source, source.store)


def test_a_spent_number_stays_spent_and_what_is_unfinished_is_left(source: Registry, tmp_path: Path) -> None:
    bucket = GenericPlace(DictFileSystem())
    copy(source, bucket.store())
    bucket.put("demo/churn/4.0.0/run.json", b"{}")  # a claim
    result = copy(Registry(bucket.store()), LocalStore(tmp_path / "target"))
    assert result.unfinished == ("demo/churn@4.0.0",)
    assert LocalStore(tmp_path / "target").read(keys.manifest_key(CHURN, SPENT)) == TOMBSTONE
    assert not (tmp_path / "target/demo/churn/4.0.0").exists()


@pytest.mark.parametrize("name", REGISTRIES)
def test_registries_of_the_past_are_copied_too(tmp_path: Path, name: str) -> None:
    source = Registry(LocalStore(GOLDEN / name))
    result = copy(source, LocalStore(tmp_path / "target"))
    assert (result.damaged, result.diverged) == ((), ())
    ours, theirs = bytes_of(source.store), bytes_of(LocalStore(tmp_path / "target"))
    assert {key: theirs[key] for key in ours} == ours
    assert {key.rpartition("/")[2] for key in theirs.keys() - ours.keys()} <= {keys.YANKED}  # marks that were missing


class Watched(Wrapper):
    """Looks at the registry after everything that is written into it."""

    def __init__(self, store: Store, look: Callable[[], object]) -> None:
        super().__init__(store)
        self._look = look
        self.written = 0

    def after(self, call: str, key: str) -> None:
        if call in {"create", "put_tree", "point"}:
            self.written += 1
            self._look()


@pytest.mark.parametrize("kind", ["disk", "bucket"])
def test_a_reader_of_the_target_never_sees_anything_inconsistent(source: Registry, tmp_path: Path, kind: str) -> None:
    target = fresh(kind, tmp_path)
    watched = Watched(target, lambda: assert_sound(Registry(target)))
    copy(source, watched)
    assert watched.written > 30
    assert bytes_of(target) == bytes_of(source.store)


class Busy(Wrapper):
    """Somebody works on the registry between the reads of it, from a moment on, one thing after each."""

    def __init__(self, store: Store, moment: int, acts: Iterator[Callable[[], object]]) -> None:
        super().__init__(store)
        self.left, self._acts = moment, acts

    def before(self, call: str, key: str) -> None:
        self.left -= 1
        if self.left <= 0:
            next(self._acts, lambda: None)()

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """List as slowly as a bucket does, page by page, while the work goes on: never as it was at one moment."""
        last = ""
        while True:
            self.before("page", prefix)
            entry = next((entry for entry in self.inner.walk(prefix) if entry.name > last), None)
            if entry is None:
                return
            yield entry
            last = entry.name


def work(source: Registry, made: Path) -> Iterator[Callable[[], object]]:
    number = Version(1, 3, 0)
    yield lambda: publish(source, CHURN, made, number)
    yield lambda: promote(source, CHURN, number, STAGING, POLICY)
    yield lambda: promote(source, CHURN, Version(1, 1, 0), STAGING, POLICY)
    yield lambda: promote(source, CHURN, number, FREE, POLICY)
    yield lambda: rollback(source, CHURN, STAGING, POLICY, reason="worse")
    yield lambda: yank(source, CHURN, number, "worse")


def test_a_source_that_is_being_written_to_gives_a_sound_mirror(template: Path, tmp_path: Path) -> None:
    moment, busy_still, seen = 0, True, set()
    made, start = make_source(tmp_path / "new", "new"), bytes_of(LocalStore(template))
    while busy_still:
        moment += 1 if FULL else 17
        source, target = Registry(in_memory(start)), MemoryStore(uuid.uuid4().hex)
        busy = Busy(source.store, moment, work(source, made))
        result = copy(Registry(busy), target)
        assert (result.damaged, result.diverged) == ((), ()), moment
        assert_sound(Registry(target))
        seen.add(frozenset(bytes_of(target)))
        copy(source, target)
        assert bytes_of(target).keys() >= bytes_of(source.store).keys()
        busy_still = busy.left <= 0
    assert len(seen) > 2  # nothing of the new, all of it, and something between


def test_it_goes_on_where_it_was_cut_off(template: Path) -> None:
    whole, point = bytes_of(LocalStore(template)), 0
    source = Registry(in_memory(whole))
    while True:
        point += 1 if FULL else 19
        target = GenericPlace(DictFileSystem()).store()
        try:
            copy(source, CrashAt(target, point))
        except Crash:
            assert_sound(Registry(target))
            copy(source, target)
            assert bytes_of(target) == whole, point
        else:
            break
    assert point > 120


def test_two_at_once_do_no_harm(source: Registry, tmp_path: Path) -> None:
    target, start = LocalStore(tmp_path / "target"), threading.Barrier(3)
    results: list[Mirrored] = []

    def run() -> None:
        start.wait()
        results.append(copy(source, LocalStore(tmp_path / "target")))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(result.damaged, result.diverged) for result in results] == [((), ())] * 3
    assert bytes_of(target) == bytes_of(source.store)


def _version(target: Registry, folder: Path) -> None:
    publish(target, CHURN, make_source(folder / "other", "another"), Version(1, 3, 0))


def _record(target: Registry, folder: Path) -> None:
    promote(target, CHURN, Version(1, 0, 0), FREE, POLICY)


def _policy(target: Registry, folder: Path) -> None:
    push_policy(target, POLICY, reason="the target's own")


def _number(target: Registry, folder: Path) -> None:
    target.store.create(keys.manifest_key(CHURN, Version(1, 3, 0)), TOMBSTONE)


@pytest.mark.parametrize("kind", ["disk", "bucket"] if FULL else ["bucket"])
@pytest.mark.parametrize(
    ("diverge", "named"),
    [(_version, "demo/churn@1.3.0"), (_record, "demo/churn@free"), (_policy, "the policies"), (_number, "@1.3.0")],
)
def test_what_is_something_else_at_the_target_is_named_and_stays(
    source: Registry, tmp_path: Path, kind: str, diverge: Callable[[Registry, Path], None], named: str
) -> None:
    target = Registry(fresh(kind, tmp_path))
    copy(source, target.store)
    diverge(target, tmp_path)
    before = bytes_of(target.store)
    publish(source, CHURN, make_source(tmp_path / "new", "new"), Version(1, 3, 0))
    promote(source, CHURN, Version(1, 3, 0), FREE, POLICY)
    push_policy(source, POLICY, reason="back")
    publish(source, OTHER, make_source(tmp_path / "more", "more"), Version(1, 1, 0))
    for _ in range(2):
        result = copy(source, target.store)
        assert any(named in one.ref for one in result.diverged)
        after = bytes_of(target.store)
        assert {key: after[key] for key in before} == before
        assert "other/fraud/1.1.0/checksum.txt" in after  # the rest is copied
        assert_sound(target)


def test_a_target_that_has_more_is_left_alone(source: Registry, tmp_path: Path) -> None:
    target = Registry(LocalStore(tmp_path / "target"))
    copy(source, target.store)
    promote(target, CHURN, Version(1, 1, 0), FREE, POLICY)
    before = bytes_of(target.store)
    result = copy(source, target.store)
    assert (result.damaged, result.diverged, result.copied) == ((), (), ())
    assert result.ahead == ("the log of demo/churn@1.1.0",)
    assert bytes_of(target.store) == before


DAMAGE = [*VERSION_DAMAGE, *EXTRA_DAMAGE, *HISTORY_DAMAGE, *QUIET_DAMAGE][:: 1 if FULL else 11]
UNSEEN = {"pointer set by hand", "pointer out of the registry", "pointer removed", "newest record removed"}
"""Damage to what is only a view, which a mirror sets by the history; and what looks like a stale pointer."""


@pytest.mark.parametrize("kind", ["disk", "bucket"] if FULL else ["bucket"])
@pytest.mark.parametrize("damage", DAMAGE, ids=[case.name for case in DAMAGE])
def test_what_is_damaged_is_named_and_the_rest_is_copied(history: Path, tmp_path: Path, kind: str, damage) -> None:
    root = shutil.copytree(history, tmp_path / "a" / "registry", symlinks=True)
    sound = bytes_of(LocalStore(history))
    damage.do(root / "demo" / "churn")
    target = fresh(kind, tmp_path)
    result = copy(Registry(LocalStore(root)), target)
    assert result.diverged == ()
    assert bool(result.damaged) == (damage.name not in UNSEEN)
    copied = bytes_of(target)
    assert {key: sound[key] for key in copied if key.count("/") != 2} == {
        key: data for key, data in copied.items() if key.count("/") != 2
    }
    whole_versions({key: data for key, data in copied.items() if key.count("/") > 2})
    again = copy(Registry(LocalStore(history)), target)  # once the source is healed
    assert (again.damaged, again.diverged) == ((), ())
    assert bytes_of(target) == sound


def test_damage_at_the_source_leaves_no_claim_in_a_bucket(history: Path, tmp_path: Path) -> None:
    root = shutil.copytree(history, tmp_path / "registry", symlinks=True)
    weights = root / "demo/churn/1.3.0/model/weights.bin"
    weights.chmod(0o600)
    weights.write_bytes(b"onE")
    target = GenericPlace(DictFileSystem())
    result = copy(Registry(LocalStore(root)), target.store())
    assert [(one.ref, one.problem) for one in result.damaged] == [
        ("demo/churn@1.3.0", "model/weights.bin: does not match its checksum")
    ]
    assert "1.3.0" not in " ".join(bytes_of(target.store()))
    assert copy(Registry(LocalStore(history)), target.store()).diverged == ()


def test_a_version_that_only_its_pins_give_away_is_not_copied(history: Path, tmp_path: Path) -> None:
    """Another version, whole in itself, lies in the place of one that records pin."""
    root = shutil.copytree(history, tmp_path / "registry", symlinks=True)
    other = LocalStore(tmp_path / "other")
    other.make_root()
    publish(Registry(other), CHURN, make_source(tmp_path / "new", "new"), Version(1, 1, 0))
    shutil.rmtree(root / "demo/churn/1.1.0")
    shutil.copytree(tmp_path / "other/demo/churn/1.1.0", root / "demo/churn/1.1.0")
    target = MemoryStore(uuid.uuid4().hex)
    result = copy(Registry(LocalStore(root)), target)
    assert [one.ref for one in result.damaged] == ["demo/churn@1.1.0"]
    assert "pins another digest" in result.damaged[0].problem
    assert "demo/churn/1.1.0/checksum.txt" not in bytes_of(target)
