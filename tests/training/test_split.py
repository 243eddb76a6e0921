from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from artreg.training import split
from artreg.training.split import bucket, is_test

ids = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), unique=True, max_size=40)
salts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
GOLDEN = [n in {11, 5} for n in range(1, 13)]
fractions = st.floats(0, 1, exclude_min=True, exclude_max=True)


def sides(rows: list[str], salt: str, fraction: float) -> dict[str, bool]:
    return dict(zip(rows, split.test_mask(rows, salt, fraction), strict=True))


def test_the_formula_stays() -> None:
    assert bucket("churn-v1", "C0000001") == zlib.crc32(b"churn-v1:C0000001")
    assert bucket("", "é") == zlib.crc32(":é".encode())
    assert [is_test("churn-v1", f"C{n:07d}", 0.2) for n in range(1, 13)] == GOLDEN


@given(ids, salts, fractions)
def test_all_rows_at_once_are_as_one_by_one(rows: list[str], salt: str, fraction: float) -> None:
    mask = split.test_mask(iter(rows), salt, fraction)
    assert mask.tolist() == [is_test(salt, row, fraction) for row in rows]


@given(ids, salts, fractions, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[str], salt: str, fraction: float, chance: object) -> None:
    shuffled = sorted(rows, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert sides(rows, salt, fraction) == sides(shuffled, salt, fraction)


@given(ids, ids, salts, fractions)
def test_rows_that_are_added_move_no_other(rows: list[str], more: list[str], salt: str, fraction: float) -> None:
    before = sides(rows, salt, fraction)
    after = sides([*more, *rows], salt, fraction)
    assert {row: after[row] for row in rows} == before


@given(ids, salts, fractions, fractions)
def test_a_larger_fraction_only_adds_test_rows(rows: list[str], salt: str, one: float, two: float) -> None:
    small, large = sorted([one, two])
    assert all(sides(rows, salt, large)[row] for row, test in sides(rows, salt, small).items() if test)


@given(salts, st.floats(0.1, 0.9))
def test_the_share_is_about_right(salt: str, fraction: float) -> None:
    rows = [f"C{number:07d}" for number in range(1500)]
    assert abs(sum(sides(rows, salt, fraction).values()) / len(rows) - fraction) < 0.06


def test_the_salt_matters() -> None:
    rows = [f"C{number:07d}" for number in range(1500)]
    found = [sides(rows, f"v{number}", 0.2) for number in range(5)]
    assert all(one != two for place, one in enumerate(found) for two in found[:place])
