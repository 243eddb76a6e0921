"""Where a table's bytes come from: a file, a URL, or a table that is bundled with scikit-learn.

The bytes are read once. What is hashed is what is parsed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artreg.core.config import data_path_problem
from artreg.errors import InvalidInput, StorageError
from artreg.training.redact import redact_url

_HINT = "`make data` makes the churn data; for other data correct data.path in the config (or --set data.path=…)"


@dataclass(frozen=True)
class Source:
    """The bytes of a table.

    Attributes:
        name: A short name for people.
        uri: Where they came from, as configured, without credentials.
        data: The bytes.
    """

    name: str
    uri: str
    data: bytes


def read_source(path: str, base: Path) -> Source:
    """Read the bytes that `path` names.

    Args:
        path: A file (relative to `base`, or absolute), a URL, or `sklearn:breast_cancer`.
        base: The folder that relative paths are taken from.

    Raises:
        InvalidInput: There is no such file or table, or it is empty.
        StorageError: The URL's storage cannot be reached or refuses.
    """
    problem = data_path_problem(path)
    if problem:
        raise InvalidInput(f"data.path {problem}", hint="correct data.path in the config")
    uri = redact_url(path)
    if path.startswith("sklearn:"):
        data = _bundled()
    elif "://" in path:
        data = _fetch(path, uri)
    else:
        data = _read_file(base / path, path)
    if not data:
        raise InvalidInput(f"the data file {uri} is empty", hint=_HINT)
    return Source(name=PurePosixPath(path.rpartition(":")[2]).stem, uri=uri, data=data)


def _read_file(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(f"there is no data file {shown} in {os.fspath(path.parent)}", hint=_HINT) from None
    except IsADirectoryError:
        raise InvalidInput(f"the data file {shown} is a folder", hint="name a CSV or Parquet file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"the data file {shown} cannot be read: {reason}", hint="name a readable file") from None


def _fetch(url: str, shown: str) -> bytes:
    import fsspec

    try:
        with fsspec.open(url, "rb") as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError:
        raise InvalidInput(f"there is no data file {shown}", hint="correct data.path in the config") from None
    except ImportError as error:
        name = error.name or "a file system package"
        raise InvalidInput(f"{shown} needs {name}, which is not installed", hint=f"install {name}") from None
    except Exception as error:  # each file system has exceptions of its own, with no common base
        raise StorageError(
            f"{shown} cannot be read ({type(error).__name__})", hint="check the address, the network, the credentials"
        ) from error


def _bundled() -> bytes:
    """Return scikit-learn's breast cancer table as CSV, with an id for each row and names for its labels."""
    from sklearn.datasets import load_breast_cancer

    bundle = load_breast_cancer(as_frame=True)
    frame = bundle.data
    names = bundle.target_names
    frame.insert(0, "sample_id", [f"S{row:04d}" for row in range(len(frame))])
    frame["diagnosis"] = [str(names[label]) for label in bundle.target]
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")
