"""What `verify` does with many versions, and what it makes of things that are none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from artreg.core import keys
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import ModelName, Reference
from artreg.core.record import Action
from artreg.core.selection import Selection
from artreg.core.version import Version
from artreg.errors import NotFound, StorageError
from artreg.registry.check import Problem, check_version
from artreg.registry.handle import Registry
from artreg.registry.intent import intend
from artreg.registry.move import Destination, draft
from artreg.registry.publish import publish
from artreg.registry.snapshot_taking import take
from artreg.registry.verifications import remembered
from artreg.registry.verify import Report, verify
from artreg.registry.version_log import read_log
from artreg.store.interface import NO_PROGRESS, Progress, Store
from artreg.store.memory import MemoryStore
from artreg.workers import Workers
from registry.bench import CHURN, FREE, Bench
from registry.test_snapshots import table
from registry.test_verify import overwrite
from store.faults import Wrapper

OTHER = ModelName("demo", "other")
V1 = Version(1, 0, 0)


class _Noting(Wrapper):
    """Notes, in order, which versions are hashed and whose verifications are written; fails where it is told to."""

    def __init__(self, store: Store, fails_at: str = "") -> None:
        super().__init__(store)
        self.noted: list[str] = []
        self.fails_at = fails_at

    def before(self, call: str, key: str) -> None:
        if call == "digests":
            self.noted.append(key)
            if key == self.fails_at:
                raise StorageError("the disk is gone")
        elif call == "create":
            self.noted.append(key.partition("/.artreg")[0])


@pytest.fixture
def two_models(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        publish(bench.registry, OTHER, bench.made(version), Version.parse(version))
    return bench


def verify_through(store: Wrapper, bench: Bench) -> Report:
    return verify(Registry(store, "ada", bench.registry.now), record=True)


def test_what_was_found_of_a_model_is_kept_as_soon_as_the_last_of_it_is_checked(two_models: Bench) -> None:
    noting = _Noting(two_models.store)
    assert verify_through(noting, two_models).ok
    places = [keys.verifications_prefix(model) for model in (CHURN, OTHER)]
    noted = [next((place for place in places if key.startswith(place)), key) for key in noting.noted]
    churn, other = places
    assert noted == [
        "demo/churn/1.0.0",
        "demo/churn/1.1.0",
        churn,
        "demo/other/1.0.0",
        "demo/other/1.1.0",
        other,
    ]
    for model in (CHURN, OTHER):
        assert set(remembered(two_models.registry, model).seen) == {"1.0.0", "1.1.0"}


def test_what_was_found_before_it_stopped_is_kept(two_models: Bench) -> None:
    with pytest.raises(StorageError, match="the disk is gone"):
        verify_through(_Noting(two_models.store, "demo/other/1.1.0"), two_models)
    assert set(remembered(two_models.registry, CHURN).seen) == {"1.0.0", "1.1.0"}
    assert set(remembered(two_models.registry, OTHER).seen) == {"1.0.0"}


def test_where_several_work_whoever_waits_is_told_of_each_version(two_models: Bench) -> None:
    told: list[tuple[str, int, str]] = []
    done: list[int] = []

    class Counting:
        def advance(self, amount: int) -> None:
            done.append(amount)

    class Heard:
        def step(self, what: str, total: int, unit: str = "bytes") -> Progress:
            told.append((what, total, unit))
            return Counting()

    assert verify(two_models.registry, workers=Workers(jobs=2), reporter=Heard()).ok
    assert (told, done) == ([("verify", 4, "versions")], [1, 1, 1, 1])


def test_a_file_in_the_place_of_a_version_is_named(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.store.create("demo/churn/9.0.0", b"mine")
    found = {it.ref: it for it in verify(bench.registry, CHURN).checked}["demo/churn@9.0.0"]
    assert (found.files, found.bytes) == (0, 0)
    assert found.problems == (Problem("checksum.txt", "missing: the version is a file instead of a folder"),)


def test_a_file_that_points_nowhere_is_no_alias(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    for name, data in (("notes", b"of mine"), ("empty", b"")):
        bench.store.create(f"demo/churn/{name}", data)
    report = verify(bench.registry, CHURN)
    assert (report.ok, [it.ref for it in report.checked]) == (True, ["demo/churn@free", "demo/churn@1.0.0"])


def test_a_history_that_a_log_tells_of_must_be_there(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    bench.promote("1.0.0")
    bench.promote("1.1.0")
    bench.store.delete([keys.record_key(CHURN, FREE, number) for number in (1, 2)])
    if isinstance(bench.store, MemoryStore):
        bench.store.delete([keys.pointer_key(CHURN, FREE)])
    else:
        bench.store.local_path(keys.pointer_key(CHURN, FREE)).unlink()
    found = verify(bench.registry, CHURN).checked[0]
    assert found.ref == "demo/churn@free"
    assert [it.problem for it in found.problems] == [
        "records are missing: there are 0, but somebody saw record 1",
    ]


def test_all_that_is_wrong_with_a_log_is_said(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    bench.store.create(f"{keys.signatures_prefix(CHURN, V1)}/{'0' * 64}.sig", b"scribble")
    overwrite(bench.store, keys.event_key(CHURN, V1, 1), b"scribble")
    found = {it.ref: it for it in verify(bench.registry, CHURN).checked}["demo/churn@1.0.0"]
    (problem,) = found.problems
    log, _, signature = problem.problem.partition("; ")
    assert log == "event 1 of demo/churn@1.0.0 is not valid JSON: Expecting value: line 1 column 1 (char 0)"
    assert signature == f"signatures/{'0' * 64}.sig: extra: it is no signature"


def test_a_log_and_a_signature_that_is_missing_are_both_named(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    overwrite(bench.store, keys.event_key(CHURN, V1, 1), b"scribble")
    wanted = SignedBy(AllowedSigners(()), ("ada",))
    found = {it.ref: it for it in verify(bench.registry, CHURN, signed_by=wanted).checked}["demo/churn@1.0.0"]
    assert [it.file for it in found.problems] == ["history/1.0.0", "signatures"]


def test_an_alias_whose_first_mover_died_after_its_intent_is_none(bench: Bench) -> None:
    bench.publish("1.0.0")
    digest = verify(bench.registry, Reference(CHURN, V1)).checked[0].digest
    settings = {"fallback": None, "reason": "", "policy": None, "gates": ()}
    record = draft(bench.registry, None, Destination(CHURN, FREE, V1, digest), action=Action.PROMOTE, **settings)
    intend(bench.registry, read_log(bench.registry, CHURN, V1), record)
    report = verify(bench.registry, CHURN)
    assert (report.ok, [it.ref for it in report.checked]) == (True, ["demo/churn@1.0.0"])


def test_a_project_that_is_not_there_is_named(bench: Bench) -> None:
    bench.publish("1.0.0")
    with pytest.raises(NotFound, match=r"there is no project 'nowhere' in "):
        verify(bench.registry, "nowhere")


def test_data_are_verified_with_everything_and_with_nothing_less(bench: Bench) -> None:
    bench.publish("1.0.0")
    data = b"id,x\n1,2\n"
    snapshot = take(bench.registry, "churn", table(data), "x", data).snapshot
    told: list[str] = []

    class Heard:
        def step(self, what: str, total: int, unit: str = "bytes") -> Progress:
            told.append(what)
            return NO_PROGRESS

    name = snapshot.ref.short
    assert name in [it.ref for it in verify(bench.registry, reporter=Heard()).checked]
    assert any("churn@sha256" in what for what in told)
    for part in ({"scope": CHURN}, {"scope": "demo"}, {"only": Selection(since=timedelta(days=7))}):
        assert name not in [it.ref for it in verify(bench.registry, **part).checked]


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_of_a_version_without_a_manifest_nothing_was_counted(bench: Bench, how: str) -> None:
    bench.publish("1.0.0")
    if how == "damaged":
        overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", b"scribble")
    else:
        bench.store.delete(["demo/churn/1.0.0/checksum.txt"])
    found = check_version(bench.registry, CHURN, V1)
    assert (found.files, found.bytes, len(found.problems)) == (0, 0, 1)


def test_content_is_read_unless_told_otherwise(bench: Bench) -> None:
    bench.publish("1.0.0")
    overwrite(bench.store, "demo/churn/1.0.0/model.bin", b"9.0.0")
    assert [it.problem for it in check_version(bench.registry, CHURN, V1).problems] == ["does not match its checksum"]
    assert check_version(bench.registry, CHURN, V1, quick=True).ok
