"""What is written as canonical JSON is what the standard library writes."""

from __future__ import annotations

import enum
import json
from collections import OrderedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from artreg.core.canonical import dumps, loads_canonical


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    NONE = 0


words = st.text() | st.sampled_from(["", "\x00\x1f\x7f", '"\\/', "é\u2028\ud800", "\U0001f600"])
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
unusual = st.sampled_from([Colour.RED, Level.NONE, OrderedDict(b=1, a=[]), OrderedDict(), {2: 1, 10: 2}, {None: 0}])
documents = st.recursive(
    plain | unusual,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(words, inner),
    max_leaves=12,
)


def by_the_library(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False).encode() + b"\n"


@given(documents)
@example(Level.NONE)
@example([Colour.RED, OrderedDict(b=1, a=[]), OrderedDict()])
@example({2: 1, 10: 2})
def test_it_is_what_the_library_writes(document: object) -> None:
    assert dumps(document) == by_the_library(document)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), plain.filter(lambda it: not isinstance(it, str))))
def test_it_is_read_again(document: dict[str, object]) -> None:
    assert loads_canonical(dumps(document), "it") == document


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_word_for_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": [number]})


@pytest.mark.parametrize("strange", [b"x", {1, 2}, {"a": object()}, {(1, 2): 3}, {1: 1, "a": 2}])
def test_what_is_no_json_is_refused(strange: object) -> None:
    with pytest.raises(TypeError):
        dumps(strange)
