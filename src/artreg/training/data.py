"""Loads the table of a config and checks all that can be checked before a model is fitted."""

from __future__ import annotations

import difflib
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artreg.core.config import DataConfig
from artreg.errors import InvalidInput
from artreg.training.labels import find_positive, label_text
from artreg.training.source import Source, read_source
from artreg.training.split import test_mask

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "<NA>")
"""What stands for a missing value in CSV. "None" and "none" do not: in real tables they are categories."""


_CLASSES = 2


@dataclass(frozen=True)
class Columns:
    """The features, in the order of the table."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A checked table. Its rows are ordered by id, so that nothing depends on the order in the file.

    Attributes:
        name: A short name.
        uri: Where it came from, without credentials.
        content_hash: The sha256 of the bytes that were parsed.
        frame: The whole table; the id column is text.
        features: Which columns the model learns from.
        labels: 1 for the positive label, else 0.
        test: Which rows are on the test side.
        positive: The positive label, as text.
    """

    name: str
    uri: str
    content_hash: str
    frame: pd.DataFrame
    features: Columns
    labels: NDArray[np.int64]
    test: NDArray[np.bool_]
    positive: str


def load_dataset(config: DataConfig, base: Path) -> Dataset:
    """Read, parse, check and split the table that a config names.

    Args:
        config: The `data` section.
        base: The folder that a relative path is taken from.

    Raises:
        InvalidInput: The table is not there, cannot be parsed, or cannot be learned from; the message says why.
        StorageError: Its storage cannot be reached.
    """
    import numpy as np

    source = read_source(config.path, base)
    frame = _parse(source, config.id_column)
    _check_columns(frame, config)
    frame = _by_id(frame, config.id_column)
    labels, positive = _labels(frame, config)
    test = np.array(test_mask(frame[config.id_column], config.salt, config.test_fraction), dtype=np.bool_)
    _check_sides(labels, test, config)
    features = _features(frame.loc[~test], frame, config)
    return Dataset(
        name=source.name,
        uri=source.uri,
        content_hash=hashlib.sha256(source.data).hexdigest(),
        frame=frame,
        features=features,
        labels=labels,
        test=test,
        positive=positive,
    )


# --- parse -------------------------------------------------------------------------------------------------------


def _parse(source: Source, id_column: str) -> pd.DataFrame:
    try:
        frame = _parse_parquet(source.data) if source.data[:4] == b"PAR1" else _parse_csv(source.data, id_column)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parse errors are ValueErrors or OSErrors
        reason = str(error).strip().partition("\n")[0]
        raise InvalidInput(f"{source.uri} cannot be parsed: {reason}", hint="it must be CSV or Parquet") from None
    if frame.empty:
        raise InvalidInput(f"{source.uri} has no rows", hint="give it rows below its header")
    return frame


def _parse_csv(data: bytes, id_column: str) -> pd.DataFrame:
    import pandas as pd

    header = pd.read_csv(io.BytesIO(data), header=None, nrows=1, dtype=str, encoding="utf-8-sig").iloc[0].tolist()
    twice = sorted({str(name) for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"column {', '.join(twice)} stands twice in the header")
    frame = pd.read_csv(
        io.BytesIO(data),
        dtype={id_column: str},  # 007 is not 7
        keep_default_na=False,
        na_values=list(MISSING),
        low_memory=False,  # otherwise a column's type depends on which rows share a chunk
        encoding="utf-8-sig",
    )
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("rows have more cells than the header has columns")
    return frame


def _parse_parquet(data: bytes) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(data)).reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    if not frame.columns.is_unique:
        raise ValueError("a column name stands twice")
    return frame.apply(_plain)


