"""Promotion and rollback: who may move, where to, and what the history then says."""

from __future__ import annotations

import pytest

from artreg.core.names import Alias, Reference
from artreg.core.policy import parse_policy
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import Conflict, GateRejected, IntegrityError, InvalidInput, NotFound, OutcomeUnknown, StorageError
from artreg.frozen import replace
from artreg.registry import move
from artreg.registry.gc import collect
from artreg.registry.history import find_head, newest_generation, read_record, records
from artreg.registry.promote import promote
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.store.interface import Page, Pointer
from registry.bench import CHURN, FREE, POLICY, PROD, STAGING, Bench
from store.faults import Wrapper


def where(bench: Bench, alias: Alias = FREE) -> str:
    return str(resolve(bench.registry, Reference(CHURN, alias)).version)


def back(bench: Bench, alias: Alias = FREE, **options) -> str:
    return str(rollback(bench.registry, CHURN, alias, POLICY, **options).record.version)


def test_a_promotion_moves_alias_and_pointer(bench: Bench) -> None:
    published = bench.publish("1.0.0")
    moved = bench.promote("1.0.0", reason="first")
    record = moved.record
    assert moved.changed
    assert (record.generation, record.previous_version, record.fallback) == (1, None, None)
    assert (record.digest, record.who, record.why) == (published.digest, "ada", "first")
    pointer = bench.store.pointer("demo/churn/free")
    assert pointer is not None
    assert (pointer.target, pointer.generation in {None, 1}) == ("1.0.0", True)
    assert where(bench) == "1.0.0"


