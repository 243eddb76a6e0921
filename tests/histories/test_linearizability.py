"""The checker of histories: it accepts what could have been one after the other, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories.linearizability import Operation, linearize
from histories.specification import READS, Alias, Event, History, of_alias
from sizes import size

lasting = settings(max_examples=size(60, 200, 1000), deadline=None, database=None, derandomize=True)


def register(state: int, what: tuple):
    """A cell that can be read, written, and swapped on a condition."""
    match what:
        case "write", value:
            yield value
        case "read", value if value == state:
            yield state
        case "swap", old, new, done if done == (old == state):
            yield new if done else state


def at(start: int, end: int | None, *what: object) -> Operation:
    return Operation(start, end, what, what[0] == "read")


@pytest.mark.parametrize(
    ("history", "ok"),
    [
        ([], True),
        ([at(0, 1, "write", 1), at(2, 3, "read", 1)], True),
        ([at(0, 1, "write", 1), at(2, 3, "read", 0)], False),  # stale
        ([at(0, 4, "write", 1), at(1, 2, "read", 1), at(3, 5, "read", 1)], True),
        ([at(0, 6, "write", 1), at(1, 2, "read", 1), at(3, 4, "read", 0)], False),  # seen, then gone again
        ([at(0, None, "write", 1), at(1, 2, "read", 0), at(3, 4, "read", 1)], True),  # it came late
        ([at(0, None, "write", 1), at(1, 2, "read", 1), at(3, 4, "read", 0)], False),
        ([at(0, None, "write", 1), at(1, 2, "read", 0)], True),  # it never came
        ([at(0, 9, "swap", 0, 1, True), at(1, 8, "swap", 0, 2, True)], False),  # two winners
        ([at(0, 9, "swap", 0, 1, True), at(1, 8, "swap", 0, 2, False)], True),
        ([at(2, 3, "write", 1), at(0, 1, "read", 1)], False),  # from the future
        ([at(0, 9, "write", 1), at(0, 9, "write", 0), at(1, 2, "read", 1), at(3, 4, "read", 0)], True),
    ],
)
def test_histories_of_a_register(history: list[Operation], ok: bool) -> None:
    found = linearize(history, 0, register)
    assert found.ok == ok
    assert bool(found.stuck) != ok


values = st.integers(0, 2)
whats = st.one_of(
    st.tuples(st.just("write"), values),
    st.tuples(st.just("read"), values),
    st.tuples(st.just("swap"), values, values, st.booleans()),
)
calls = st.tuples(st.integers(0, 12), st.none() | st.integers(0, 6), whats).map(
    lambda it: at(it[0], None if it[1] is None else it[0] + it[1], *it[2])
)


@lasting
@given(st.lists(calls, max_size=5))
def test_the_search_finds_what_trying_every_order_finds(history: list[Operation]) -> None:
    assert linearize(history, 0, register).ok == _by_trying(history)


def _by_trying(history: list[Operation]) -> bool:
    open_ended = [operation for operation in history if operation.end is None]
    ended = [operation for operation in history if operation.end is not None]
    return any(
        _explains(order)
        for count in range(len(open_ended) + 1)
        for some in itertools.combinations(open_ended, count)
        for order in itertools.permutations([*ended, *some])
    )


def _explains(order: tuple[Operation, ...]) -> bool:
    for index, operation in enumerate(order):
        if any(later.end is not None and later.end < operation.start for later in order[index + 1 :]):
            return False
    states = {0}
    for operation in order:
        states = {new for state in states for new in register(state, operation.what)}
    return bool(states)


VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
chances = st.lists(st.integers(0, 10**6), min_size=6, max_size=25)


def told_by(chances: list[int]) -> list[tuple]:
    """What an alias tells when commands come one after the other; at the end stands its whole history."""
    told, state = [("promote", "1.0.0", "tag", 1)], Alias((("1.0.0", "tag"),), ("1.0.0",), 1)
    for index, chance in enumerate(chances):
        version, number = VERSIONS[chance % 3], state.newest + 1 + chance // 3 % 2  # a fence may lie between
        possible = [
            ("promote", version, f"{index}", number),
            ("back", version, f"{index}", number, frozenset()),
            ("at", state.stack[-1], state.newest),
            ("at", state.stack[-1], None),
            ("history", state.moves, state.newest),
            ("forbid", version),
            ("allow", version),
        ]
        what = possible[chance // 7 % len(possible)]
        for new in itertools.islice(of_alias(state, what), 1):
            told.append(what)
            state = new
    return [*told, ("history", state.moves, state.newest)]


def one_by_one(told: list[tuple], blur: list[int] = [0]) -> list[Operation]:  # noqa: B006
    """Operations that took effect in order; each takes longer than it had to by so much."""
    extra = itertools.cycle(blur)
    return [
        Operation(10 * index - next(extra), 10 * index + 1 + next(extra), what, what[0] in READS)
        for index, what in enumerate(told)
    ]


@lasting
@given(chances, st.lists(st.integers(0, 40), min_size=1, max_size=7))
def test_whatever_came_from_the_specification_is_accepted(chances: list[int], blur: list[int]) -> None:
    assert linearize(one_by_one(told_by(chances), blur), Alias(), of_alias).ok


@lasting
@given(chances, st.integers(0, 10**6))
def test_a_lost_move_is_seen(chances: list[int], which: int) -> None:
    told = told_by(chances)
    moves = list(told[-1][1])
    del moves[which % len(moves)]
    assert not linearize(one_by_one([*told[:-1], ("history", tuple(moves), told[-1][2])]), Alias(), of_alias).ok


@lasting
@given(chances, st.integers(0, 10**6))
def test_a_move_that_nobody_made_is_seen(chances: list[int], which: int) -> None:
    told = told_by(chances)
    made = [index for index, what in enumerate(told) if what[0] in {"promote", "back"}]
    told.pop(made[which % len(made)])
    assert not linearize(one_by_one(told), Alias(), of_alias).ok


@lasting
@given(chances)
def test_a_stale_read_is_seen(chances: list[int]) -> None:
    told = told_by(chances)
    [*_, before, newest] = [Alias().newest, *(what[3] for what in told if what[0] in {"promote", "back"})]
    if before:
        stale = ("at", next(what[1] for what in told if what[0] in {"promote", "back"} and what[3] == before), before)
        assert not linearize(one_by_one([*told, stale]), Alias(), of_alias).ok
    assert newest > before


@lasting
@given(chances)
def test_two_answers_that_changed_places_are_seen(chances: list[int]) -> None:
    told = told_by(chances)
    moves = [index for index, what in enumerate(told) if what[0] in {"promote", "back"}]
    if len(moves) > 1:
        one, other = moves[-2:]
        told[one], told[other] = ((*told[a][:3], told[b][3], *told[a][4:]) for a, b in ((one, other), (other, one)))
        assert not linearize(one_by_one(told), Alias(), of_alias).ok


def events(*calls: tuple) -> list[Event]:
    """Calls one after the other; one whose answer is None overlaps all that come after it."""
    return [
        Event(0, 10 * index, None if told is None else 10 * index + 5, call, told)
        for index, (call, told) in enumerate(calls)
    ]


PUBLISHED = (("publish", "1.0.0", "one"), ("created",))
PROMOTED = (("promote", "prod", "1.0.0", "t"), ("moved", 1))
YANKED = (("yank", "1.0.0"), ("said", True))


@pytest.mark.parametrize(
    ("calls", "wrong"),
    [
        ([PUBLISHED, PROMOTED, (("resolve", "prod"), ("at", "1.0.0", 1, False))], ""),
        ([PUBLISHED, PUBLISHED], "version 1.0.0"),  # two winners
        ([PUBLISHED, (("publish", "1.0.0", "two"), ("there",))], "version 1.0.0"),
        ([PUBLISHED, (("publish", "1.0.0", "two"), ("taken",))], ""),
        ([PUBLISHED, (("pull", "1.0.0"), ("pulled", "1.0.0", "two"))], "version 1.0.0"),  # bytes of another
        ([PUBLISHED, (("resolve", "1.0.0"), ("missing",))], "version 1.0.0"),
        ([(("publish", "1.0.0", "one"), None), (("pull", "1.0.0"), ("pulled", "1.0.0", "one"))], ""),
        ([(("publish", "1.0.0", "one"), None), (("pull", "1.0.0"), ("pulled", "1.0.0", "two"))], "version 1.0.0"),
        ([(("publish", "1.0.0", "one"), None), (("gc",), ("collected", ("1.0.0",))), PUBLISHED], "version 1.0.0"),
        ([(("publish", "1.0.0", "one"), None), (("gc",), ("collected", ("1.0.0",))),
          (("publish", "1.0.0", "one"), ("spent",))], ""),
        ([PUBLISHED, (("gc",), ("collected", ("1.0.0",)))], "version 1.0.0"),  # takes what is there
        ([PUBLISHED, YANKED, PROMOTED], "alias prod"),  # after the yank was acknowledged
        ([PUBLISHED, (("yank", "1.0.0"), None), PROMOTED], ""),
        ([PUBLISHED, YANKED, (("unyank", "1.0.0"), ("said", True)), PROMOTED], ""),
        ([PUBLISHED, YANKED, (("promote", "prod", "1.0.0", "t"), ("refused",))], ""),
        ([PUBLISHED, (("promote", "prod", "1.0.0", "t"), ("refused",))], "version 1.0.0"),
        ([PUBLISHED, PROMOTED, YANKED, (("resolve", "prod"), ("at", "1.0.0", 2, False))], "version 1.0.0"),
        ([PUBLISHED, PROMOTED, YANKED, (("resolve", "prod"), ("at", "1.0.0", 2, True))], ""),
        ([PUBLISHED, YANKED, (("list",), ("listing", {"1.0.0": False}, {}))], "version 1.0.0"),
        ([PUBLISHED, (("list",), ("listing", {}, {}))], "version 1.0.0"),
        ([PUBLISHED, YANKED, (("latest",), ("at", "1.0.0"))], "version 1.0.0"),
        ([PUBLISHED, (("latest",), ("missing", None))], "version 1.0.0"),
        ([PUBLISHED, (("promote", "prod", "1.0.0", "t"), None), PROMOTED], ""),  # run again
        ([PUBLISHED, PROMOTED, (("history", "prod"), ("records", (), 1))], "alias prod"),
        ([PUBLISHED, PROMOTED, (("rollback", "prod", "u"), ("missing",))], ""),
        ([PUBLISHED, (("promote", "prod", "1.0.0", "t"), ("conflict",))], "has no cause"),
        ([PUBLISHED, (("verify",), ("wrong", ["damage"]))], "is no answer"),
    ],
)  # fmt: skip
def test_what_a_registry_may_tell(calls: list[tuple], wrong: str) -> None:
    violations = History(events(*calls), ("1.0.0",), ("prod",)).violations()
    assert bool(violations) == bool(wrong)
    assert wrong in "".join(violations)


def test_a_rollback_passes_over_what_was_yanked_when_it_looked() -> None:
    published = [(("publish", version, "one"), ("created",)) for version in VERSIONS]
    promoted = [(("promote", "prod", it, it), ("moved", n)) for n, it in enumerate(VERSIONS, 1)]
    back = (("rollback", "prod", "back"), ("moved", "1.0.0", 4))
    yanked, unyanked = (("yank", "1.1.0"), ("said", True)), (("unyank", "1.1.0"), ("said", True))

    def ok(*calls: tuple) -> bool:
        return not History(events(*published, *promoted, *calls), VERSIONS, ("prod",)).violations()

    assert ok(yanked, back)
    assert not ok(back)
    assert not ok(yanked, unyanked, back)
