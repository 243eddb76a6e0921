"""Where a table's bytes come from: a file, a URL, a file that DVC tracks, or a table that a library brings along.

For training the bytes are read once: what is hashed is what is parsed. Whoever only describes a table gets it as a
file, whatever its size.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from artreg.core.config import data_path_problem
from artreg.core.redact import redact_url
from artreg.errors import InvalidInput, StorageError
from artreg.training.dvc import DVC_SUFFIX, Tracked, read_tracked

_BUFFER = 2**20
_HINT = "`make data` makes the churn data; for other data correct data.path in the config (or --set data.path=…)"


@dataclass(frozen=True)
class Source:
    """The bytes of a table.

    Attributes:
        name: A short name for people.
        uri: Where they came from, as configured, without credentials.
        data: The bytes.
        lineage: What else is known of where they come from, such as DVC's record of them; representable in JSON.
    """

    name: str
    uri: str
    data: bytes = field(repr=False)
    lineage: Mapping[str, object] | None = None

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class TableFile:
    """A table as a local file.

    Attributes:
        name: A short name for people.
        uri: Where it came from, without credentials.
        lies_at: The same, but for a local file its absolute path, so that it is found from any folder.
        path: The file.
    """

    name: str
    uri: str
    lies_at: str
    path: Path


def read_source(path: str, base: Path) -> Source:
    """Read the bytes that `path` names.

    Args:
        path: A file (relative to `base`, or absolute), a URL, a bundled table such as `sklearn:breast_cancer`, or a
            `.dvc` file, which names the data beside it.
        base: The folder that relative paths are taken from.

    Raises:
        InvalidInput: There is no such file or table, or it is empty.
        IntegrityError: The data are not those that the `.dvc` file names.
        StorageError: The URL's storage cannot be reached or refuses.
    """
    _require_safe(path)
    uri = redact_url(path)
    tracked: Tracked | None = None
    if path.startswith("sklearn:"):
        data = _bundled(path.removeprefix("sklearn:"))
    elif "://" in path:
        with _opened(path, uri) as file:
            data = file.read()
    elif path.endswith(DVC_SUFFIX):
        tracked = read_tracked(base / path, path)
        data = _read_file(base / tracked.data_path, tracked.data_path)
        tracked.require(data)
    else:
        data = _read_file(base / path, path)
    if not data:
        raise InvalidInput(f"the data file {uri} is empty", hint=_HINT)
    lineage = None if tracked is None else {"dvc": tracked.document()}
    return Source(_stem(tracked.data_path if tracked else path), uri, data, lineage)


@contextlib.contextmanager
def table_file(path: str, base: Path) -> Iterator[TableFile]:
    """Provide the table that `path` names as a file; what lies elsewhere is fetched piece by piece.

    Raises:
        InvalidInput: There is no such file or table.
        IntegrityError: The data are not those that the `.dvc` file names.
        StorageError: The URL's storage cannot be reached or refuses, or there is no room.
    """
    _require_safe(path)
    if "://" not in path and ":" not in path and not path.endswith(DVC_SUFFIX):
        if not (base / path).is_file():
            _read_file(base / path, path)  # says why not
        yield TableFile(_stem(path), path, os.path.abspath(base / path), base / path)
        return
    with tempfile.TemporaryDirectory(prefix="artreg-data-") as folder:
        fetched = Path(folder, "table")
        if "://" in path:
            with _opened(path, redact_url(path)) as source, fetched.open("wb") as file:
                shutil.copyfileobj(source, file, _BUFFER)
            name = _stem(path)
        else:
            whole = read_source(path, base)
            fetched.write_bytes(whole.data)
            name = whole.name
        elsewhere = "://" in path or path.startswith("sklearn:")
        yield TableFile(
            name, redact_url(path), redact_url(path) if elsewhere else os.path.abspath(base / path), fetched
        )


def _require_safe(path: str) -> None:
    problem = data_path_problem(path)
    if problem:
        raise InvalidInput(f"data.path {problem}", hint="correct data.path in the config")


def _stem(path: str) -> str:
    return PurePosixPath(path.rpartition(":")[2]).stem


def _read_file(path: Path, shown: str) -> bytes:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"the data file {shown} is no plain file", hint="name a CSV or Parquet file")
            return file.read()
    except FileNotFoundError:
        raise InvalidInput(f"there is no data file {shown} in {os.fspath(path.parent)}", hint=_HINT) from None
    except IsADirectoryError:
        raise InvalidInput(f"the data file {shown} is a folder", hint="name a CSV or Parquet file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"the data file {shown} cannot be read: {reason}", hint="name a readable file") from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a FIFO would wait for somebody to write


@contextlib.contextmanager
def _opened(url: str, shown: str) -> Iterator[IO[bytes]]:
    import fsspec

    try:
        with fsspec.open(url, "rb") as file:
            yield file
    except FileNotFoundError:
        raise InvalidInput(f"there is no data file {shown}", hint="correct data.path in the config") from None
    except ImportError as error:
        name = error.name or "a file system package"
        raise InvalidInput(f"{shown} needs {name}, which is not installed", hint=f"install {name}") from None
    except Exception as error:  # each file system has exceptions of its own, with no common base
        raise StorageError(
            f"{shown} cannot be read ({type(error).__name__})", hint="check the address, the network, the credentials"
        ) from error


def _bundled(name: str) -> bytes:
    """Return a table of scikit-learn's as CSV, with an id for each row, and names for its labels where it has some."""
    from sklearn import datasets

    bundle = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bundle.data
    if name == "digits":  # 8 x 8 pixels, row by row
        frame.columns = [f"p{row}{column}" for row in range(8) for column in range(8)]
    frame.insert(0, "sample_id", [f"S{row:04d}" for row in range(len(frame))])
    labels = {"breast_cancer": "diagnosis", "digits": "digit", "diabetes": "progression"}.get(name, "label")
    names = bundle.get("target_names") if name in ("breast_cancer", "iris", "wine") else None
    frame[labels] = bundle.target if names is None else [str(names[label]) for label in bundle.target]
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")
