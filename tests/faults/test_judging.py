"""However yanks, approvals and moves interleave: nothing that was forbidden becomes an alias, and nobody waits."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artreg.core.names import Reference
from artreg.core.record import Action
from artreg.errors import Conflict, GateRejected, NotFound
from artreg.registry.approvals import approve, revoke
from artreg.registry.freeze import freeze, unfreeze
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, records
from artreg.registry.promote import promote
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.registry.version_log import read_log
from artreg.registry.yank import unyank, yank
from artreg.store.memory import MemoryStore
from faults.build import MODEL, assert_sound, collect_everything
from faults.interleaving import Actor, Clock, play
from faults.judging import (
    FREE,
    JUDGED,
    PROD,
    V1,
    V2,
    Call,
    assert_freezes_hold,
    assert_nothing_forbidden,
    make_versions,
)
from sizes import size
from store.faults import Counting, Crash, CrashAt, Wrapper

CHRISTMAS = datetime(2100, 12, 24, tzinfo=UTC)
REFUSED = (Conflict, GateRejected, NotFound)
# One version is fought about, and what decides the fight is more frequent than what does not.
versions = st.sampled_from([V1, V1, V1, V2])
aliases = st.sampled_from([PROD, PROD, FREE])
moves = st.tuples(st.just("promote"), versions, aliases) | st.tuples(st.just("roll back"), aliases)
judgements = st.tuples(st.sampled_from(["yank", "yank", "revoke", "unyank", "approve"]), versions)
freezes = st.tuples(st.sampled_from(["freeze", "unfreeze"]), aliases)
operations = st.one_of(moves, moves, judgements, judgements, freezes)
programs = st.tuples(
    *(st.tuples(first, st.lists(operations, max_size=2)) for first in (moves, judgements, moves, operations))
)
schedules = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 25)), min_size=4, max_size=16)
deaths = st.none() | st.tuples(st.integers(0, 3), st.integers(0, 40))


class Story:
    """What some actors do to one registry, and when."""

    def __init__(self, folder) -> None:
        self.store = MemoryStore(uuid.uuid4().hex)
        self.store.make_root()
        self.clock = Clock()
        self.yanks: list[Call] = []
        self.revokes: list[Call] = []
        make_versions(Registry(self.store, "publisher"), folder)

    def do(self, registry: Registry, what: str, *about) -> None:
        began = self.clock.tick()
        if what == "promote":
            promote(registry, MODEL, *about, JUDGED)
        elif what == "roll back":
            rollback(registry, MODEL, *about, JUDGED)
        elif what == "freeze":
            freeze(registry, MODEL, *about, CHRISTMAS, "Christmas")
        elif what == "unfreeze":
            unfreeze(registry, MODEL, *about, "over")
        elif what == "yank":
            yank(registry, MODEL, *about, "bad")
            self.yanks.append(Call(began, self.clock.tick(), *about, registry.actor))
        elif what == "unyank":
            unyank(registry, MODEL, *about, "good")
        elif what == "approve":
            approve(registry, MODEL, *about, PROD)
        else:
            revoke(registry, MODEL, *about, PROD)
            self.revokes.append(Call(began, self.clock.tick(), *about, registry.actor))

    def program(self, who: str, steps):
        def run(store) -> None:
            for what, *about in steps:
                try:
                    self.do(Registry(store, who), what, *about)
                except REFUSED:
                    continue

        return run

    def assert_right(self) -> int:
        registry = Registry(self.store)
        collect_everything(self.store)
        assert_sound(registry)
        assert_freezes_hold(registry)
        return assert_nothing_forbidden(registry, self.clock.created, self.yanks, self.revokes)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("sources") / "of"


@settings(
    max_examples=size(40, 1000, 1000),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(programs, schedules, deaths)
def test_nothing_forbidden_becomes_an_alias(sources, told, schedule, killed) -> None:
    story = Story(sources())
    # Ann may take back what she approved; the others' approvals come on top.
    everybody = [
        story.program(who, [one, *rest]) for who, (one, rest) in zip(("ben", "ann", "cid", "dot"), told, strict=True)
    ]
    first = [("approve", V1), ("approve", V2), ("promote", V2, PROD)]
    play([Actor(story.store, story.clock, story.program("ann", first))], [])
    play([Actor(story.store, story.clock, program) for program in everybody], schedule, killed)
    story.assert_right()


class Meanwhile(Wrapper):
    """Does something else just before a chosen call."""

    def __init__(self, store, point: int, other) -> None:
        super().__init__(store)
        self._left, self._other = point, other

    def before(self, call: str, key: str) -> None:
        if self._left == 0:
            self._other()
        self._left -= 1


def calls_of(sources, prepare, act) -> int:
    story = Story(sources())
    prepare(story)
    counting = Counting(story.store)
    act(Registry(counting, "ann"))
    return len(counting.calls)


def two_approved(story: Story) -> None:
    registry = Registry(story.store, "ann")
    for version in (V1, V2):
        approve(registry, MODEL, version, PROD)


def held_before(story: Story) -> None:
    two_approved(story)
    for version in (V1, V2):
        promote(Registry(story.store, "ann"), MODEL, version, PROD, JUDGED)


FIRST = (two_approved, lambda registry: promote(registry, MODEL, V1, PROD, JUDGED))
NEXT = (held_before, lambda registry: promote(registry, MODEL, V1, PROD, JUDGED))
BACK = (held_before, lambda registry: rollback(registry, MODEL, PROD, JUDGED, to=V1))


@pytest.mark.parametrize(
    ("prepare", "act", "forbid"),
    [(*FIRST, "yank"), (*NEXT, "yank"), (*BACK, "yank"), (*FIRST, "revoke"), (*NEXT, "revoke")],
    ids=["first, yank", "next, yank", "rollback, yank", "first, revoke", "next, revoke"],
)
def test_a_slow_mover_is_stopped_at_every_point(sources, prepare, act, forbid) -> None:
    """Whatever call it was about to make, what came in between is not overtaken."""
    outcomes = set()
    for point in range(calls_of(sources, prepare, act)):
        story = Story(sources())
        prepare(story)
        before = find_head(Registry(story.store), MODEL, PROD)
        other = Registry(story.store, "ann")
        took = yank if forbid == "yank" else (lambda r, m, v, _: revoke(r, m, v, PROD))
        heads: list[object] = []

        def interrupt(story=story, took=took, other=other, heads=heads) -> None:
            took(other, MODEL, V1, "bad")
            heads.append(find_head(Registry(story.store), MODEL, PROD))

        try:
            act(Registry(Meanwhile(story.store, point, interrupt), "ann"))
            outcomes.add("moved")
        except REFUSED as error:
            outcomes.add(type(error).__name__)
        [then] = heads
        now = find_head(Registry(story.store), MODEL, PROD)
        assert now == then, f"the alias moved after the {forbid} at call {point}"
        if then != before and then.record.action is Action.FENCE:
            assert (then.record.version, then.record.digest) == (
                (before.record.version, before.record.digest) if before else (None, None)
            )
        assert_sound(Registry(story.store), stale_pointers=True)
    assert {"moved", "Conflict"} <= outcomes


@pytest.mark.parametrize("prepare", [two_approved, held_before], ids=["first", "next"])
def test_a_dead_mover_blocks_nobody(sources, prepare) -> None:
    """Killed at any call, before or after it took effect, it keeps neither yanks nor other moves from coming."""
    act = partial(promote, model=MODEL, version=V1, alias=PROD, policy=JUDGED)
    fenced = 0
    for point in range(2 * calls_of(sources, prepare, act)):
        story = Story(sources())
        prepare(story)
        try:
            act(Registry(CrashAt(story.store, point), "ann"))
        except Crash:
            pass
        else:
            break
        registry = Registry(story.store, "ann")
        result = yank(registry, MODEL, V1, "bad")
        assert result.changed
        fenced += len(result.fenced)
        assert not yank(registry, MODEL, V1, "bad").fenced
        with pytest.raises(GateRejected, match="was yanked by ann"):
            act(registry) if result.held_by == () else promote(registry, MODEL, V1, FREE, JUDGED)
        assert promote(registry, MODEL, V2, FREE, JUDGED).changed
        head = find_head(registry, MODEL, PROD)
        if head is None or head.record.version != V2:
            assert promote(registry, MODEL, V2, PROD, JUDGED).changed
        collect_everything(story.store)
        assert_sound(registry)
    assert fenced >= 2  # after the intent, and before the record


def test_a_dead_yank_is_finished_by_the_next(sources) -> None:
    """It was never acknowledged, and whoever yanks again stops what it did not."""
    for point in range(200):
        story = Story(sources())
        two_approved(story)
        registry = Registry(story.store, "ann")
        with pytest.raises(Crash):  # an intent without its record
            promote(Registry(DieAt(story.store, "demo/churn/history/prod/"), "ann"), MODEL, V1, PROD, JUDGED)
        try:
            yank(Registry(CrashAt(story.store, point), "ann"), MODEL, V1, "bad")
        except Crash:
            yank(registry, MODEL, V1, "bad")
            head = find_head(registry, MODEL, PROD)
            assert head is not None
            assert (head.record.action, head.record.generation, head.record.version) == (Action.FENCE, 1, None)
            assert_sound(registry)
        else:
            return
    pytest.fail("it never came to its end")


class DieAt(Wrapper):
    """Dies before it creates anything under a prefix."""

    def __init__(self, store, prefix: str) -> None:
        super().__init__(store)
        self._prefix = prefix

    def before(self, call: str, key: str) -> None:
        if call == "create" and key.startswith(self._prefix):
            raise Crash(key)


def test_an_alias_that_only_has_a_fence_points_nowhere(sources) -> None:
    story = Story(sources())
    two_approved(story)
    registry = Registry(story.store, "ann")
    with pytest.raises(Crash):
        promote(Registry(DieAt(story.store, "demo/churn/history/prod/"), "ann"), MODEL, V1, PROD, JUDGED)
    assert [str(alias) for alias in yank(registry, MODEL, V1, "bad").fenced] == ["prod"]
    assert story.store.pointer("demo/churn/prod") is None
    for act in (
        lambda: resolve(registry, Reference(MODEL, PROD)),
        lambda: rollback(registry, MODEL, PROD, JUDGED),
        lambda: verify(registry, Reference(MODEL, PROD)),
    ):
        with pytest.raises(NotFound, match="prod of demo/churn points nowhere"):
            act()
    assert_sound(registry)
    assert promote(registry, MODEL, V2, PROD, JUDGED).record.generation == 2
    assert str(resolve(registry, Reference(MODEL, PROD)).version) == "1.1.0"
    with pytest.raises(NotFound, match=r"held nothing before 1\.1\.0"):
        rollback(registry, MODEL, PROD, JUDGED)
    assert [head.record.action for head in records(registry, MODEL, PROD)] == [Action.PROMOTE, Action.FENCE]
    assert_sound(registry)


def test_what_only_allows_more_stops_nobody(sources) -> None:
    """Approvals, proofs and other moves of the same version may come while one is on its way."""
    act = FIRST[1]
    for point in range(calls_of(sources, two_approved, act)):
        story = Story(sources())
        two_approved(story)
        others = Registry(story.store, "ben")

        def interrupt(others=others) -> None:
            approve(others, MODEL, V1, PROD)
            promote(others, MODEL, V1, FREE, JUDGED)

        assert act(Registry(Meanwhile(story.store, point, interrupt), "ann")).changed
        assert_sound(Registry(story.store))


def test_a_yank_that_was_taken_back_meanwhile_still_stops_who_saw_neither(sources) -> None:
    story = Story(sources())
    two_approved(story)
    other = Registry(story.store, "ben")

    def interrupt() -> None:
        yank(other, MODEL, V1, "bad")
        unyank(other, MODEL, V1, "good")

    _assert_stopped(story, interrupt, "yanked by ben")
    assert FIRST[1](Registry(story.store, "ann")).changed


def test_an_approval_taken_back_meanwhile_is_called_that(sources) -> None:
    story = Story(sources())
    two_approved(story)
    ann = Registry(story.store, "ann")
    _assert_stopped(story, lambda: revoke(ann, MODEL, V1, PROD), "no longer approved for prod by ann")


def _assert_stopped(story: Story, interrupt, what: str) -> None:
    """Whoever judged before `interrupt` gets a conflict that says what has happened since."""
    other = Registry(story.store, "ben")

    class BeforeTheIntent(Wrapper):
        def before(self, call: str, key: str) -> None:
            if call == "create" and "/history/1.0.0/" in key and read_log(other, MODEL, V1).number == 1:
                interrupt()

    told = f"^demo/churn@1.0.0 was {what} meanwhile; nothing was changed$"
    with pytest.raises(Conflict, match=told) as caught:
        FIRST[1](Registry(BeforeTheIntent(story.store), "ann"))
    assert caught.value.hint == "run the command again if it is still wanted: it will be judged anew"
