"""Two tables compared by their profiles; and profiles that make no sense."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core.drift import Change, compare, parse_profile
from artreg.core.drift.distribution import categories_in, numbers_in
from artreg.core.drift.profile import distribution_document
from artreg.errors import IntegrityError
from sizes import size

ROWS = 40


def numeric(values: list[float], kind: str = "number") -> dict[str, Any]:
    document = {"type": kind, "count": len(values), "missing": ROWS - len(values)}
    return document | (distribution_document(numbers_in(values)) if values else {})


def text(values: str, kind: str = "text") -> dict[str, Any]:
    document = {"type": kind, "count": len(values), "missing": ROWS - len(values)}
    return document | distribution_document(categories_in(values))


def table(**columns: dict[str, Any]) -> dict[str, Any]:
    columns = {"key": {"type": "text", "count": ROWS, "missing": 0}, **columns}
    return {"record_count": ROWS, "id_column": "key", "target": {"column": "gone_away"}, "profile": columns}


BEFORE = table(
    age=numeric([float(n) for n in range(ROWS)]),
    plan=text("ab" * 20),
    gone_away=numeric([0.0, 1.0] * 20, "integer"),
)


def changed(**columns: dict[str, Any]) -> dict[str, Any]:
    return table(**{**{name: BEFORE["profile"][name] for name in ("age", "plan", "gone_away")}, **columns})


def run(after: dict[str, Any], before: dict[str, Any] = BEFORE, **settings: Any):
    return compare(parse_profile(before), parse_profile(after), **settings)


def test_the_same_data_do_not_drift() -> None:
    report = run(BEFORE)
    assert [column.name for column in report.columns] == ["age", "gone_away", "plan"]
    assert all(column.psi == column.distance == 0.0 for column in report.columns)
    assert (report.schema_changes, report.mean_psi, report.uncompared) == ((), 0.0, ())
    assert [column.target for column in report.columns] == [False, True, False]
    assert [column.measure for column in report.columns] == ["ks", "ks", "js"]


def test_the_most_drifted_column_comes_first() -> None:
    report = run(changed(age=numeric([float(n) for n in range(20)]), plan=text("a" * 30 + "b" * 10)))
    first, second, third = report.columns
    assert (first.name, second.name, third.name) == ("age", "plan", "gone_away")
    assert first.psi > second.psi > third.psi == 0.0
    assert (first.missing_before, first.missing_after) == (0.0, 0.5)
    assert report.mean_psi == pytest.approx((first.psi + second.psi) / 3)


def test_ignored_columns_and_ids_do_not_count() -> None:
    report = run(changed(age=numeric([9.0]), extra=text("")), ignore=["age", "extra", "nothing"])
    assert [column.name for column in report.columns] == ["gone_away", "plan"]
    assert report.schema_changes == ()


CHANGES = [
    ({"extra": numeric([1.0])}, "extra", Change.NEW, "new"),
    ({"plan": text("abc")}, "plan", Change.CATEGORY_NEW, "category 'c' is new"),
    ({"plan": text("aaa")}, "plan", Change.CATEGORY_GONE, "category 'b' is gone"),
    ({"age": text("12")}, "age", Change.TYPE, "type number became text"),
    ({"age": numeric([1.0] * ROWS, "integer")}, "age", Change.TYPE, "type number became integer"),
    ({"gone_away": numeric([0.5] * ROWS)}, "gone_away", Change.TYPE, "type integer became number"),
]


@pytest.mark.parametrize(("columns", "name", "kind", "words"), CHANGES)
def test_changes_of_the_schema_are_named(columns: dict[str, Any], name: str, kind: Change, words: str) -> None:
    [change] = run(changed(**columns)).schema_changes
    assert (change.column, change.kind, change.change) == (name, kind, words)
    assert str(change) == f"{name}: {words}"


def test_a_column_that_is_gone_is_named() -> None:
    [change] = run(BEFORE, changed(extra=text("a"))).schema_changes
    assert str(change) == "extra: gone"


def test_whole_numbers_with_gaps_are_read_as_numbers_which_is_no_change() -> None:
    report = run(changed(gone_away=numeric([0.0, 1.0] * 10)))
    assert report.schema_changes == ()
    assert report.columns[0].name == "gone_away"


def test_a_category_that_may_be_among_the_others_is_not_named() -> None:
    before = text("ab" * 20)
    before["values"], before["other"] = {"a": 20}, 20
    report = run(changed(plan=text("ac" * 20)), changed(plan=before))
    assert report.schema_changes == ()
    [plan] = [column for column in report.columns if column.name == "plan"]
    assert (plan.psi, plan.distance) == (0.0, 0.0)
    assert plan.psi_range[1] > 1
    assert plan.distance_range == (0.0, pytest.approx(0.5**0.5))


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_column_whose_values_are_not_kept_is_not_compared(side: str) -> None:
    other = changed(age={"type": "number", "count": ROWS, "missing": 0})
    report = run(other) if side == "after" else run(BEFORE, other)
    assert report.uncompared == ("age",)
    age = report.columns[-1]
    assert (age.name, age.kind, age.psi, age.distance, age.measure) == ("age", "other", None, None, None)


@pytest.mark.parametrize("name", ["age", "plan"])
def test_an_empty_column_is_compared_by_what_is_missing(name: str) -> None:
    empty = changed(**{name: numeric([]) if name == "age" else text("")})
    for report in (run(empty), run(BEFORE, empty)):
        assert report.columns[0].name == name
        assert report.columns[0].psi > 5
        assert report.columns[0].distance is None
    assert {column.psi for column in run(empty, empty).columns} == {0.0}


def broken(path: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(BEFORE)
    *way, last = path.split(".")
    inner = document
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


HOSTILE = [
    ("profile", ...),
    ("profile", []),
    ("profile.age", None),
    ("profile.age.type", 3),
    ("profile.age.count", ...),
    ("profile.age.count", -1),
    ("profile.age.count", True),
    ("profile.age.count", 1e3),
    ("profile.age.count", 10**400),
    ("profile.age.missing", 5),
    ("profile.age.cdf", [1]),
    ("profile.age.cdf.knots", ...),
    ("profile.age.cdf.knots", [0.0]),
    ("profile.age.cdf.knots", ["nan"] * ROWS),
    ("profile.age.cdf.knots", [float("nan")] * ROWS),
    ("profile.age.cdf.knots", [float("inf")] * ROWS),
    ("profile.age.cdf.knots", [10**400] * ROWS),
    ("profile.age.cdf.knots", [1.0] * ROWS),
    ("profile.age.cdf.below", list(range(1, ROWS + 1))),
    ("profile.age.cdf.below", [0] * ROWS),
    ("profile.age.cdf.upto", [0] * ROWS),
    ("profile.age.cdf.upto", ["1"] * ROWS),
    ("profile.age.cdf.upto", [*range(1, ROWS), ROWS + 1]),
    ("profile.plan.values", ["a"]),
    ("profile.plan.values.a", -20),
    ("profile.plan.values.a", 0),
    ("profile.plan.other", ...),
    ("profile.plan.other", 1),
    ("record_count", 41),
    ("record_count", "many"),
    ("id_column", None),
    ("target", None),
    ("target.column", 1),
]


@pytest.mark.parametrize(("path", "value"), HOSTILE, ids=str)
def test_a_manifest_that_makes_no_sense_is_an_integrity_error(path: str, value: object) -> None:
    with pytest.raises(IntegrityError, match=r"^the manifest: the profile.* makes no sense: "):
        parse_profile(broken(path, value), "the manifest")


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
PATHS = sorted({path for path, _ in HOSTILE})


@settings(max_examples=size(50, 200, 200), deadline=None)
@given(st.sampled_from(PATHS), junk)
def test_nothing_in_a_manifest_raises_anything_else(path: str, value: object) -> None:
    try:
        profile = parse_profile(broken(path, value))
    except IntegrityError:
        return
    compare(profile, parse_profile(BEFORE))
    compare(parse_profile(BEFORE), profile)
