"""Loads the table of a config and checks all that can be checked before a model is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.core.config import DataConfig, Task
from artreg.core.near import did_you_mean, near
from artreg.core.snapshot import SnapshotRef, snapshot_name
from artreg.errors import IntegrityError, InvalidInput
from artreg.training.labels import find_positive, in_order, label_text
from artreg.training.source import Source, read_source
from artreg.training.split import test_mask
from artreg.training.table import parse_table, value_types
from artreg.training.trainers.interface import Columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

COPY_LIMIT = 64 * 2**20
"""Bytes of data up to which the registry keeps a copy, unless the config says otherwise."""

_PIECE_ROWS = 2**16
_TWO = 2
_FEW_CLASSES = 20  # so many are taken for classes however few the rows are


@dataclass(frozen=True)
class Dataset:
    """A checked table. Its rows are ordered by id, so that nothing depends on the order in the file.

    Attributes:
        name: A short name.
        uri: Where it came from, without credentials.
        content_hash: The sha256 of the bytes that were parsed.
        lineage: What else is known of where they come from, or None.
        snapshot: The snapshot that they are, or are to be kept as.
        frame: The whole table; the id column is text.
        id_column: The column that names the rows.
        salt: Of the split.
        features: Which columns the model learns from.
        task: Whether the target names classes or holds numbers.
        classes: The label of each class, by its number; of two, 1 is the positive one. Empty for a regression.
        target: Of each row the number of its class (int64), or its value (float64).
        test: Which rows are on the test side.
    """

    name: str
    uri: str
    content_hash: str
    lineage: Mapping[str, object] | None
    snapshot: SnapshotRef
    frame: pd.DataFrame
    id_column: str
    salt: str
    features: Columns
    task: Task
    classes: tuple[str, ...]
    target: NDArray[Any]
    test: NDArray[np.bool_]

    @property
    def ids(self) -> list[str]:
        """The ids of the rows, in order."""
        ids: list[str] = self.frame[self.id_column].tolist()
        return ids


def load_dataset(config: DataConfig, source: Source) -> Dataset:
    """Parse, check and split a table.

    Args:
        config: The `data` section.
        source: The table's bytes.

    Raises:
        InvalidInput: The table cannot be parsed, or cannot be learned from; the message says why.
        IntegrityError: It is not the snapshot that the config names.
    """
    snapshot = snapshot_of(config, source)
    frame = parse_table(source.data, source.uri, config.id_column)
    _check_columns(frame, config)
    frame = _by_id(frame, config.id_column)
    target, classes = _target(frame, config)
    test = test_mask(_texts(frame[config.id_column]), config.salt, config.test_fraction)
    _check_sides(target, classes, test, config)
    features = _features(frame, ~test, config)
    return Dataset(
        name=source.name,
        uri=source.uri,
        content_hash=source.sha256,
        lineage=source.lineage,
        snapshot=snapshot,
        frame=frame,
        id_column=config.id_column,
        salt=config.salt,
        features=features,
        task=config.task,
        classes=classes,
        target=target,
        test=test,
    )


def read_data(config: DataConfig, base: Path) -> Source:
    """Read the table that a config names by its path.

    Args:
        config: The `data` section.
        base: The folder that a relative path is taken from.

    Raises:
        InvalidInput: There is no such table; or the config names a snapshot, which lies in a registry.
        IntegrityError: The data are not those that a `.dvc` file names.
        StorageError: Its storage cannot be reached.
    """
    if config.path is None:
        raise InvalidInput(
            f"{config.snapshot} lies in a registry, and none was given", hint="run artreg train, or set data.path"
        )
    return read_source(config.path, base)


def snapshot_source(config: DataConfig, data: bytes) -> Source:
    """Return the bytes of the snapshot that a config names as what is trained on; where they once came from is no axis.

    Raises:
        InvalidInput: The config names no snapshot.
    """
    ref = SnapshotRef.parse(config.snapshot or "")
    return Source(ref.name, str(ref), data)


def snapshot_of(config: DataConfig, source: Source) -> SnapshotRef:
    """Return the snapshot that data are, or are to be kept as.

    Raises:
        IntegrityError: They are not the snapshot that the config names.
    """
    if config.snapshot is None:
        return SnapshotRef(config.name or snapshot_name(source.name), source.sha256)
    ref = SnapshotRef.parse(config.snapshot)
    if ref.sha256 != source.sha256:
        raise IntegrityError(f"{source.uri} is not {ref.short}: its sha256 is {source.sha256}")
    return ref


def keeps_copy(config: DataConfig, size: int) -> bool:
    """Say whether the registry is to keep a copy of data of this size in bytes; else it only keeps their manifest."""
    return config.keep == "copy" or (config.keep is None and size <= COPY_LIMIT)


# --- checks ------------------------------------------------------------------------------------------------------


def _check_columns(frame: pd.DataFrame, config: DataConfig) -> None:
    present = [str(name) for name in frame.columns]
    wanted = [("data.id_column", config.id_column), ("data.target", config.target)]
    wanted += [("data.drop", name) for name in config.drop]
    for key, name in wanted:
        if name not in present:
            raise InvalidInput(
                f"{key}: the table has no column {name!r}; it has {_some(present, 30)}",
                hint=did_you_mean(near(name, present)) or f"correct {key} in the config",
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
    if ids.dtype != "str":
        frame = frame.assign(**{column: ids.map(str)})
    frame = frame.sort_values(column, ignore_index=True)  # by code points, whose order UTF-8 keeps
    repeated = frame[column] == frame[column].shift()
    if repeated.any():
        names = sorted(set(frame.loc[repeated, column]))
        raise InvalidInput(
            f"{column} is not unique: {_some(names)} occur more than once ({len(names)} ids)",
            hint="keep one row of each id",
            repeated=names[:10],
        )
    return frame


def _texts(column: pd.Series) -> Iterator[str]:
    """Return the values of a column of text, of which only a piece at a time is made into Python's objects."""
    pieces = range(0, len(column), _PIECE_ROWS)
    return chain.from_iterable(column.iloc[start : start + _PIECE_ROWS].tolist() for start in pieces)


