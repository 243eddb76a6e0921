"""Two trainings compared by what their records say."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.comparison import Axis, Difference, Facts, Likeness, compare_axes, compare_outcome
from artreg.core.comparison.facts import leaves, locked_packages
from artreg.frozen import replace

COMMIT = "a" * 40
AXES: dict[str, Any] = {
    "code": {"commit": COMMIT, "dirty": False, "branch": "main", "remote": None},
    "environment": {
        "uv_lock_sha256": "l" * 64,
        "python": "3.11.7",
        "platform": "Linux",
        "packages": {"artreg": "0.1.0", "numpy": "2.4.0", "scikit-learn": "1.9.1"},
        "blas": [{"internal_api": "openblas", "version": "0.3", "architecture": "Haswell"}],
        "variables": {},
    },
    "config": {"document": {"seed": 42, "model": {"learning_rate": 0.1}}, "sha256": "c"},
    "data": {"content_hash": "d" * 64, "record_count": 100, "schema_hash": "s"},
}
DATA = {
    "schema": [{"name": "id", "type": "text"}, {"name": "age", "type": "integer"}],
    "split": {"salt": "s", "test_fraction": 0.2},
}
METRICS = {"roc_auc": 0.9, "log_loss": 0.4, "test": {"rows": 20}, "cv": {"roc_auc": {"values": [0.8, 0.9]}}}
FILES = {"model.skops": "1", "metrics.json": "2", "run.json": "3"}
LOCK = {"numpy": "2.4.0", "scikit-learn": "1.9.1", "rich": "14.0"}


def facts(**changes: Any) -> Facts:
    axes = copy.deepcopy(AXES)
    for key, value in changes.items():
        *sections, last = key.split("__")
        place = axes
        for section in sections:
            place = place[section]
        place[last] = value
    return Facts(run={"axes": axes}, data=DATA, metrics=METRICS, files=FILES, locked=LOCK)


def differences(after: Facts, axis: Axis) -> list[str]:
    compared = {comparison.axis: comparison for comparison in compare_axes(facts(), after)}
    likenesses = {each: comparison.likeness for each, comparison in compared.items()}
    assert likenesses == {each: Likeness.DIFFERENT if each is axis else Likeness.SAME for each in Axis}
    return [str(difference) for difference in compared[axis].differences]


def test_the_same_is_the_same() -> None:
    compared = compare_axes(facts(), facts())
    assert [comparison.axis for comparison in compared] == list(Axis)
    assert {comparison.likeness for comparison in compared} == {Likeness.SAME}
    assert not any(comparison.differences for comparison in compared)


@pytest.mark.parametrize(
    ("change", "axis", "told"),
    [
        ({"code__commit": "b" * 40}, Axis.CODE, ["commit aaaaaaaaaaaa → bbbbbbbbbbbb"]),
        (
            {"code__dirty": True},
            Axis.CODE,
            ["the second was made: from a work tree with changes that no commit holds"],
        ),
        (
            {"environment__packages": {"artreg": "0.2.0", "numpy": "2.4.0", "scikit-learn": "1.8.0"}},
            Axis.ENVIRONMENT,
            ["scikit-learn 1.9.1 → 1.8.0", "artreg 0.1.0 → 0.2.0"],
        ),
        (
            {"environment__packages": {"artreg": "0.1.0", "scikit-learn": "1.9.1", "torch": "2.15.0"}},
            Axis.ENVIRONMENT,
            ["numpy 2.4.0 → none", "torch none → 2.15.0"],
        ),
        ({"environment__python": "3.12.1"}, Axis.ENVIRONMENT, ["python 3.11.7 → 3.12.1"]),
        (
            {"environment__blas": [{"internal_api": "mkl", "version": "1", "architecture": "x"}]},
            Axis.ENVIRONMENT,
            ["BLAS openblas 0.3 Haswell → mkl 1 x"],
        ),
        ({"environment__blas": "odd"}, Axis.ENVIRONMENT, ["BLAS openblas 0.3 Haswell → unknown"]),
        ({"environment__variables": {"OMP_NUM_THREADS": "2"}}, Axis.ENVIRONMENT, ["OMP_NUM_THREADS none → 2"]),
        (
            {"config__document": {"seed": 42, "model": {"learning_rate": 0.2}}},
            Axis.CONFIG,
            ["model.learning_rate 0.1 → 0.2"],
        ),
        (
            {"config__document": {"seed": 42.0, "model": {"learning_rate": 0.1}, "bump": None}},
            Axis.CONFIG,
            ["seed 42 → 42.0"],
        ),
        (
            {"data__content_hash": "e" * 64, "data__record_count": 99},
            Axis.DATA,
            ["rows 100 → 99", "content dddddddddddd → eeeeeeeeeeee"],
        ),
    ],
)
def test_each_axis_names_what_differs(change: dict[str, Any], axis: Axis, told: list[str]) -> None:
    assert differences(facts(**change), axis) == told


def test_of_two_locks_the_packages_are_told_once() -> None:
    packages = {"artreg": "0.1.0", "numpy": "2.4.1", "scikit-learn": "1.9.1"}
    after = facts(environment__uv_lock_sha256="m" * 64, environment__packages=packages)
    after = replace(after, locked={**LOCK, "numpy": "2.4.1", "rich": "15.0"})
    assert differences(after, Axis.ENVIRONMENT) == ["numpy 2.4.0 → 2.4.1", "rich 14.0 → 15.0: in uv.lock"]


def test_a_lock_that_differs_in_no_package_or_cannot_be_read() -> None:
    after = facts(environment__uv_lock_sha256="m" * 64)
    assert differences(after, Axis.ENVIRONMENT) == ["uv.lock: other bytes, but the same packages"]
    told = differences(replace(after, locked=None), Axis.ENVIRONMENT)
    assert told == ["uv.lock llllllllllll → mmmmmmmmmmmm"]


def test_columns_and_split_belong_to_the_data() -> None:
    data = {**DATA, "schema": [{"name": "id", "type": "text"}, {"name": "age", "type": "text"}], "split": {"salt": "t"}}
    told = differences(replace(facts(data__content_hash="e" * 64), data=data), Axis.DATA)
    assert told[0] == "column age integer → text"
    assert told[-2:] == ["split.salt s → t", "split.test_fraction 0.2 → none"]


@pytest.mark.parametrize(
    "run", [{}, {"axes": None}, {"axes": {"code": 1, "environment": [], "config": {}, "data": ""}}]
)
def test_what_is_not_recorded_is_unknown_and_never_the_same(run: dict[str, Any]) -> None:
    for pair in ((facts(), replace(facts(), run=run)), (replace(facts(), run=run), facts())):
        assert {comparison.likeness for comparison in compare_axes(*pair)} == {Likeness.UNKNOWN}


def test_only_model_and_metrics_must_come_out_the_same() -> None:
    same = compare_outcome(facts(), replace(facts(), files={**FILES, "run.json": "other"}))
    assert (same.files, same.differing, same.distance) == (Likeness.SAME, (), 0.0)
    other = compare_outcome(facts(), replace(facts(), files={"model/a": "1", "metrics.json": "2"}))
    assert other.differing == ("model.skops", "model/a")


def test_metrics_say_which_way_they_moved() -> None:
    metrics = {"roc_auc": 0.8, "log_loss": 0.3, "test": {"rows": 21}, "cv": {"roc_auc": {"values": [0.8, 0.95]}}}
    outcome = compare_outcome(facts(), replace(facts(), metrics=metrics))
    assert [str(one) for one in outcome.metrics][:3] == [
        "roc_auc 0.9 → 0.8: -0.1, worse",
        "log_loss 0.4 → 0.3: -0.1, better",
        "test.rows 20 → 21: +1",
    ]
    assert outcome.metrics[3].what == "cv.roc_auc.values.1"
    assert outcome.distance == 1
    assert outcome.within(1)
    assert not outcome.within(0.5)


def test_a_figure_that_one_side_lacks_is_within_no_tolerance() -> None:
    outcome = compare_outcome(facts(), replace(facts(), metrics={"roc_auc": 0.9}))
    assert math.isinf(outcome.distance)
    assert not outcome.within(1e300)
    assert outcome.document()["distance"] is None


def test_a_lock_is_read_by_name_and_version() -> None:
    packages = ('name = "b"\nversion = "2"', 'name = "a"', 'name = "b"\nversion = "1"')
    lock = "".join(f"[[package]]\n{package}\n" for package in packages).encode()
    assert locked_packages(lock) == {"a": "", "b": "1, 2"}
    for odd in (b"", b"package = 3", b"package = [3]", b"[[package]]\nversion = 1", b"\xff", b"= ="):
        assert locked_packages(odd) in (None, {})


@given(st.recursive(st.integers() | st.none(), lambda inner: st.dictionaries(st.text("ab", min_size=1), inner)))
def test_leaves_of_a_nest_are_all_that_stands_in_it(document: object) -> None:
    if not isinstance(document, dict):
        return
    found = dict(leaves(document))

    def count(value: object) -> int:
        return sum(map(count, value.values())) if isinstance(value, dict) and value else 1

    assert len(found) == (count(document) if document else 0)


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (Difference("rows", 1, 2), "rows 1 → 2"),
        (Difference("", note="note"), "note"),
        (Difference("file", note="new"), "file: new"),
        (Difference("x", None, True), "x none → true"),
        (Difference("x", 0.1, 0.30000000000000004, "more"), "x 0.1 → 0.3: more"),
    ],
)
def test_a_difference_is_told_in_a_line(difference: Difference, text: str) -> None:
    assert str(difference) == text
