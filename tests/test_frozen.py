"""Frozen values behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from artreg.frozen import Frozen, replace


class Point(Frozen):
    """A point."""

    kinds: ClassVar[int] = 2
    x: int
    y: int = 0


class Named(Point):
    """A point with a name."""

    name: str = "p"

    def __post_init__(self) -> None:
        """Refuse an empty name."""
        if not self.name:
            raise ValueError("no name")


def test_fields_are_taken_in_order_by_name_and_with_their_defaults() -> None:
    assert (Point(1).x, Point(1).y, Point(y=3, x=2).x) == (1, 0, 2)
    assert repr(Named(1, 2, "q")) == "Named(x=1, y=2, name='q')"
    assert Point.kinds == 2


def test_a_subclass_takes_its_own_fields_after_its_base_was_used() -> None:
    Point(1)
    assert Named(1, 2, "q").name == "q"


@pytest.mark.parametrize("wrong", [{}, {"x": 1, "z": 2}, {"y": 1}])
def test_missing_and_unknown_fields_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Point(**wrong)


def test_values_are_equal_by_class_and_fields_and_can_be_hashed() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Named(1, 2)
    assert Point(1, 2) != (1, 2)
    assert len({Point(1, 2), Point(1, 2), Point(2, 1)}) == 2


def test_nothing_can_be_assigned_deleted_or_added() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_checks_run_whenever_a_value_is_made() -> None:
    with pytest.raises(ValueError, match="no name"):
        Named(1, name="")
    with pytest.raises(ValueError, match="no name"):
        replace(Named(1), name="")


def test_replace_changes_only_what_is_named() -> None:
    assert replace(Named(1, 2, "q"), y=5) == Named(1, 5, "q")
    with pytest.raises(TypeError):
        replace(Point(1), z=1)


def test_values_are_copied_pickled_and_matched() -> None:
    value = Named(1, 2, "q")
    assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
    match value:
        case Named(x, y, name):
            assert (x, y, name) == (1, 2, "q")