def _target(frame: pd.DataFrame, config: DataConfig) -> tuple[NDArray[Any], tuple[str, ...]]:
    target = frame[config.target]
    missing = target.isna()
    if missing.any():
        ids = frame.loc[missing, config.id_column].tolist()
        raise InvalidInput(f"{config.target} is missing for {_some(ids)} ({len(ids)} rows)", hint="leave them out")
    return (_values(target, config), ()) if config.task == "regression" else _classes(target, config)


def _values(target: pd.Series, config: DataConfig) -> NDArray[Any]:
    import numpy as np
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(target.dtype) or pd.api.types.is_bool_dtype(target.dtype):
        raise InvalidInput(f"{config.target} does not hold numbers", hint="set data.task to classification")
    if config.positive is not None:
        raise InvalidInput("data.positive is for classes, and data.task is regression", hint="remove one of them")
    values: NDArray[Any] = target.to_numpy(dtype="float64")
    if not np.isfinite(values).all():
        raise InvalidInput(f"{config.target} holds infinite numbers", hint="correct them, or leave those rows out")
    return values


def _classes(target: pd.Series, config: DataConfig) -> tuple[NDArray[Any], tuple[str, ...]]:
    import numpy as np

    codes, labels = _factorized(target)
    found = in_order(set(labels))
    if len(found) == 1:
        raise InvalidInput(f"{config.target} holds only {found[0]!r}", hint="the target must have two classes or more")
    if len(found) > max(_FEW_CLASSES, len(codes) // 2):
        raise InvalidInput(
            f"{config.target} holds {len(found)} values in {len(codes)} rows: {_some(found)}",
            hint="these look like no classes; set data.task to regression, or correct data.target",
        )
    if len(found) == _TWO:
        positive = find_positive((found[0], found[1]), config.positive)
        found = [*(label for label in found if label != positive), positive]
    elif config.positive is not None:
        raise InvalidInput(
            f"data.positive is for two classes, and {config.target} has {len(found)}: {_some(found)}",
            hint="remove data.positive, or correct data.target",
        )
    numbers = {label: number for number, label in enumerate(found)}
    return np.array([numbers[label] for label in labels], dtype=np.int64)[codes], tuple(found)


def _factorized(target: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Return of each row the place of its label, and the labels at these places."""
    import pandas as pd

    if target.dtype == object:  # pandas takes True and 1 for the same
        target = target.map(label_text)
    codes, values = pd.factorize(target)
    return codes, [label_text(value) for value in values.tolist()]


def _features(frame: pd.DataFrame, training: NDArray[np.bool_], config: DataConfig) -> Columns:
    import pandas as pd

    numeric: list[str] = []
    categorical: list[str] = []
    for name in frame.columns:
        if name in (config.id_column, config.target, *config.drop):
            continue
        column = frame[name]
        if not column.notna().to_numpy()[training].any():
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
    kinds = sorted({kind.__name__ for kind in value_types(column)})
    if kinds not in (["str"], ["bool"]):
        raise InvalidInput(
            f"{name} holds {' and '.join(kinds)} values, which is no feature",
            hint=f"make it all numbers or all text, or add {name} to data.drop",
        )


def _check_sides(target: NDArray[Any], classes: tuple[str, ...], test: NDArray[np.bool_], config: DataConfig) -> None:
    for side, mask in (("test", test), ("training", ~test)):
        rows, there = int(mask.sum()), len(set(target[mask].tolist()))
        if not rows:
            problem = f"the split leaves no {side} rows"
        elif not classes and rows < _TWO:
            problem = f"the split leaves one {side} row, of which no figure can be made"
        elif classes and there < _TWO:
            problem = f"the {rows} {side} rows hold only one class of {config.target}"
        elif side == "training" and there < len(classes):
            problem = f"the {rows} training rows lack {len(classes) - there} of the classes of {config.target}"
        else:
            continue
        raise InvalidInput(problem, hint="give it more rows, or change data.test_fraction or data.salt")


def _some(names: Sequence[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown}, …" if len(names) > limit else shown
