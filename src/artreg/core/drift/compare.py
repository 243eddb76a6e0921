"""Drift between the data of two versions, column by column, from their profiles alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from enum import Enum

from artreg.core.drift.distribution import Categories, Numbers
from artreg.core.drift.measures import Column, Estimate, jensen_shannon, kolmogorov_smirnov, psi, psi_by_chance
from artreg.core.drift.profile import CATEGORICAL, NUMERIC, ColumnProfile, TableProfile
from artreg.frozen import Frozen


class Change(Enum):
    """How the schema of a column changed."""

    GONE = "gone"
    NEW = "new"
    TYPE = "type"
    CATEGORY_GONE = "category_gone"
    CATEGORY_NEW = "category_new"


class SchemaChange(Frozen):
    """A change of one column's schema.

    Attributes:
        column: The column.
        kind: What kind of change it is.
        detail: The category, or both types, or ''.
    """

    column: str
    kind: Change
    detail: str = ""

    @property
    def change(self) -> str:
        """The change in words, without the column."""
        match self.kind:
            case Change.GONE:
                return "gone"
            case Change.NEW:
                return "new"
            case Change.TYPE:
                return f"type {self.detail}"
            case Change.CATEGORY_GONE:
                return f"category {self.detail!r} is gone"
            case Change.CATEGORY_NEW:
                return f"category {self.detail!r} is new"

    def __str__(self) -> str:
        return f"{self.column}: {self.change}"


class ColumnDrift(Frozen):
    """How far one column is from what it was.

    Attributes:
        name: The column.
        kind: `numeric` or `categorical`; `other` if its values cannot be compared.
        target: Whether it is the column that is to be predicted.
        psi: The population stability index, or None if the values cannot be compared.
        psi_range: Between which limits the index of the raw data surely lies.
        psi_by_chance: What the index would be on average had nothing changed, the tables being no larger than they are.
        distance: Of Kolmogorov-Smirnov for numeric columns, Jensen-Shannon for categorical ones, of the values that
            are not missing; None if they cannot be compared, or one side has none.
        distance_range: Between which limits the distance of the raw data surely lies.
        missing_before: The share of rows without a value in the reference.
        missing_after: The same in the candidate.
    """

    name: str
    kind: str
    target: bool
    psi: float | None
    psi_range: tuple[float, float] | None
    psi_by_chance: float | None
    distance: float | None
    distance_range: tuple[float, float] | None
    missing_before: float
    missing_after: float

    @property
    def measure(self) -> str | None:
        """Which distance it is: `ks`, `js`, or None."""
        return None if self.distance is None else {"numeric": "ks", "categorical": "js"}[self.kind]


class DriftReport(Frozen):
    """What changed between the data of two versions.

    Attributes:
        columns: Every column that both have, the most drifted first; those that cannot be compared come last.
        schema_changes: In order of the columns' names.
    """

    columns: tuple[ColumnDrift, ...]
    schema_changes: tuple[SchemaChange, ...]

    @property
    def mean_psi(self) -> float:
        """The mean of the indices of all columns that can be compared, or 0."""
        found = [column.psi for column in self.columns if column.psi is not None]
        return math.fsum(found) / len(found) if found else 0.0

    @property
    def uncompared(self) -> tuple[str, ...]:
        """The columns of which a profile does not hold the values."""
        return tuple(column.name for column in self.columns if column.psi is None)


def compare(reference: TableProfile, candidate: TableProfile, *, ignore: Collection[str] = ()) -> DriftReport:
    """Compare the data of a candidate with those of a reference.

    Args:
        reference: The profile of the data that are known to be good.
        candidate: The profile of the data in question.
        ignore: Columns to leave out; id columns always are.
    """
    left_out = {reference.id_column, candidate.id_column, *ignore}
    names = sorted({*reference.columns, *candidate.columns} - left_out)
    both = [name for name in names if name in reference.columns and name in candidate.columns]
    drifts = [
        _drift(name, reference.columns[name], candidate.columns[name], target=name == candidate.target) for name in both
    ]
    drifts.sort(key=lambda drift: -math.inf if drift.psi is None else drift.psi, reverse=True)
    return DriftReport(tuple(drifts), tuple(_schema_changes(names, reference, candidate)))


def _drift(name: str, before: ColumnProfile, after: ColumnProfile, *, target: bool) -> ColumnDrift:
    index = chance = distance = None
    kind = "other"
    pair = before.column, after.column
    match pair:
        case Column(Numbers() as ours), Column(Numbers() as theirs):
            kind, distance = "numeric", _unless_empty(ours, theirs)
            index, chance = psi(*pair), psi_by_chance(*pair)
        case Column(Categories() as ours), Column(Categories() as theirs):
            kind, distance = "categorical", _unless_empty(ours, theirs)
            index, chance = psi(*pair), psi_by_chance(*pair)
    return ColumnDrift(
        name=name,
        kind=kind,
        target=target,
        psi=None if index is None else index.value,
        psi_range=None if index is None else (index.low, index.high),
        psi_by_chance=chance,
        distance=None if distance is None else distance.value,
        distance_range=None if distance is None else (distance.low, distance.high),
        missing_before=before.missing_share,
        missing_after=after.missing_share,
    )


def _unless_empty(before: Numbers | Categories, after: Numbers | Categories) -> Estimate | None:
    if not before.total or not after.total:
        return None
    if isinstance(before, Numbers):
        assert isinstance(after, Numbers)
        return kolmogorov_smirnov(before, after)
    assert isinstance(after, Categories)
    return jensen_shannon(before, after)


def _schema_changes(names: list[str], reference: TableProfile, candidate: TableProfile) -> Iterator[SchemaChange]:
    for name in names:
        before, after = reference.columns.get(name), candidate.columns.get(name)
        if after is None:
            yield SchemaChange(name, Change.GONE)
        elif before is None:
            yield SchemaChange(name, Change.NEW)
        else:
            if not _same_type(before, after):
                yield SchemaChange(name, Change.TYPE, f"{before.type} became {after.type}")
            yield from _category_changes(name, before, after)


def _same_type(before: ColumnProfile, after: ColumnProfile) -> bool:
    """Say whether two columns are of one type: whole numbers with gaps are read as numbers, which is no change."""
    if before.type == after.type:
        return True
    gaps = [profile.missing > 0 for profile in (before, after) if profile.type == "number"]
    return {before.type, after.type} == NUMERIC and all(gaps)


def _category_changes(name: str, before: ColumnProfile, after: ColumnProfile) -> Iterator[SchemaChange]:
    """Yield the categories that one side surely has and the other surely has not."""
    if not {before.type, after.type} <= CATEGORICAL:
        return
    match before.values, after.values:
        case Categories() as ours, Categories() as theirs:
            for value in sorted(_certain(ours) - set(theirs.counts)) if not theirs.other else ():
                yield SchemaChange(name, Change.CATEGORY_GONE, value)
            for value in sorted(_certain(theirs) - set(ours.counts)) if not ours.other else ():
                yield SchemaChange(name, Change.CATEGORY_NEW, value)


def _certain(values: Categories) -> set[str]:
    return {value for value, count in values.counts.items() if count}
