"""Predictions as a file: the same bytes every time, and nothing else is read."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core import predictions
from artreg.core.predictions import Predictions, decode, encode
from artreg.errors import IntegrityError

rows = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8")), st.integers(0, 1), st.floats(0, 1)),
    unique_by=lambda row: row[0],
    max_size=20,
)


@given(rows)
def test_what_is_written_is_read(found: list[tuple[str, int, float]]) -> None:
    columns = [tuple(row[place] for row in found) for place in range(3)]
    data = encode(*columns)
    assert decode(data) == Predictions(*(tuple(row[place] for row in sorted(found)) for place in range(3)))
    assert encode(*(column[::-1] for column in columns)) == data


def test_it_is_plain_gzip_without_name_and_time() -> None:
    data = encode(["b", "a"], [1, 0], [0.1, 1e-05])
    assert gzip.decompress(data) == b"id,label,score\na,0,1e-05\nb,1,0.1\n"
    assert data[:10] == bytes.fromhex("1f8b08000000000000ff")


def packed(text: str | bytes) -> bytes:
    return gzip.compress(text if isinstance(text, bytes) else text.encode())


GOOD = "id,label,score\na,0,0.5\n"
BAD = {
    "no gzip": b"id,label,score\n",
    "nothing": b"",
    "cut off": packed(GOOD)[:-4],
    "something follows": packed(GOOD) + b"x",
    "two members": packed(GOOD) * 2,
    "damaged": packed(GOOD)[:-8] + bytes(8),
    "no text": packed(b"id,label,score\n\xff,0,0.5\n"),
    "empty": packed(""),
    "another header": packed("id,score,label\na,0.5,0\n"),
    "too few cells": packed(GOOD + "b,1\n"),
    "too many cells": packed(GOOD + "b,1,0.5,0.5\n"),
    "an empty line": packed(GOOD + "\n"),
    "an id twice": packed(GOOD + "a,1,0.5\n"),
    "another label": packed(GOOD + "b,2,0.5\n"),
    "a label with a space": packed(GOOD + "b, 1,0.5\n"),
    "no score": packed(GOOD + "b,1,\n"),
    "nan": packed(GOOD + "b,1,nan\n"),
    "inf": packed(GOOD + "b,1,inf\n"),
    "above one": packed(GOOD + "b,1,1.5\n"),
    "below zero": packed(GOOD + "b,1,-0.5\n"),
    "overflow": packed(GOOD + "b,1,1e999\n"),
    "an underscore": packed(GOOD + "b,1,0.1_5\n"),
    "an open quote": packed(GOOD + '"b,1,0.5\n'),
    "a huge cell": packed(GOOD + "b" * 200_000 + ",1,0.5\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_an_integrity_error(name: str) -> None:
    with pytest.raises(IntegrityError, match=r"^the file "):
        decode(BAD[name], "the file")


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "LARGEST", 1000)
    with pytest.raises(IntegrityError, match="unpacks to more than 1,000 bytes"):
        decode(packed(GOOD + "x" * 10_000_000))
    assert len(decode(packed("id,label,score\n" + "".join(f"{n},1,0.5\n" for n in range(90)))).ids) == 90
