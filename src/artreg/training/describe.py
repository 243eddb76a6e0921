"""Describes a table of any size in bounded memory: digest, rows, types, totals, and what its values look like.

A column's type must not depend on where one piece of the file ends and the next begins. So the file is read twice: the
first time each piece says what its columns look like, and the second time every piece is read as what the whole came
to; 007 stays text if anything in its column is text. Up to `PROFILE_ROWS` rows the profile is that of the whole table;
of more it is that of a sample, which a hash of the rows' numbers draws, the same one every time.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.core.snapshot import ColumnTotals, TableDescription
from artreg.errors import IntegrityError, InvalidInput
from artreg.training.data_manifest import column_profile, column_type
from artreg.training.table import CSV_OPTIONS, PARQUET_MAGIC, csv_header, plain_frame

if TYPE_CHECKING:
    import pandas as pd

PROFILE_ROWS = 1_000_000
"""The profile of a larger table is that of a sample of so many rows."""

CHUNK_ROWS = 50_000
"""Rows that are in memory at a time, besides those of the profile."""

_BUFFER = 2**20
_NUMBERS = ("integer", "number")
_CSV_TYPES: Mapping[str, str] = {"integer": "int64", "number": "float64", "text": "str"}

Chunks = Callable[[], Iterator["pd.DataFrame"]]


def describe(path: Path, shown: str, *, id_column: str | None = None) -> TableDescription:
    """Describe a table.

    Args:
        path: A CSV or Parquet file.
        shown: Its name for people.
        id_column: The column that names the rows: it is read as text, and its values are not profiled.

    Raises:
        InvalidInput: It cannot be parsed, has no rows, or no such column.
        IntegrityError: It changed while it was read.
    """
    before = _state(path)
    sha256, magic = _digest(path)
    parquet = magic == PARQUET_MAGIC
    try:
        table = _scan(_parquet_chunks(path) if parquet else _csv_chunks(path, id_column), id_column)
    except (ValueError, OSError, OverflowError) as error:  # the parse errors of pandas and pyarrow
        reason = str(error).strip().partition("\n")[0]
        raise InvalidInput(f"{shown} cannot be parsed: {reason}", hint="it must be CSV or Parquet") from None
    if _state(path) != before:
        raise IntegrityError(f"{shown} changed while it was read", hint="run it again when nobody writes to it")
    if not table.rows:
        raise InvalidInput(f"{shown} has no rows", hint="give it rows below its header")
    if id_column is not None and id_column not in table.columns:
        raise InvalidInput(f"{shown} has no column {id_column!r}; it has {', '.join(list(table.columns)[:30])}")
    return TableDescription(
        sha256=sha256,
        size=before[0],
        suffix="parquet" if parquet else "csv",
        rows=table.rows,
        columns=tuple(table.columns.values()),
        profile=table.profile,
        profile_rows=min(table.rows, PROFILE_ROWS),
        id_column=id_column,
    )


@dataclass(frozen=True, slots=True)
class _Table:
    rows: int
    columns: Mapping[str, ColumnTotals]
    profile: Mapping[str, Any]


def _scan(chunks: Callable[[Mapping[str, str]], Iterator[pd.DataFrame]], id_column: str | None) -> _Table:
    types: dict[str, str] = {}
    for chunk in chunks({}):
        for name in chunk.columns:
            types[str(name)] = _together(types.get(str(name)), _chunk_type(chunk[name]))
    types = {name: "number" if kind == "empty" else kind for name, kind in types.items()}
    totals = {name: _Totals(name, kind) for name, kind in types.items()}
    sample, rows = _Sample(), 0
    for chunk in chunks(types):
        for name, total in totals.items():
            total.add(chunk[name])
        sample.add(chunk, rows)
        rows += len(chunk)
    frame = sample.frame()
    profile = {} if frame is None else {name: column_profile(frame[name], is_id=name == id_column) for name in types}
    return _Table(rows, {name: total.total() for name, total in totals.items()}, profile)


def _chunk_type(column: pd.Series) -> str:
    return "empty" if column.isna().all() else column_type(column)


def _together(before: str | None, now: str) -> str:
    """Return the type of a column of which one part looks like this and another like that."""
    kinds = {before or now, now} - {"empty"}
    if len(kinds) < 2:  # noqa: PLR2004 (they agree, or one is empty)
        kind = kinds.pop() if kinds else "empty"
        return "number" if kind == "integer" and "empty" in (before, now) else kind
    if kinds <= {*_NUMBERS, "other"} and "number" in kinds:  # whole numbers too large for 64 bits look like others
        return "number"
    return "number" if kinds <= set(_NUMBERS) else "text" if kinds <= {*_NUMBERS, "boolean", "text"} else "other"


@dataclass
class _Totals:
    """Adds up what is known of a column from every row."""

    name: str
    kind: str
    count: int = 0
    missing: int = 0
    least: float = math.inf
    most: float = -math.inf
    sum: float = 0.0

    def add(self, column: pd.Series) -> None:
        present = column[column.notna()]
        self.count += len(present)
        self.missing += len(column) - len(present)
        if self.kind in _NUMBERS and len(present):
            values = present.to_numpy(dtype="float64")
            self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))
            self.sum = math.fsum((self.sum, *values.tolist()))

    def total(self) -> ColumnTotals:
        bare = ColumnTotals(self.name, self.kind, self.count, self.missing)
        if not math.isfinite(self.least) or not math.isfinite(self.most):
            return bare  # no numbers, or infinite ones
        mean = self.sum / self.count
        return ColumnTotals(self.name, self.kind, self.count, self.missing, self.least, self.most, mean)


class _Sample:
    """Keeps `PROFILE_ROWS` rows, those whose numbers hash lowest; all, where there are no more."""

    def __init__(self) -> None:
        self._frames: list[pd.DataFrame] = []
        self._rows = 0

    def add(self, chunk: pd.DataFrame, first: int) -> None:
        import numpy as np

        numbers = np.arange(first, first + len(chunk), dtype=np.uint64)
        self._frames.append(chunk.set_axis(_mixed(numbers), axis="index"))
        self._rows += len(chunk)
        if self._rows > 2 * PROFILE_ROWS:
            self._keep()

    def frame(self) -> pd.DataFrame | None:
        if not self._frames:
            return None
        self._keep()
        return self._frames[0]

    def _keep(self) -> None:
        import pandas as pd

        whole = pd.concat(self._frames)
        if len(whole) > PROFILE_ROWS:
            whole = whole.sort_index(kind="stable").iloc[:PROFILE_ROWS]
        self._frames, self._rows = [whole], len(whole)


def _mixed(numbers: Any) -> Any:
    """Return SplitMix64 of each number (Steele, Lea, Flood, 2014): as good as random, and the same everywhere."""
    import numpy as np

    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _csv_chunks(path: Path, id_column: str | None) -> Callable[[Mapping[str, str]], Iterator[pd.DataFrame]]:
    def chunks(types: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        import pandas as pd

        names = csv_header(path)
        dtypes: dict[Any, Any] = {name: _CSV_TYPES[kind] for name, kind in types.items() if kind in _CSV_TYPES}
        if id_column in names:
            dtypes[id_column] = "str"
        with pd.read_csv(path, dtype=dtypes, chunksize=CHUNK_ROWS, **CSV_OPTIONS) as reader:
            for chunk in reader:
                if not isinstance(chunk.index, pd.RangeIndex):
                    raise ValueError("rows have more cells than the header has columns")
                yield chunk

    return chunks


def _parquet_chunks(path: Path) -> Callable[[Mapping[str, str]], Iterator[pd.DataFrame]]:
    def chunks(types: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                frame = plain_frame(batch.to_pandas())
                floats = [name for name, kind in types.items() if kind == "number"]
                yield frame.astype(dict.fromkeys(floats, "float64"))

    return chunks


def _digest(path: Path) -> tuple[str, bytes]:
    sha256, magic = hashlib.sha256(), b""
    with path.open("rb") as file:
        while piece := file.read(_BUFFER):
            magic = magic or piece[: len(PARQUET_MAGIC)]
            sha256.update(piece)
    return sha256.hexdigest(), magic


def _state(path: Path) -> tuple[int, int]:
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns
