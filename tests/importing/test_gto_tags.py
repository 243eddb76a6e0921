"""What GTO's tags say, and what follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.importing.gto_tags import (
    Action,
    Event,
    Tag,
    in_order,
    is_deprecated,
    parse_tag,
    registered,
    stages,
    withdrawn,
)

quick = settings(derandomize=True, deadline=None, database=None, max_examples=100)


def event(name: str, commit: str = "a", seconds: int = 0) -> Event:
    tag = parse_tag(name)
    assert tag is not None
    return Event(tag, commit, seconds, 0, "Ada <ada@example.org>", "")


def told(*events: Event) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the commit of each version that is registered, and which versions each stage stands for."""
    ordered = in_order(events)
    found = {version: tags[-1].commit for version, tags in registered(ordered).items()}
    return found, {it.assigned.tag.stage: it.versions for it in stages(ordered)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("churn@v1.2.1", ("churn", Action.REGISTER, "v1.2.1", "", 0)),
        ("churn@v1.2.1#7", ("churn", Action.REGISTER, "v1.2.1", "", 7)),
        ("churn@v1.2.1!", ("churn", Action.DEREGISTER, "v1.2.1", "", 0)),
        ("churn@v1.2.1!#4", ("churn", Action.DEREGISTER, "v1.2.1", "", 4)),
        ("churn@v1.0.0-rc.1+b7", ("churn", Action.REGISTER, "v1.0.0-rc.1+b7", "", 0)),
        ("churn#prod", ("churn", Action.ASSIGN, "", "prod", 0)),
        ("churn#prod#3", ("churn", Action.ASSIGN, "", "prod", 3)),
        ("churn#prod!#4", ("churn", Action.UNASSIGN, "", "prod", 4)),
        ("churn@deprecated", ("churn", Action.DEPRECATE, "", "", 0)),
        ("churn@deprecated#5", ("churn", Action.DEPRECATE, "", "", 5)),
        ("models/eu=churn@v1.0.0", ("models/eu:churn", Action.REGISTER, "v1.0.0", "", 0)),
        ("a/b_c-D@v0.0.1", ("a/b_c-D", Action.REGISTER, "v0.0.1", "", 0)),
    ],
)
def test_each_kind_of_tag_is_read(name: str, expected: tuple[object, ...]) -> None:
    assert parse_tag(name) == Tag(name, *expected)


@pytest.mark.parametrize(
    "name",
    [
        *("v1.2.1", "churn", "churn@1.2.1", "churn@v1.2", "churn@v01.2.3", "churn@latest", "churn@deprecated!"),
        *("-churn@v1.0.0", "churn-@v1.0.0", "churn#", "churn#prod#", "churn#prod#x", "churn#3#prod", "a=b=c@v1.0.0"),
        *("churn@created", "churn@v1.2.1\n", "ch\udcffurn@v1.0.0", "churn@v\u0661.2.3", f"{'a' * 2000}@v1.0.0"),
    ],
)
def test_other_tags_are_none_of_gtos(name: str) -> None:
    assert parse_tag(name) is None


WORDS = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9/_-]{0,5}[a-zA-Z0-9])?", fullmatch=True)
FOLDERS = st.just("") | st.from_regex(r"[a-zA-Z0-9_./-]{1,8}", fullmatch=True).map(lambda folder: f"{folder}:")
VERSIONS = st.from_regex(r"v(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)\.0(-[a-z]{1,3}(\.[1-9])?)?", fullmatch=True)


@quick
@given(FOLDERS, WORDS, st.sampled_from(Action), VERSIONS | WORDS, st.integers(0, 10**9))
def test_a_name_made_of_parts_is_read_into_these_parts(
    folder: str, word: str, action: Action, said: str, counter: int
) -> None:
    version = said if parse_tag(f"m@{said}") else "v1.0.0"
    stage = said if parse_tag(f"m#{said}") else "prod"
    what = {Action.REGISTER: f"@{version}", Action.ASSIGN: f"#{stage}", Action.DEPRECATE: "@deprecated"}
    what |= {Action.DEREGISTER: f"@{version}!", Action.UNASSIGN: f"#{stage}!"}
    name = f"{folder.replace(':', '=')}{word}{what[action]}{f'#{counter}' if counter else ''}"
    registers = action in (Action.REGISTER, Action.DEREGISTER)
    expected = Tag(
        name, folder + word, action, version if registers else "", stage if action >= Action.ASSIGN else "", counter
    )
    assert parse_tag(name) == expected


