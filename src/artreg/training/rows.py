"""Which rows of a table are others in another: told by their ids, so that the order does not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class RowChanges:
    """How the rows of two tables differ.

    Attributes:
        added: The ids that only the second has, in order.
        removed: The ids that only the first has, in order.
        changed: The ids that both have with other values, in order, each with the columns that differ.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[tuple[str, tuple[str, ...]], ...]


def compare_rows(before: pd.DataFrame, after: pd.DataFrame, id_column: str) -> RowChanges:
    """Compare two tables row by row, on the columns that both have.

    Args:
        before: The one; its ids are text, each there once.
        after: The other; the same.
        id_column: The column that names the rows.
    """
    first, second = (table.set_index(id_column) for table in (before, after))
    common = first.index[first.index.isin(second.index)].sort_values()
    columns = [column for column in first.columns if column in second.columns]
    differing = {column: _differs(first.loc[common, column], second.loc[common, column]) for column in columns}
    changed = [
        (str(row_id), tuple(str(column) for column in columns if differing[column][place]))
        for place, row_id in enumerate(common)
        if any(differing[column][place] for column in columns)
    ]
    return RowChanges(
        added=tuple(sorted(map(str, second.index.difference(first.index)))),
        removed=tuple(sorted(map(str, first.index.difference(second.index)))),
        changed=tuple(changed),
    )


def _differs(before: pd.Series, after: pd.Series) -> list[bool]:
    unequal = (before.astype(object) != after.astype(object)) & ~(before.isna() & after.isna())
    return [bool(value) for value in unequal.tolist()]