def test_each_record_names_the_one_before(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
        bench.promote(version)
    heads = list(records(bench.registry, CHURN, FREE))
    assert [head.record.generation for head in heads] == [3, 2, 1]
    assert [head.record.previous_record for head in heads] == [heads[1].sha256, heads[2].sha256, None]


def test_promoting_what_stands_there_changes_nothing(bench: Bench) -> None:
    bench.publish("1.0.0")
    first = bench.promote("1.0.0")
    again = bench.promote("1.0.0")
    assert (again.changed, again.record) == (False, first.record)
    assert newest_generation(bench.registry, CHURN, FREE) == 1


def test_gates_see_the_metrics(bench: Bench) -> None:
    bench.publish("1.0.0", roc_auc=0.7)
    with pytest.raises(GateRejected, match=r"roc_auc is 0.7, which is not ≥ 0.75") as caught:
        bench.promote("1.0.0", STAGING)
    assert [(gate["gate"], gate["passed"]) for gate in caught.value.details["gates"]] == [
        ("integrity", True),
        ("metric", False),
    ]
    assert find_head(bench.registry, CHURN, STAGING) is None
    assert bench.store.pointer("demo/churn/staging") is None


def test_prod_takes_only_what_staging_holds(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    with pytest.raises(GateRejected, match="staging holds nothing"):
        bench.promote("1.0.0", PROD)
    bench.promote("1.0.0", STAGING)
    bench.promote("1.0.0", PROD)
    with pytest.raises(GateRejected, match=r"staging holds 1\.0\.0; 1\.1\.0 must stand there first"):
        bench.promote("1.1.0", PROD)
    assert where(bench, PROD) == "1.0.0"


def test_a_dry_run_moves_nothing_but_judges(bench: Bench) -> None:
    bench.publish("1.0.0")
    moved = promote(bench.registry, CHURN, Version(1, 0, 0), STAGING, POLICY, dry_run=True)
    assert (moved.dry_run, len(moved.record.gates)) == (True, 2)
    assert find_head(bench.registry, CHURN, STAGING) is None


def test_an_alias_that_the_policy_does_not_name_is_refused(bench: Bench) -> None:
    bench.publish("1.0.0")
    with pytest.raises(InvalidInput, match="names no alias 'nightly'") as caught:
        bench.promote("1.0.0", Alias("nightly"))
    assert "staging, prod, free" in caught.value.hint


def test_a_reason_can_be_demanded(bench: Bench) -> None:
    bench.policy = parse_policy({"aliases": {"free": {"require_reason": True}}})
    bench.publish("1.0.0")
    with pytest.raises(InvalidInput, match="demands a reason"):
        bench.promote("1.0.0", reason="  ")
    assert bench.promote("1.0.0", reason="why not").changed


def test_a_version_that_is_not_there_cannot_be_promoted(bench: Bench) -> None:
    bench.publish("1.0.0")
    with pytest.raises(NotFound, match=r"no version 9\.9\.9") as caught:
        bench.promote("9.9.9")
    assert "1.0.0" in caught.value.hint


def test_rolling_back_goes_further_back_each_time(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
        bench.promote(version)
    assert [back(bench), back(bench)] == ["1.1.0", "1.0.0"]
    with pytest.raises(NotFound, match=r"held nothing before 1\.0\.0"):
        back(bench)
    bench.publish("1.3.0")
    bench.promote("1.3.0")
    assert back(bench) == "1.0.0"
    heads = list(records(bench.registry, CHURN, FREE))
    assert [head.record.generation for head in heads] == [7, 6, 5, 4, 3, 2, 1]
    assert heads[0].record.action is Action.ROLLBACK
    assert heads[0].record.previous_version == Version(1, 3, 0)


def test_rolling_back_to_a_named_version(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
        bench.promote(version)
    bench.publish("2.0.0")
    with pytest.raises(NotFound, match=r"never held 2\.0\.0"):
        back(bench, to=Version(2, 0, 0))
    assert back(bench, to=Version(1, 0, 0)) == "1.0.0"
    again = rollback(bench.registry, CHURN, FREE, POLICY, to=Version(1, 0, 0))
    assert (again.changed, again.record.generation) == (False, 4)


class Silent(Wrapper):
    """Takes a record and never says so, nor whether it is there, while `broken`."""

    broken = True

    def before(self, call: str, key: str) -> None:
        if self.broken and call == "read" and key.endswith("/free/00000004.json"):
            raise StorageError("no answer")

    def after(self, call: str, key: str) -> None:
        if self.broken and call == "create" and key.endswith("/free/00000004.json"):
            raise OutcomeUnknown("no answer", hint="run the command again: it finds out")


def test_a_rollback_of_unknown_outcome_advises_what_goes_no_further_back(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
        bench.promote(version)
    silent = Silent(bench.store)
    bench.registry = replace(bench.registry, store=silent)
    with pytest.raises(OutcomeUnknown) as caught:
        back(bench)
    assert caught.value.hint.startswith("artreg rollback churn@free --to 1.1.0 finds out")
    silent.broken = False
    settled = rollback(bench.registry, CHURN, FREE, POLICY, to=Version(1, 1, 0))
    assert (str(settled.record.version), settled.record.generation, settled.changed) == ("1.1.0", 4, False)


def test_rollback_asks_no_gates(bench: Bench) -> None:
    bench.publish("1.0.0", roc_auc=0.9)
    bench.publish("1.1.0", roc_auc=0.9)
    for version in ("1.0.0", "1.1.0"):
        bench.promote(version, STAGING)
        bench.promote(version, PROD)
    strict = parse_policy({"aliases": {"prod": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.99}]}}})
    assert str(rollback(bench.registry, CHURN, PROD, strict).record.version) == "1.0.0"


def test_an_alias_that_was_never_set_cannot_be_rolled_back(bench: Bench) -> None:
    bench.publish("1.0.0")
    with pytest.raises(NotFound, match="free of demo/churn points nowhere"):
        back(bench)


def test_whoever_read_an_older_head_gets_a_conflict(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
    bench.promote("1.0.0")
    commit, overtaken = move.commit, []

    def overtake(store, key: str, data: bytes) -> None:
        if not overtaken:
            overtaken.append(key)
            bench.promote("1.1.0")
        commit(store, key, data)

    monkeypatch.setattr(move, "commit", overtake)
    with pytest.raises(Conflict, match="somebody else moved free"):
        bench.promote("1.2.0")
    assert where(bench) == "1.1.0"
    assert newest_generation(bench.registry, CHURN, FREE) == 2


def test_a_pointer_that_could_not_be_set_is_said_and_healed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.publish("1.0.0")

    def fail(self, key: str, pointer: Pointer) -> None:
        raise StorageError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(type(bench.store), "point", fail)
        with pytest.raises(StorageError, match=r"is moved to 1\.0\.0 \(generation 1\), but its pointer"):
            bench.promote("1.0.0")
    assert where(bench) == "1.0.0"
    assert bench.store.pointer("demo/churn/free") is None
    assert not bench.promote("1.0.0").changed
    pointer = bench.store.pointer("demo/churn/free")
    assert pointer is not None
    assert pointer.target == "1.0.0"


def test_a_pointer_edited_by_hand_is_never_trusted(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    bench.store.point("demo/churn/free", Pointer("1.0.0", 1))
    assert where(bench) == "1.1.0"
    assert collect(bench.registry, older_than=(bench.registry.now() - bench.registry.now())).healed == (
        "demo/churn@free",
    )
    pointer = bench.store.pointer("demo/churn/free")
    assert pointer is not None
    assert pointer.target == "1.1.0"


class PagedStore:
    """Lists a history in pages of three, as a bucket lists one in pages of a thousand, and counts the requests."""

    def __init__(self, inner) -> None:
        self._inner, self.pages = inner, 0

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def page(self, prefix: str, after: str = "") -> Page:
        self.pages += 1
        entries = tuple(entry for entry in self._inner.page(prefix, after).entries)
        return Page(entries[:3], more=len(entries) > 3)


@pytest.mark.parametrize("hint", [None, 0, 1, 5, 10, 11, 99])
def test_a_long_history_is_read_from_where_the_pointer_says_and_whatever_it_says(
    bench: Bench, hint: int | None
) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    for _ in range(5):
        bench.promote("1.0.0")
        bench.promote("1.1.0")
    paged = PagedStore(bench.store)
    registry = Bench(paged, bench.folder).registry
    paged.pointer = lambda key: None if hint is None else Pointer("1.1.0", hint)
    assert newest_generation(registry, CHURN, FREE) == 10
    assert find_head(registry, CHURN, FREE).record.version == Version(1, 1, 0)
    paged.pages = 0
    paged.pointer = lambda key: Pointer("1.1.0", 10)
    assert newest_generation(registry, CHURN, FREE) == 10
    assert paged.pages == 2


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_gap_in_the_history_stops_everybody(bench: Bench, missing: int) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    for version in ("1.0.0", "1.1.0", "1.0.0", "1.1.0"):
        bench.promote(version)
    bench.store.delete([f"demo/churn/history/free/{missing:08d}.json"])
    for act in (lambda: where(bench), lambda: bench.promote("1.0.0"), lambda: back(bench)):
        with pytest.raises(IntegrityError, match=f"has a gap: record {missing} is missing") as told:
            act()
        assert told.value.hint == "restore the file from a copy; until then nobody can say where the alias points"


def test_a_record_that_is_missing_is_named(bench: Bench) -> None:
    with pytest.raises(IntegrityError, match=r"^record 3 of free of demo/churn is missing$"):
        read_record(bench.registry, CHURN, FREE, 3)
