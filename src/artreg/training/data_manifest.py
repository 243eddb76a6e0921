"""The data manifest: which data a version learned from, and what they looked like.

The profile of a column holds as much of its distribution as drift needs to be told from two manifests alone: of numbers
the exact counts at 101 quantiles (all values, where there are no more of them), of text the counts of the most frequent
values. `artreg.core.drift` says how near one comes by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artreg.core.config import DataConfig
from artreg.core.drift.distribution import Categories, numbers_of
from artreg.core.drift.profile import distribution_document
from artreg.core.snapshot import schema_hash
from artreg.training.data import Dataset
from artreg.training.split import METHOD

if TYPE_CHECKING:
    import pandas as pd

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
    schema = [{"name": str(name), "type": column_type(frame[name])} for name in frame.columns]
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
        "profile": {str(name): column_profile(frame[name], is_id=name == config.id_column) for name in frame.columns},
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
    kinds = {type(value) for value in column[column.notna()].tolist()}
    return {frozenset({str}): "text", frozenset({bool}): "boolean"}.get(frozenset(kinds), "other")


def column_profile(column: pd.Series, *, is_id: bool) -> dict[str, Any]:
    """Return what a column's values look like; of ids only how many there are."""
    kind = column_type(column)
    present = column[column.notna()]
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

    values = np.sort(present.to_numpy(dtype="float64")) + 0.0  # -0.0 and 0.0 are one value, and one text
    if not len(values) or not np.isfinite(values).all():
        return {}
    counts, edges = np.histogram(values, bins=BINS)
    distinct, times = np.unique(values, return_counts=True)
    return {
        "min": float(values[0]),
        "max": float(values[-1]),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "quantiles": {str(q): float(value) for q, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        **distribution_document(numbers_of(distinct.tolist(), times.tolist()).thinned()),
    }


def _categorical(present: pd.Series) -> dict[str, Any]:
    counted: dict[str, int] = {}
    for value in present.tolist():
        counted[str(value)] = counted.get(str(value), 0) + 1
    if len(counted) > max(_FEW, _IDENTIFYING * len(present)):
        return {"distinct": len(counted)}
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    kept = Categories(dict(ordered[:TOP_VALUES]), other=sum(count for _, count in ordered[TOP_VALUES:]))
    return {"distinct": len(counted), **distribution_document(kept)}
