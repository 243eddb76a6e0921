"""The pointer follows the history, whoever moves the alias meanwhile; what is said where it cannot."""

from __future__ import annotations

import pytest

from artreg.core import keys
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.errors import Conflict, StorageError
from artreg.registry import move
from artreg.registry.check import Problem
from artreg.registry.check_history import POLICIES, check_policies
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, require_head
from artreg.registry.promote import promote
from artreg.registry.signed_moves import InForce
from artreg.registry.stored_policy import push_policy
from artreg.store import pointers
from artreg.store.interface import Pointer, Store
from registry.bench import CHURN, FREE, POLICY, Bench
from registry.test_verify import fenced, overwrite
from store.faults import Wrapper


def pointer(bench: Bench) -> Pointer | None:
    return bench.store.pointer(keys.pointer_key(CHURN, FREE))


@pytest.fixture
def three(bench: Bench) -> Bench:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
    return bench


def test_a_pointer_that_was_overtaken_is_set_again(three: Bench) -> None:
    class Overtaken(Wrapper):
        """Somebody else moves the alias on and dies before the pointer, just after ours was set."""

        def __init__(self, store: Store) -> None:
            super().__init__(store)
            self.overtakers = ["1.2.0", "1.1.0"]

        def after(self, call: str, key: str) -> None:
            if call == "point" and self.overtakers:
                with pytest.MonkeyPatch.context() as dying:
                    dying.setattr(move, "converge", lambda *_: None)
                    three.promote(self.overtakers.pop())

    promote(Registry(Overtaken(three.store), "ada"), CHURN, Version(1, 0, 0), FREE, POLICY, reason="")
    assert require_head(three.registry, CHURN, FREE).record.generation == 3
    found = pointer(three)
    assert found is not None
    assert (found.target, found.generation in {None, 3}) == ("1.2.0", True)


def test_a_pointer_tells_the_generation_where_it_can(three: Bench) -> None:
    set_to: list[Pointer] = []

    class Watched(Wrapper):
        def point(self, key: str, pointer: Pointer) -> None:
            set_to.append(pointer)
            super().point(key, pointer)

    registry = Registry(Watched(three.store), "ada")
    for version in (Version(1, 0, 0), Version(1, 1, 0)):
        promote(registry, CHURN, version, FREE, POLICY, reason="")
    assert set_to == [Pointer("1.0.0", 1), Pointer("1.1.0", 2)]


def test_whoever_lost_a_race_is_told_what_to_do(three: Bench) -> None:
    three.promote("1.0.0")
    action = require_head(three.registry, CHURN, FREE).record.action
    overtaken = move.draft_in_place(three.registry, None, CHURN, FREE, action=action, reason="")
    assert overtaken.yanked is False
    with pytest.raises(Conflict, match="somebody else moved free of demo/churn meanwhile; nothing was changed") as told:
        move.append_record(three.registry, overtaken)
    assert told.value.hint == "look at artreg history, and run the command again if it is still wanted"


def test_a_move_whose_pointer_could_not_be_set_holds(three: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Store, _key: str, _pointer: Pointer) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(type(three.store), "point", full)
    with pytest.raises(StorageError) as told:
        three.promote("1.0.0")
    assert told.value.message == (
        "free of demo/churn is moved to 1.0.0 (generation 1), but its pointer could not be set: the disk is full"
    )
    assert told.value.hint == "artreg itself goes by the history, so the move holds; artreg gc sets the pointer"
    assert told.value.details["generation"] == 1


def test_how_a_pointer_differs_is_said(three: Bench) -> None:
    three.promote("1.0.0")
    record = require_head(three.registry, CHURN, FREE).record

    class Saying(Wrapper):
        says: Pointer | None = None

        def pointer(self, key: str) -> Pointer | None:
            return self.says

    store = Saying(three.store)
    registry = Registry(store, "ada")
    for says, problem in [
        (Pointer("1.0.0", 1), ""),
        (Pointer("1.0.0", None), ""),
        (Pointer("1.0.0", 2), "the pointer says 1.0.0, the history says 1.0.0"),
        (Pointer("0.9.0", None), "the pointer says 0.9.0, the history says 1.0.0"),
        (pointers.NONSENSE, "the pointer says nothing that makes sense, the history says 1.0.0"),
        (None, "the pointer is missing; the history says 1.0.0"),
    ]:
        store.says = says
        assert move.pointer_problem(registry, record) == problem


def test_a_pointer_to_what_was_fenced_off_is_said(bench: Bench) -> None:
    fenced(bench)
    head = find_head(bench.registry, CHURN, FREE)
    assert head is not None
    record = head.record
    assert record.version is None
    assert move.pointer_problem(bench.registry, record) == ""
    bench.store.point(keys.pointer_key(CHURN, FREE), Pointer("1.0.0", 1))
    assert move.pointer_problem(bench.registry, record) == "the pointer says 1.0.0, the history says nothing"


def test_policies_that_are_damaged_are_named(bench: Bench) -> None:
    assert check_policies(bench.registry) == (InForce(), ())
    policy = parse_policy({"aliases": {"free": {}}})
    push_policy(bench.registry, policy, reason="")
    assert [it.digest for it in check_policies(bench.registry)[0].policies] == [policy.digest]
    overwrite(bench.store, keys.policy_key(1), b"scribble")
    in_force, (found,) = check_policies(bench.registry)
    assert in_force == InForce()
    assert (found.ref, found.files, found.bytes) == (POLICIES, 0, 0) == ("the policies", 0, 0)
    (problem,) = found.problems
    assert isinstance(problem, Problem)
    assert problem.file == ".artreg/policy"
    assert "is not valid JSON" in problem.problem