def _plain(column: pd.Series) -> pd.Series:
    """Turn pandas' dictionary and nullable types into the plain ones that a CSV would give."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(object).where(column.notna(), None) if column.hasnans else column.astype(bool)
    if pd.api.types.is_extension_array_dtype(column.dtype) and pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=float("nan")), name=column.name)
    return column


# --- checks ------------------------------------------------------------------------------------------------------


def _check_columns(frame: pd.DataFrame, config: DataConfig) -> None:
    present = [str(name) for name in frame.columns]
    wanted = [("data.id_column", config.id_column), ("data.target", config.target)]
    wanted += [("data.drop", name) for name in config.drop]
    for key, name in wanted:
        if name not in present:
            raise InvalidInput(
                f"{key}: the table has no column {name!r}; it has {_some(present, 30)}",
                hint=_did_you_mean(name, present) or f"correct {key} in the config",
                columns=present,
            )


def _by_id(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    import pandas as pd

    ids = frame[column]
    missing = ids.isna()
    if missing.any():
        rows = [str(row + 1) for row in missing.to_numpy().nonzero()[0].tolist()]
        raise InvalidInput(f"{column} is missing in row {_some(rows)}", hint="every row needs an id of its own")
    if pd.api.types.is_float_dtype(ids.dtype) or pd.api.types.is_bool_dtype(ids.dtype):
        raise InvalidInput(f"{column} holds {ids.dtype} values", hint="ids must be text or whole numbers")
    frame = frame.assign(**{column: ids.map(str)})
    repeated = frame[column].duplicated()
    if repeated.any():
        names = sorted(set(frame.loc[repeated, column]))
        raise InvalidInput(
            f"{column} is not unique: {_some(names)} occur more than once ({len(names)} ids)",
            hint="keep one row of each id",
            repeated=names[:10],
        )
    return frame.sort_values(column, kind="stable", ignore_index=True, key=lambda ids: ids.astype(object))


def _labels(frame: pd.DataFrame, config: DataConfig) -> tuple[NDArray[np.int64], str]:
    import numpy as np

    target = frame[config.target]
    missing = target.isna()
    if missing.any():
        ids = frame.loc[missing, config.id_column].tolist()
        raise InvalidInput(f"{config.target} is missing for {_some(ids)} ({len(ids)} rows)", hint="leave them out")
    texts = [label_text(value) for value in target.tolist()]
    found = sorted(set(texts))
    if len(found) != _CLASSES:
        what = f"only {found[0]!r}" if len(found) == 1 else f"{len(found)} values: {_some(found)}"
        raise InvalidInput(f"{config.target} holds {what}", hint="the target must have exactly two classes")
    positive = find_positive((found[0], found[1]), config.positive)
    return np.array([int(text == positive) for text in texts], dtype=np.int64), positive


def _features(training: pd.DataFrame, frame: pd.DataFrame, config: DataConfig) -> Columns:
    import pandas as pd

    numeric: list[str] = []
    categorical: list[str] = []
    for name in frame.columns:
        if name in (config.id_column, config.target, *config.drop):
            continue
        column = frame[name]
        if training[name].isna().all():
            raise InvalidInput(f"{name} holds no value in the training rows", hint=f"add {name} to data.drop")
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            _check_numbers(name, column)
            numeric.append(name)
        else:
            _check_categories(name, column)
            categorical.append(name)
    if not numeric and not categorical:
        raise InvalidInput("the table has no columns to learn from", hint="keep some out of data.drop")
    return Columns(numeric=tuple(numeric), categorical=tuple(categorical))


def _check_numbers(name: str, column: pd.Series) -> None:
    import numpy as np

    if np.iscomplexobj(column) or np.isinf(column.to_numpy(dtype="float64")).any():
        raise InvalidInput(
            f"{name} holds infinite or complex numbers", hint=f"correct them, or add {name} to data.drop"
        )


def _check_categories(name: str, column: pd.Series) -> None:
    kinds = sorted({type(value).__name__ for value in column[column.notna()].tolist()})
    if kinds not in (["str"], ["bool"]):
        raise InvalidInput(
            f"{name} holds {' and '.join(kinds)} values, which is no feature",
            hint=f"make it all numbers or all text, or add {name} to data.drop",
        )


def _check_sides(labels: NDArray[np.int64], test: NDArray[np.bool_], config: DataConfig) -> None:
    for side, mask in (("test", test), ("training", ~test)):
        rows = int(mask.sum())
        if not rows:
            problem = f"the split leaves no {side} rows"
        elif len(set(labels[mask].tolist())) < _CLASSES:
            problem = f"the {rows} {side} rows hold only one class of {config.target}"
        else:
            continue
        raise InvalidInput(problem, hint="give it more rows, or change data.test_fraction or data.salt")


def _some(names: Sequence[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown}, …" if len(names) > limit else shown


def _did_you_mean(name: str, present: list[str]) -> str:
    near = difflib.get_close_matches(name, present, n=1)
    return f"did you mean {near[0]}?" if near else ""
