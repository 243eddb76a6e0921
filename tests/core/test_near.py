"""What is suggested to somebody who misspelt a word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core.near import did_you_mean, near

COMMANDS = ["train", "publish", "promote", "rollback", "resolve", "yank", "unyank", "verify", "list", "data list"]


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("promot", COMMANDS, ["promote"]),
        ("pormote", COMMANDS, ["promote"]),
        ("Promote", COMMANDS, ["promote"]),
        ("ls", COMMANDS, ["list"]),
        ("lst", COMMANDS, ["list"]),
        ("yan", COMMANDS, ["yank", "unyank"]),
        ("ynak", COMMANDS, ["yank"]),
        ("prd", ["staging", "prod"], ["prod"]),
        ("stag", ["staging", "prod"], ["staging"]),
        ("production", ["staging", "prod"], ["prod"]),
        ("chrun", ["churn", "upsell"], ["churn"]),
        ("signing-key", ["signing_key", "seen"], ["signing_key"]),
        ("x", ["y", "z"], []),
        ("churn", ["churn"], []),
        ("", ["churn"], []),
        ("c" * 10_000, ["c" * 10_000 + "d", "c"], []),
        ("chur", ["chur\x1b", "chur\u202e", "churn"], ["churn"]),
    ],
)
def test_near_words_are_found(word: str, known: list[str], found: list[str]) -> None:
    assert near(word, known) == found


def test_the_likest_comes_first_and_there_are_few() -> None:
    assert near("1.2.2", ["9.9.9", *(f"1.{minor}.{patch}" for minor in range(4) for patch in range(4))])[0] == "1.2.0"
    assert len(near("1.2.2", [f"1.2.{patch}" for patch in range(100)])) == 3


def test_of_a_million_words_only_some_are_looked_at() -> None:
    def million():
        for number in range(1_000_000):
            assert number <= 10_000
            yield f"1.0.{number}"

    assert near("1.0.x", million())


@settings(derandomize=True, deadline=None, database=None)
@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=20))
def test_only_what_is_known_and_prints_is_suggested(word: str, known: list[str]) -> None:
    found = near(word, known)
    assert set(found) <= set(known) - {word}
    assert len(set(found)) == len(found) <= 3
    assert all(one.isprintable() for one in found)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        (["a"], "did you mean a?"),
        (["a", "b"], "did you mean a or b?"),
        (list("abc"), "did you mean a, b or c?"),
    ],
)
def test_the_question(found: list[str], said: str) -> None:
    assert did_you_mean(found) == said
