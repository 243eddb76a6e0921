"""Parses the bytes of a table, CSV or Parquet, into a frame of plain types."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "<NA>")
"""What stands for a missing value in CSV. "None" and "none" do not: in real tables they are categories."""

PARQUET_MAGIC = b"PAR1"
"""How a Parquet file begins."""

CSV_OPTIONS: dict[str, Any] = {
    "keep_default_na": False,
    "na_values": list(MISSING),
    "low_memory": False,  # otherwise a column's type depends on which rows share a chunk
    "encoding": "utf-8-sig",
}
"""How CSV is read, wherever it is."""


def parse_table(data: bytes, shown: str, id_column: str) -> pd.DataFrame:
    """Return the table that bytes hold.

    Args:
        data: The bytes.
        shown: Their name for people.
        id_column: The column that is read as text, for 007 is not 7.

    Raises:
        InvalidInput: They are neither CSV nor Parquet, or have no rows.
    """
    try:
        frame = _parse_parquet(data) if data[:4] == PARQUET_MAGIC else _parse_csv(data, id_column)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parse errors are ValueErrors or OSErrors
        reason = str(error).strip().partition("\n")[0]
        raise InvalidInput(f"{shown} cannot be parsed: {reason}", hint="it must be CSV or Parquet") from None
    if frame.empty:
        raise InvalidInput(f"{shown} has no rows", hint="give it rows below its header")
    return frame


def csv_header(source: Path | io.BytesIO) -> list[str]:
    """Return the names of the columns of a CSV.

    Raises:
        ValueError: One stands there twice, or there is no header.
    """
    import pandas as pd

    header = pd.read_csv(source, header=None, nrows=1, dtype=str, encoding="utf-8-sig").iloc[0].tolist()
    twice = sorted({str(name) for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"column {', '.join(twice)} stands twice in the header")
    return [str(name) for name in header]


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with pandas' dictionary and nullable types turned into the plain ones that a CSV would give.

    Raises:
        ValueError: A column's name stands twice.
    """
    frame = frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    if not frame.columns.is_unique:
        raise ValueError("a column name stands twice")
    plain: pd.DataFrame = frame.apply(_plain)
    return plain


def value_types(column: pd.Series) -> set[type]:
    """Return the types of the values of a column, of text without looking at each."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        return {str} if column.count() else set()
    return set(map(type, column.dropna().tolist()))


def _parse_csv(data: bytes, id_column: str) -> pd.DataFrame:
    import pandas as pd

    csv_header(io.BytesIO(data))
    frame: pd.DataFrame = pd.read_csv(io.BytesIO(data), dtype={id_column: str}, **CSV_OPTIONS)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("rows have more cells than the header has columns")
    return frame


def _parse_parquet(data: bytes) -> pd.DataFrame:
    import pandas as pd

    return plain_frame(pd.read_parquet(io.BytesIO(data)))


def _plain(column: pd.Series) -> pd.Series:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(object).where(column.notna(), None) if column.hasnans else column.astype(bool)
    if pd.api.types.is_extension_array_dtype(column.dtype) and pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=float("nan")), name=column.name)
    return column
