"""What a consumer demands of an alias: never an older state than one seen before, a signature, and a fresh word."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import artreg
from artreg.core import keys as places
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import replace
from artreg.registry.assess import assess
from artreg.registry.confirm import confirm
from artreg.registry.demands import Demands
from artreg.registry.freeze import freeze
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, read_record
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.seen import Memory, memory
from artreg.registry.signatures import sign_version
from artreg.registry.verify import verify
from artreg.registry.yank import yank
from artreg.store.factory import open_store
from keys import make_key, needs_openssh, public
from registry.bench import CHURN, FREE, Bench

REFERENCE = Reference(CHURN, FREE)


class Consumer:
    """A registry on a disk as one sees it who remembers."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.memory = memory(str(folder), str(root))
        self.registry = Registry(open_store(root), demands=Demands(self.memory))

    def version(self) -> str:
        return str(resolve(self.registry, REFERENCE).version)

    def keep(self, name: str) -> Path:
        """Copy the registry as it is now."""
        return Path(shutil.copytree(self.root, self.root.with_name(name), symlinks=True))

    def set_back(self, copy: Path) -> None:
        """Let storage be as it was when it was copied."""
        shutil.rmtree(self.root)
        shutil.copytree(copy, self.root, symlinks=True)


@pytest.fixture
def bench(local_store, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    bench = Bench(local_store, tmp_path / "made")
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
    bench.promote("1.0.0")
    return bench


@pytest.fixture
def consumer(bench: Bench, tmp_path: Path) -> Consumer:
    return Consumer(Path(bench.store.url), tmp_path / "state" / "seen")


def test_an_alias_that_moves_on_is_followed(bench: Bench, consumer: Consumer) -> None:
    assert consumer.version() == "1.0.0"
    for version in ("1.1.0", "1.2.0"):
        bench.promote(version)
    assert consumer.version() == "1.2.0"
    rollback(bench.registry, CHURN, FREE, bench.policy)  # the registry's own way back is a step on
    assert consumer.version() == "1.1.0"
    seen = consumer.memory.recall(CHURN, FREE)
    assert seen is not None
    assert (seen.generation, seen.version, seen.registry) == (4, "1.1.0", str(consumer.root))
    assert consumer.version() == "1.1.0"
    assert consumer.memory.recall(CHURN, FREE) == seen


def test_storage_set_back_is_refused_by_whoever_has_seen_more(bench: Bench, consumer: Consumer, tmp_path: Path) -> None:
    old = consumer.keep("old")
    bench.promote("1.1.0")
    assert consumer.version() == "1.1.0"
    consumer.set_back(old)
    assert verify(Registry(consumer.registry.store)).ok  # nothing in the files themselves tells
    assert str(resolve(Registry(consumer.registry.store), REFERENCE).version) == "1.0.0"
    for act in (
        consumer.version,
        lambda: pull(consumer.registry, REFERENCE, open_store(tmp_path), "out"),
        lambda: rollback(consumer.registry, CHURN, FREE, bench.policy),
        lambda: assess(consumer.registry, CHURN, Version(1, 2, 0), FREE, bench.policy),
        lambda: verify(consumer.registry, REFERENCE),
    ):
        with pytest.raises(IntegrityError) as raised:
            act()
        assert (
            "demo/churn@free went back: now its newest is 1 (1.0.0), but generation 2 (1.1.0)" in raised.value.message
        )
        assert "artreg forget demo/churn@free" in raised.value.hint
    assert not (tmp_path / "out").exists()
    forgotten = consumer.memory.forget(CHURN, FREE)
    assert forgotten is not None
    assert forgotten.generation == 2
    assert consumer.version() == "1.0.0"


def test_a_history_that_is_gone_is_refused(bench: Bench, consumer: Consumer) -> None:
    consumer.version()
    shutil.rmtree(consumer.root / places.history_prefix(CHURN, FREE))
    with pytest.raises(IntegrityError, match="went back: now it has none"):
        consumer.version()
    with pytest.raises(NotFound):
        resolve(Registry(consumer.registry.store), REFERENCE)


@pytest.mark.parametrize("further", [0, 1])
def test_a_history_that_was_rewritten_is_refused(bench: Bench, consumer: Consumer, further: int) -> None:
    old = consumer.keep("old")
    bench.promote("1.1.0")
    assert consumer.version() == "1.1.0"
    consumer.set_back(old)
    for version in ("1.2.0", "1.0.0")[: 1 + further]:
        bench.promote(version)
    assert verify(Registry(consumer.registry.store)).ok
    with pytest.raises(IntegrityError, match="was rewritten: now another record stands there, but generation 2"):
        consumer.version()


def test_each_registry_model_and_alias_is_remembered_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    folder = str(tmp_path / "seen")
    memories = [memory(folder, root) for root in ("s3://bucket/a", "s3://bucket/b", str(tmp_path))]
    memories.append(memory(folder, "s3://bucket/a", "http://elsewhere:9000"))
    for number, one in enumerate(memories, 1):
        one.learn(CHURN, FREE, number, "d", "1.0.0")
    memories[0].learn(ModelName("demo", "other"), FREE, 9, "d", "1.0.0")
    memories[0].learn(CHURN, Alias("prod"), 8, "d", "1.0.0")
    assert [seen.generation for one in memories if (seen := one.recall(CHURN, FREE))] == [1, 2, 3, 4]
    assert sorted(seen.generation for seen in memories[0].all()) == [1, 8, 9]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere:9000")
    assert memory(folder, "s3://bucket/a") == memories[3]


def test_less_is_never_remembered_than_was_seen(tmp_path: Path) -> None:
    here = memory(str(tmp_path / "seen"), str(tmp_path))
    assert here.recall(CHURN, FREE) is None
    assert here.forget(CHURN, FREE) is None
    assert list(here.all()) == []
    for generation in (3, 2, 3, 5, 4):
        here.learn(CHURN, FREE, generation, f"record {generation}", "1.0.0")
    seen = here.recall(CHURN, FREE)
    assert seen is not None
    assert (seen.generation, seen.record) == (5, "record 5")


def test_one_who_saw_less_does_not_write_over_one_who_saw_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = memory(str(tmp_path / "seen"), str(tmp_path))
    recall, other = Memory.recall, threading.Thread(target=here.learn, args=(CHURN, FREE, 9, "d", "1.0.0"))

    def recall_then_wait(self: Memory, model: ModelName, alias: Alias) -> object:
        """Let the other one begin after this one has looked, and write if it can."""
        found = recall(self, model, alias)
        if threading.current_thread() is not other:
            other.start()
            other.join(timeout=0.2)
        return found

    monkeypatch.setattr(Memory, "recall", recall_then_wait)
    here.learn(CHURN, FREE, 5, "d", "1.0.0")
    other.join()
    monkeypatch.undo()
    seen = here.recall(CHURN, FREE)
    assert seen is not None
    assert seen.generation == 9


LEARN = """
import sys
from artreg.core.names import Alias, ModelName
from artreg.registry.seen import memory
here = memory(sys.argv[1], "/r")
for number in range(int(sys.argv[2]), 10**6, 4):
    here.learn(ModelName("demo", "churn"), Alias("free"), number, "d", "1.0.0")
    if number < int(sys.argv[2]) + 4 * 25:
        print(number, flush=True)
"""


def test_several_who_learn_at_once_and_are_killed_forget_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "seen")
    command = [sys.executable, "-c", LEARN, folder]
    learners = [subprocess.Popen([*command, str(start)], stdout=subprocess.PIPE, text=True) for start in range(1, 5)]
    try:
        highest = 0
        for learner in learners:
            assert learner.stdout is not None
            highest = max(highest, *(int(learner.stdout.readline()) for _ in range(20)))
    finally:
        for learner in learners:
            learner.send_signal(signal.SIGKILL)
            learner.communicate()
    seen = memory(folder, "/r").recall(CHURN, FREE)
    assert seen is not None
    assert seen.generation >= highest
    memory(folder, "/r").learn(CHURN, FREE, 10**7, "d", "1.0.0")  # nobody holds the lock any more
    assert sum(name.endswith(".json") for name in os.listdir(folder)) == 1


