"""Describes a table of any size in bounded memory: digest, rows, types, totals, and what its values look like.

A column's type must not depend on where one piece of the file ends and the next begins. So each piece of a CSV says
what its columns look like, and if they do not all look alike, the file is read again, every piece as what the whole
came to; 007 stays text if anything in its column is text. Up to `PROFILE_ROWS` rows the profile is that of the whole
table; of more it is that of a sample, which a hash of the rows' numbers draws, the same one every time.
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
from artreg.frozen import replace
from artreg.training.data_manifest import column_profile, column_type
from artreg.training.table import CSV_OPTIONS, MISSING, PARQUET_MAGIC, csv_header, plain_frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PROFILE_ROWS = 1_000_000
"""The profile of a larger table is that of a sample of so many rows."""

CHUNK_ROWS = 50_000
"""Rows that are in memory at a time, besides those of the profile."""

_BUFFER = 2**20
_HUGE = 2.0**900
_NUMBERS = ("integer", "number")
_CSV_TYPES: Mapping[str, str] = {"number": "float64", "text": "str"}

Chunks = Callable[[Mapping[str, str]], Iterator["pd.DataFrame"]]
"""Reads a table piece by piece, given what is known of the types of its columns."""


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
        table = _scan(_parquet_chunks(path) if parquet else _csv_chunks(path, id_column), id_column, parquet)
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


def _scan(chunks: Chunks, id_column: str | None, typed: bool) -> _Table:
    """Scan a table; `typed` says that the file itself knows the types of its columns."""
    scan = _Scan(chunks({}))
    if not typed and any(column.disagrees for column in scan.columns.values()):
        scan = _Scan(chunks({name: column.type for name, column in scan.columns.items()}))
    return scan.table(id_column)


class _Scan:
    """What is known of a table whose pieces have passed by."""

    def __init__(self, chunks: Iterator[pd.DataFrame]) -> None:
        self.columns: dict[str, _Column] = {}
        self._sample = _Sample()
        self._rows = 0
        for chunk in chunks:
            for name in chunk.columns:
                self.columns.setdefault(name, _Column(name)).add(chunk[name])
            self._sample.add(chunk, self._rows)
            self._rows += len(chunk)

    def table(self, id_column: str | None) -> _Table:
        totals = {name: column.totals() for name, column in self.columns.items()}
        if not self._rows:
            return _Table(0, totals, {})
        profile = {name: column_profile(self._typed(name), is_id=name == id_column) for name in totals}
        return _Table(self._rows, totals, profile)

    def _typed(self, name: str) -> pd.Series:
        column = self._sample.column(name)
        return column.astype("float64") if self.columns[name].type == "number" else column


def _together(before: str | None, now: str) -> str:
    """Return the type of a column of which one part looks like this and another like that."""
    kinds = {before or now, now} - {"empty"}
    if len(kinds) < 2:  # noqa: PLR2004 (they agree, or one is empty)
        kind = kinds.pop() if kinds else "empty"
        return "number" if kind == "integer" and "empty" in (before, now) else kind
    if kinds <= {*_NUMBERS, "other"} and "number" in kinds:  # whole numbers too large for 64 bits look like others
        return "number"
    return "number" if kinds <= set(_NUMBERS) else "text" if kinds <= {*_NUMBERS, "boolean", "text"} else "other"


class _Column:
    """Gathers what is known of a column from every row."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kinds: set[str] = set()
        self._kind: str | None = None
        self._count = self._missing = 0
        self._least, self._most, self._sum = math.inf, -math.inf, 0.0

    @property
    def type(self) -> str:
        """What its pieces come to."""
        return "number" if self._kind in (None, "empty") else self._kind

    @property
    def disagrees(self) -> bool:
        """Whether a piece that has values looks like something else than what all of them come to.

        Words for a missing value make it unsure: pandas takes whole numbers beyond 64 bits and such words for text.
        """
        return not self._kinds <= {self.type, "empty"}

    def add(self, column: pd.Series) -> None:
        count = int(column.count())
        kind = column_type(column) if count else "empty"
        self._kinds.add("unsure" if kind == "text" and column.isin(MISSING).any() else kind)
        self._kind = _together(self._kind, kind)
        self._count += count
        self._missing += len(column) - count
        if kind in _NUMBERS:
            self._add_numbers(column.dropna().to_numpy(dtype="float64"))

    def _add_numbers(self, values: NDArray[np.float64]) -> None:
        self._least, self._most = min(self._least, float(values.min())), max(self._most, float(values.max()))
        if self._is_finite:
            self._sum = math.fsum((self._sum, *_summands(values)))

    @property
    def _is_finite(self) -> bool:
        return math.isfinite(self._least) and math.isfinite(self._most)

    def totals(self) -> ColumnTotals:
        bare = ColumnTotals(self._name, self.type, self._count, self._missing)
        if self.type not in _NUMBERS or not self._is_finite:
            return bare  # no numbers, or infinite ones
        return replace(bare, least=self._least, most=self._most, mean=self._sum / self._count)


def _summands(values: NDArray[np.float64]) -> list[float]:
    """Return few numbers whose exact sum is that of the given ones.

    Each is the sum of the leading bits of all values, so few bits that nothing is rounded (Rump, Ogita, Oishi,
    "Accurate floating-point summation", 2008). Values near the end of all floats come back as they are.
    """
    import numpy as np

    found: list[float] = []
    headroom = len(values).bit_length() + 1
    while largest := float(np.abs(values).max()):
        if largest > _HUGE:
            return [*found, *values.tolist()]
        scale = math.ldexp(1.0, math.frexp(largest)[1] + headroom)
        leading = (values + scale) - scale
        found.append(float(leading.sum()))
        values = values - leading
    return found


class _Sample:
    """Keeps `PROFILE_ROWS` rows, those whose numbers hash lowest; all, where there are no more."""

    def __init__(self) -> None:
        self._frames: list[pd.DataFrame] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows = 0
        self._bound: np.uint64 | None = None

    def add(self, chunk: pd.DataFrame, first: int) -> None:
        import numpy as np

        hashes = _mixed(np.arange(first, first + len(chunk), dtype=np.uint64))
        if self._bound is not None:
            kept = hashes <= self._bound
            chunk, hashes = chunk[kept], hashes[kept]
        self._frames.append(chunk)
        self._hashes.append(hashes)
        self._rows += len(chunk)
        if self._rows > 2 * PROFILE_ROWS:
            self._shrink()

    def column(self, name: str) -> pd.Series:
        """Return a column of the sample; the order of the rows says nothing."""
        import pandas as pd

        self._shrink()
        return pd.concat([frame[name] for frame in self._frames], ignore_index=True)

    def _shrink(self) -> None:
        import numpy as np

        if self._rows <= PROFILE_ROWS:
            return
        self._bound = np.partition(np.concatenate(self._hashes), PROFILE_ROWS - 1)[PROFILE_ROWS - 1]
        kept = [hashes <= self._bound for hashes in self._hashes]
        self._frames = [frame[rows] for frame, rows in zip(self._frames, kept, strict=True)]
        self._hashes = [hashes[rows] for hashes, rows in zip(self._hashes, kept, strict=True)]
        self._rows = PROFILE_ROWS


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64 of each number (Steele, Lea, Flood, 2014): as good as random, and the same everywhere."""
    import numpy as np

    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _csv_chunks(path: Path, id_column: str | None) -> Chunks:
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


def _parquet_chunks(path: Path) -> Chunks:
    def chunks(_: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                yield plain_frame(batch.to_pandas())

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
