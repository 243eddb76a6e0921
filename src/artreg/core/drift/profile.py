"""The column profiles in `data_manifest.json`, as they are written and as they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn, cast

from artreg.core.drift.distribution import Categories, Distribution, Numbers
from artreg.core.drift.measures import Column
from artreg.errors import IntegrityError
from artreg.frozen import Frozen

DATA_MANIFEST = "data_manifest.json"
"""The file of a version that holds the profiles."""

NUMERIC = frozenset({"integer", "number"})
"""The types of columns that hold numbers."""

CATEGORICAL = frozenset({"text", "boolean"})
"""The types of columns whose values are counted by name."""

_LARGEST_COUNT = 2**53  # up to here a float holds every count


class ColumnProfile(Frozen):
    """What is known of a column.

    Attributes:
        type: Its type, as the schema names it.
        count: How many values it has.
        missing: How many rows have none.
        values: The distribution of the values, or None where the profile keeps none.
    """

    type: str
    count: int
    missing: int
    values: Distribution | None

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / max(self.count + self.missing, 1)

    @property
    def column(self) -> Column | None:
        """The column as the measures take it, or None where its values are not known."""
        return None if self.values is None else Column(self.values, self.missing)


class TableProfile(Frozen):
    """What is known of the columns of a table.

    Attributes:
        columns: The profile of each.
        id_column: The one that names the rows.
        target: The one that is to be predicted.
    """

    columns: Mapping[str, ColumnProfile]
    id_column: str
    target: str


def distribution_document(values: Distribution) -> dict[str, Any]:
    """Return the keys of a profile that hold a distribution."""
    match values:
        case Numbers():
            return {"cdf": {"knots": list(values.knots), "below": list(values.below), "upto": list(values.upto)}}
        case Categories():
            return {"values": dict(values.counts), "other": values.other}


def parse_profile(manifest: Mapping[str, Any], what: str = DATA_MANIFEST) -> TableProfile:
    """Return the profiles of a data manifest.

    Args:
        manifest: The document.
        what: Its name, for errors.

    Raises:
        IntegrityError: It makes no sense; the first thing that is wrong is named.
    """
    reader = _Reader(what)
    rows = reader.count(manifest, "record_count")
    profiles = reader.mapping(manifest, "profile")
    columns = {name: reader.column(profiles, name, rows) for name in profiles}
    target = reader.mapping(manifest, "target")
    return TableProfile(columns, reader.text(manifest, "id_column"), reader.text(target, "column"))


class _Reader(Frozen):
    """Takes values out of a document that nobody vouches for."""

    what: str
    column_name: str = ""

    def column(self, profiles: Mapping[str, Any], name: str, rows: int) -> ColumnProfile:
        inner = _Reader(self.what, name)
        profile = inner.mapping(profiles, name)
        kind = inner.text(profile, "type")
        count, missing = inner.count(profile, "count"), inner.count(profile, "missing")
        if count + missing != rows:
            inner.refuse(f"count and missing do not make {rows} rows")
        values = inner.values(profile, kind, count)
        if values is not None and values.total != count:
            inner.refuse(f"its distribution has {values.total} values, not {count}")
        return ColumnProfile(kind, count, missing, values)

    def values(self, profile: Mapping[str, Any], kind: str, count: int) -> Distribution | None:
        if kind in NUMERIC and "cdf" in profile:
            return self.numbers(self.mapping(profile, "cdf"))
        if kind in CATEGORICAL and "values" in profile:
            return self.categories(profile)
        if count or kind not in NUMERIC | CATEGORICAL:
            return None
        return Numbers((), (), ()) if kind in NUMERIC else Categories({})

    def numbers(self, cdf: Mapping[str, Any]) -> Numbers:
        knots = tuple(self.finite(value) for value in self.sequence(cdf, "knots"))
        below, upto = (tuple(self.whole(value, key) for value in self.sequence(cdf, key)) for key in ("below", "upto"))
        if not len(knots) == len(below) == len(upto):
            self.refuse("knots, below and upto differ in length")
        # Counts of values below and up to one knot after the other: each stands at or after the one before it.
        counts = [0, *(count for pair in zip(below, upto, strict=True) for count in pair)]
        ascends = all(one < two for one, two in pairwise(knots)) and all(one <= two for one, two in pairwise(counts))
        if not ascends or (below and below[0]) or any(one >= two for one, two in zip(below, upto, strict=True)):
            self.refuse("its cdf is no cumulative distribution")
        return Numbers(knots, below, upto)

    def categories(self, profile: Mapping[str, Any]) -> Categories:
        counts = self.mapping(profile, "values")
        return Categories(
            {name: self.whole(count, f"the count of {name!r}") for name, count in counts.items()},
            self.count(profile, "other"),
        )

    def finite(self, value: object) -> float:
        try:
            number = float(cast("float", value)) if type(value) in (int, float) else math.nan
        except OverflowError:
            number = math.nan
        if not math.isfinite(number):
            self.refuse("a knot is no finite number")
        return number

    def count(self, document: Mapping[str, Any], key: str) -> int:
        return self.whole(document.get(key), key)

    def whole(self, value: object, key: str) -> int:
        if type(value) is not int or not 0 <= value <= _LARGEST_COUNT:
            self.refuse(f"{key} is no count")
        return value

    def text(self, document: Mapping[str, Any], key: str) -> str:
        value = document.get(key)
        if not isinstance(value, str):
            self.refuse(f"{key} is no text")
        return value

    def mapping(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = document.get(key)
        if not isinstance(value, Mapping):
            self.refuse(f"{key} is no object")
        return value

    def sequence(self, document: Mapping[str, Any], key: str) -> Sequence[object]:
        value = document.get(key)
        if not isinstance(value, list):
            self.refuse(f"{key} is no list")
        return value

    def refuse(self, problem: str) -> NoReturn:
        where = f" of column {self.column_name!r}" if self.column_name else ""
        raise IntegrityError(f"{self.what}: the profile{where} makes no sense: {problem}")