def test_a_damaged_memory_is_named_and_can_be_forgotten(consumer: Consumer) -> None:
    consumer.version()
    [file] = (path for path in Path(consumer.memory.folder).iterdir() if path.suffix == ".json")
    kept = file.read_bytes()
    for data in (
        b"",
        b"{}",
        kept[:-2],
        kept.replace(b'"free"', b'"FREE"'),
        kept.replace(b'"generation": 1', b'"generation": "1"'),
    ):
        file.write_bytes(data)
        with pytest.raises(IntegrityError, match=r"\.json is damaged") as raised:
            consumer.version()
        assert "artreg forget" in raised.value.hint
    assert consumer.memory.forget(CHURN, FREE) is None
    assert consumer.version() == "1.0.0"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_memory_that_can_only_be_read_still_holds(
    bench: Bench, consumer: Consumer, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    old = consumer.keep("old")
    bench.promote("1.1.0")
    consumer.version()
    bench.promote("1.2.0")

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "makedirs", fail)
        if code == errno.ENOSPC:
            with pytest.raises(StorageError, match="cannot be written"):
                consumer.version()
            return
        assert consumer.version() == "1.2.0"
    consumer.set_back(old)
    with pytest.raises(IntegrityError, match="went back"):
        consumer.version()


def test_the_memory_is_read_before_the_head(bench: Bench, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one who reads slowly would take a record for old that another process has seen the next one of meanwhile."""
    consumer.version()
    recall = Memory.recall
    moved = iter([True])

    def recall_then_move(self: Memory, model: ModelName, alias: Alias) -> object:
        found = recall(self, model, alias)
        if next(moved, False):
            bench.promote("1.1.0")
            head = find_head(bench.registry, CHURN, FREE)
            assert head is not None
            self.learn(CHURN, FREE, 2, head.sha256, "1.1.0")
        return found

    monkeypatch.setattr(Memory, "recall", recall_then_move)
    assert consumer.version() == "1.1.0"


def test_auto_is_the_users_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert memory("auto", "/r").folder == str(tmp_path / "state/artreg/seen")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert memory("auto", "/r").folder == str(tmp_path / "home/.local/state/artreg/seen")


def test_from_python(bench: Bench, tmp_path: Path) -> None:
    opened = artreg.open(bench.store.url, seen=tmp_path / "seen")
    assert str(opened.resolve("churn@free").version) == "1.0.0"
    old = Path(shutil.copytree(bench.store.url, tmp_path / "old", symlinks=True))
    bench.promote("1.1.0")
    assert str(opened.resolve("churn@free").version) == "1.1.0"
    shutil.rmtree(bench.store.url)
    shutil.copytree(old, bench.store.url, symlinks=True)
    with pytest.raises(artreg.IntegrityError, match="went back"):
        artreg.open(bench.store.url, seen=str(tmp_path / "seen")).resolve("churn@free")
    assert str(artreg.open(bench.store.url).resolve("churn@free").version) == "1.0.0"
    with pytest.raises(artreg.IntegrityError, match="was last moved or confirmed at 2026-03-01"):
        artreg.open(bench.store.url, max_age=timedelta(seconds=1)).resolve("churn@free")
    with pytest.raises(InvalidInput, match="nothing says whose keys count"):
        artreg.open(bench.store.url, moved_by=["carol"])


@needs_openssh
def test_signatures_from_python(bench: Bench, tmp_path: Path) -> None:
    key = make_key(tmp_path, "carol")
    (tmp_path / "signers").write_text(f"carol {public(key)}\n")
    opened = artreg.open(bench.store.url)
    sign_version(bench.registry, CHURN, Version(1, 0, 0), key, who="carol")
    for what, ok in (("churn@1.0.0", True), ("churn@free", True), ("churn", False), (None, False)):
        assert opened.verify(what, allowed_signers=tmp_path / "signers").ok is ok
        assert not opened.verify(what, signed_by=["dan"], allowed_signers=tmp_path / "signers").ok
    with pytest.raises(InvalidInput, match="nothing says whose keys count"):
        opened.verify(signed_by=["carol"])


def at(bench: Bench, days: float, max_age: float, moved_by: SignedBy | None = None) -> Registry:
    """The registry so many days later, as one sees it who wants a word that is no older than so many."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=days)
    return replace(bench.registry, now=lambda: now, demands=Demands(moved_by=moved_by, max_age=timedelta(days=max_age)))


def test_a_word_that_is_too_old_is_refused_until_somebody_confirms(bench: Bench) -> None:
    assert str(resolve(at(bench, 6, 7), REFERENCE).version) == "1.0.0"
    with pytest.raises(
        IntegrityError, match=r"was last moved or confirmed at 2026-03-01T12:00:.*, 8 d ago; at most 7 d"
    ):
        resolve(at(bench, 8, 7), REFERENCE)
    held = find_head(bench.registry, CHURN, FREE)
    later = replace(at(bench, 8, 7), actor="carol")
    freeze(later, CHURN, FREE, datetime(2027, 1, 1, tzinfo=UTC), "sales")  # says nothing of where it should stand
    with pytest.raises(IntegrityError, match="was last moved or confirmed"):
        resolve(later, REFERENCE)
    assert confirm(later, CHURN, FREE, bench.policy, dry_run=True).record.generation == 3
    moved = confirm(later, CHURN, FREE, bench.policy, "all is well")
    assert (moved.record.action, moved.record.version, moved.record.who) == (Action.CONFIRM, Version(1, 0, 0), "carol")
    assert moved.record.frozen is not None
    assert held is not None
    assert moved.record.fallback == held.record.fallback
    assert str(resolve(at(bench, 14, 7), REFERENCE).version) == "1.0.0"
    assert verify(bench.registry).ok
    with pytest.raises(NotFound):
        confirm(later, CHURN, Alias("prod"), bench.policy)
    with pytest.raises(InvalidInput):
        confirm(later, CHURN, Alias("nowhere"), bench.policy)


@needs_openssh
def test_only_a_signed_word_counts_where_signatures_are_wanted(bench: Bench, tmp_path: Path) -> None:
    key = make_key(tmp_path, "carol")
    carol = SignedBy(AllowedSigners((f"carol {public(key)}",)), ("carol",))
    with pytest.raises(IntegrityError, match="record 1 of free, by ada, is not signed by carol"):
        resolve(at(bench, 0, 99, carol), REFERENCE)
    acting = replace(bench.registry, actor="carol", signing_key=str(key))
    signed = Bench(bench.store, bench.folder)
    signed.registry = acting
    signed.promote("1.1.0")
    assert str(resolve(at(bench, 1, 7, carol), REFERENCE).version) == "1.1.0"
    later = replace(at(bench, 8, 7, carol), actor="eve")
    confirm(later, CHURN, FREE, bench.policy)  # by nobody whose word counts
    with pytest.raises(IntegrityError, match="was last moved or confirmed"):
        resolve(later, REFERENCE)
    confirm(replace(acting, now=later.now), CHURN, FREE, bench.policy)
    assert str(resolve(later, REFERENCE).version) == "1.1.0"
    yank(bench.registry, CHURN, Version(1, 1, 0), "leaks")  # moves nothing, and needs no signature
    assert "leaks" in resolve(later, REFERENCE).warning
    bench.promote("1.2.0")
    with pytest.raises(IntegrityError, match="by ada, is not signed by carol"):
        resolve(later, REFERENCE)
    assert read_record(bench.registry, CHURN, FREE, 2).record.signature


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, database=None, max_examples=40)
def test_whatever_lies_in_the_memory_is_no_bug(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "memory"
    here = memory(str(folder), "/r")
    here.forget(CHURN, FREE)
    here.learn(CHURN, FREE, 1, "d", "1.0.0")
    [file] = folder.glob("*.json")
    file.write_bytes(data)
    with pytest.raises(IntegrityError):
        here.recall(CHURN, FREE)
