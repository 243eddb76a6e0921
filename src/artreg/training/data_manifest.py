"""The data manifest: which data a version learned from, and what they looked like.

The profile of a column holds as much of its distribution as drift needs to be told from two manifests alone: of numbers
the exact counts at 101 quantiles (all values, where there are no more of them), of text the counts of the most frequent
values. `artreg.core.drift` says how near one comes by that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from artreg.core.config import DataConfig
from artreg.core.drift.distribution import KNOTS, Categories, Numbers
from artreg.core.drift.profile import distribution_document
from artreg.core.snapshot import schema_hash
from artreg.training.data import Dataset
from artreg.training.split import METHOD
from artreg.training.table import value_types

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FORMAT = "artreg/data/1"
"""The format of the document."""

BINS = 10
"""Bins of a histogram."""

TOP_VALUES = 50
"""How many values of a text column are counted by name."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles of a numeric column."""

_FEW = 20  # a text column with no more values than these is one of categories, however few rows there are
_IDENTIFYING = 0.5  # a text column with more distinct values than this share of its rows names people or things


def data_manifest(config: DataConfig, dataset: Dataset) -> dict[str, Any]:
    """Return the document `data_manifest.json`; equal data and equal configs give equal documents.

    The profile is of the whole table. No ids are in it, and no values of text columns that are nearly all different.
    """
    frame = dataset.frame
    profile = {str(name): column_profile(frame[name], is_id=name == config.id_column) for name in frame.columns}
    schema = [{"name": name, "type": column["type"]} for name, column in profile.items()]
    test_rows = int(dataset.test.sum())
    return {
        "format": FORMAT,
        "name": dataset.name,
        "uri": dataset.uri,
        "record_count": len(frame),
        "content_hash": dataset.content_hash,
        "schema": schema,
        "schema_hash": schema_hash(schema),
        "snapshot": str(dataset.snapshot),
        "lineage": dataset.lineage,
        "id_column": config.id_column,
        "target": {"column": config.target, **_target(dataset)},
        "split": {
            "method": METHOD,
            "salt": config.salt,
            "test_fraction": config.test_fraction,
            "train_rows": len(frame) - test_rows,
            "test_rows": test_rows,
        },
        "profile": profile,
    }


def _target(dataset: Dataset) -> dict[str, Any]:
    if dataset.task == "regression":
        return {"task": dataset.task}
    two = len(dataset.classes) == 2  # noqa: PLR2004 (one of them is the positive one)
    return {"positive": dataset.classes[1]} if two else {"classes": list(dataset.classes)}


def column_type(column: pd.Series) -> str:
    """Name a column's type in words that stay when pandas renames its own."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_integer_dtype(column.dtype):
        return "integer"
    if types.is_float_dtype(column.dtype):
        return "number"
    if types.is_datetime64_any_dtype(column.dtype):
        return "timestamp"
    return {frozenset({str}): "text", frozenset({bool}): "boolean"}.get(frozenset(value_types(column)), "other")


def column_profile(column: pd.Series, *, is_id: bool) -> dict[str, Any]:
    """Return what a column's values look like; of ids only how many there are."""
    kind = column_type(column)
    present = column.dropna()
    counts = {"type": kind, "count": len(present), "missing": len(column) - len(present)}
    if is_id:
        return counts
    if kind in ("integer", "number"):
        return counts | _numeric(present)
    if kind in ("text", "boolean"):
        return counts | _categorical(present)
    return counts


def _numeric(present: pd.Series) -> dict[str, Any]:
    import numpy as np

    values = np.sort(present.to_numpy(dtype="float64"))
    values += 0.0  # -0.0 and 0.0 are one value, and one text
    if not len(values) or not np.isfinite(values).all():
        return {}
    distinct, times = _runs(values)
    mean, std = _mean_and_std(values)
    return {
        "min": float(values[0]),
        "max": float(values[-1]),
        "mean": mean,
        "std": std,
        "quantiles": {str(q): _quantile(values, q) for q in QUANTILES},
        "histogram": _histogram(distinct, times),
        **distribution_document(_thinned(distinct, times)),
    }


def _mean_and_std(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation, also of numbers whose sum, or whose squares, are beyond all floats."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(values.mean()), float(values.std())
    if math.isfinite(mean) and math.isfinite(std):
        return mean, std
    largest = float(np.abs(values).max())
    scaled = values / largest
    return float(scaled.mean()) * largest, float(scaled.std()) * largest


def _histogram(distinct: NDArray[np.float64], times: NDArray[np.int64]) -> dict[str, Any]:
    """Return how many values lie in each of a few bins; in one, where floats are too near or too far for several."""
    import numpy as np

    low, high = float(distinct[0]), float(distinct[-1])
    try:
        with np.errstate(over="raise", invalid="raise"):
            counts, edges = np.histogram(distinct, bins=BINS, weights=times)
    except (ValueError, FloatingPointError):
        return {"edges": [low, high], "counts": [int(times.sum())]}
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _quantile(values: NDArray[np.float64], q: float) -> float:
    """Return what `np.quantile` does, which would look for order in values that are in order already."""
    import numpy as np

    place = (len(values) - 1) * q
    before = int(place)
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(np.quantile(values[before : before + 2], place - before))
    if math.isfinite(found):
        return found
    share = place - before  # the two are further apart than any float tells
    return float(values[before]) * (1 - share) + float(values[before + 1]) * share


def _runs(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct ones of ascending values, and how often each occurs."""
    import numpy as np

    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return values[starts], np.diff(starts, append=len(values))


def _thinned(distinct: NDArray[np.float64], times: NDArray[np.int64]) -> Numbers:
    """Return what `numbers_of(distinct, times).thinned()` does, without an object for each value."""
    import numpy as np

    upto = np.cumsum(times)
    below = upto - times
    if len(distinct) > KNOTS + 1:
        ranks = np.maximum(-(-np.arange(KNOTS + 1) * upto[-1] // KNOTS), 1)
        kept = np.unique(np.searchsorted(upto, ranks))
        distinct, below, upto = distinct[kept], below[kept], upto[kept]
    return Numbers(tuple(distinct.tolist()), tuple(below.tolist()), tuple(upto.tolist()))


def _categorical(present: pd.Series) -> dict[str, Any]:
    counted = present.value_counts()
    if len(counted) > max(_FEW, _IDENTIFYING * len(present)):
        return {"distinct": len(counted)}
    frequent = counted.nlargest(TOP_VALUES, keep="all")  # and all that are as frequent as the last one
    named = sorted(zip(map(str, frequent.index), frequent.tolist(), strict=True), key=lambda item: (-item[1], item[0]))
    kept = dict(named[:TOP_VALUES])
    values = Categories(kept, other=len(present) - sum(kept.values()))
    return {"distinct": len(counted), **distribution_document(values)}