@quick
@given(st.text(max_size=30))
def test_no_name_of_a_tag_is_too_odd(name: str) -> None:
    tag = parse_tag(name)
    assert tag is None or tag.name == name


def test_a_version_is_there_until_it_is_taken_back() -> None:
    first, second = event("m@v1.0.0", "a", 1), event("m@v2.0.0", "b", 2)
    assert told(first, second)[0] == {"v1.0.0": "a", "v2.0.0": "b"}
    back = event("m@v1.0.0!", "a", 3)
    assert told(first, second, back)[0] == {"v2.0.0": "b"}
    assert told(first, second, back, event("m@v1.0.0#9", "c", 4))[0] == {"v1.0.0": "c", "v2.0.0": "b"}


def test_what_was_taken_back_is_told_with_who_did_so_as_long_as_nobody_registers_it_anew() -> None:
    first, back = event("m@v1.0.0", "a", 1), event("m@v1.0.0!", "a", 2)
    found = withdrawn(in_order([back, first, event("m@v2.0.0", "b", 1)]))
    assert {version: (it.registered, it.back) for version, it in found.items()} == {"v1.0.0": (first, back)}
    assert withdrawn(in_order([first, back, event("m@v1.0.0#3", "a", 3)])) == {}
    assert withdrawn(in_order([first, back, event("m@v1.0.0#3", "c", 3)])) == {}
    elsewhere = event("m@v1.0.0#3", "c", 3), event("m@v1.0.0!#4", "c", 4)
    assert withdrawn(in_order([first, back, *elsewhere]))["v1.0.0"].registered == elsewhere[0]
    assert withdrawn([back]) == {}


def test_a_stage_that_is_taken_from_its_only_holder_stands_for_nothing() -> None:
    version, assigned = event("m@v1.0.0", "a", 1), event("m#prod#1", "a", 2)
    assert told(version, assigned, event("m#prod!#2", "a", 3))[1] == {}
    assert told(version, assigned, event("m@v1.0.0!", "a", 3))[1] == {}


def test_a_stage_belongs_to_whom_it_was_assigned_last_and_goes_back_when_it_is_taken() -> None:
    versions = event("m@v1.0.0", "a", 1), event("m@v2.0.0", "b", 1)
    assigned = event("m#prod#1", "a", 2), event("m#prod#2", "b", 3)
    assert told(*versions, *assigned)[1] == {"prod": ("v2.0.0",)}
    assert told(*versions, *assigned, event("m#prod!#3", "b", 4))[1] == {"prod": ("v1.0.0",)}
    assert told(*versions, *assigned, event("m@v2.0.0!", "b", 4))[1] == {"prod": ("v1.0.0",)}
    assert told(*versions, *assigned, event("m#prod!#3", "a", 4))[1] == {"prod": ("v2.0.0",)}


def test_a_stage_may_stand_for_no_version_or_for_several() -> None:
    assert told(event("m#prod#1", "a", 1))[1] == {"prod": ()}
    several = event("m@v1.0.0", "a", 1), event("m@v1.1.0", "a", 1), event("m#prod#1", "a", 2)
    assert told(*several)[1] == {"prod": ("v1.0.0", "v1.1.0")}


def test_a_model_is_deprecated_until_something_is_done_with_it() -> None:
    first, last = event("m@v1.0.0", "a", 1), event("m@deprecated", "a", 2)
    assert is_deprecated(in_order([last, first]))
    assert not is_deprecated(in_order([last, first, event("m@v1.1.0", "b", 3)]))


@quick
@given(
    st.permutations([event("m@v1.0.0"), event("m@v1.0.0!"), event("m#prod#1"), event("m#prod!#2"), event("m#prod#3")])
)
def test_the_order_of_the_tags_in_a_listing_does_not_count(events: list[Event]) -> None:
    assert [it.tag.name for it in in_order(events)] == [
        *("m@v1.0.0", "m@v1.0.0!", "m#prod#1", "m#prod!#2", "m#prod#3"),
    ]
