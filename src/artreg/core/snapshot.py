"""A data snapshot: a table under the digest of its own bytes, and the manifest that says what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from artreg.core import canonical
from artreg.core.names import is_name
from artreg.core.strict import counted, parse_strictly, typed
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen

FORMAT = "artreg/snapshot/1"
_FULL = re.compile(r"sha256:(?P<sha256>[0-9a-f]{64})")
_UNFIT = re.compile(r"[^a-z0-9._-]+|\.\.+")
_LONGEST = 64
_SHOWN = 100


class SnapshotRef(Frozen):
    """Which snapshot is meant, to the byte.

    Attributes:
        name: The name of the dataset.
        sha256: Of the data's bytes, 64 lower-case hexadecimal digits.
    """

    name: str
    sha256: str

    @classmethod
    def parse(cls, text: str) -> SnapshotRef:
        """Read `name@sha256:<64 hexadecimal digits>`; what `str` gives comes back as it was.

        Raises:
            InvalidInput: It is none.
        """
        name, at, target = text.partition("@")
        match = _FULL.fullmatch(target)
        if not at or not is_name(name) or match is None:
            raise InvalidInput(
                f"{text[:_SHOWN]!r} is not a snapshot",
                hint="write it as churn@sha256:…, with all 64 digits; artreg data list --json shows them",
            )
        return cls(name, match["sha256"])

    def __str__(self) -> str:
        return f"{self.name}@sha256:{self.sha256}"

    def __lt__(self, other: SnapshotRef) -> bool:
        return (self.name, self.sha256) < (other.name, other.sha256)

    @property
    def short(self) -> str:
        """As people read it: it is unambiguous among all but astronomically many."""
        return f"{self.name}@sha256:{self.sha256[:12]}"


class ColumnTotals(Frozen):
    """What is known of a column from every row, however many there are.

    Attributes:
        name: The column.
        type: boolean, integer, number, text, timestamp or other.
        count: Rows with a value.
        missing: Rows without one.
        least: The least value of a column of numbers, else None.
        most: The greatest; the same.
        mean: Their mean; the same.
    """

    name: str
    type: str
    count: int
    missing: int
    least: float | None = None
    most: float | None = None
    mean: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        totals: dict[str, Any] = {"name": self.name, "type": self.type, "count": self.count, "missing": self.missing}
        numbers = {"min": self.least, "max": self.most, "mean": self.mean}
        return totals | {key: value for key, value in numbers.items() if value is not None}


class TableDescription(Frozen):
    """What a table holds.

    Attributes:
        sha256: Of its bytes.
        size: Bytes.
        suffix: `csv` or `parquet`.
        rows: How many rows it has.
        columns: Its columns, in order.
        profile: Of each column what its values look like, as in a version's data manifest.
        profile_rows: From how many rows the profile was made: all, or a sample.
        id_column: The column that names the rows, where that was said.
    """

    sha256: str
    size: int
    suffix: str
    rows: int
    columns: tuple[ColumnTotals, ...]
    profile: Mapping[str, Any]
    profile_rows: int
    id_column: str | None

    @property
    def schema_hash(self) -> str:
        """The digest of the columns' names and types."""
        return schema_hash([{"name": column.name, "type": column.type} for column in self.columns])


class Snapshot(Frozen):
    """The manifest of a snapshot.

    Attributes:
        name: The name of the dataset.
        table: What it holds.
        copied: Whether the registry keeps the bytes; else it only knows where they lie.
        source: Where the bytes came from, or, if they are not copied, where they lie; without credentials.
        created_at: When it was taken, RFC 3339 in UTC.
        created_by: Who took it.
        write_id: Random; names the attempt, so that a writer knows its own.
    """

    name: str
    table: TableDescription
    copied: bool
    source: str
    created_at: str
    created_by: str
    write_id: str

    @property
    def ref(self) -> SnapshotRef:
        """Which snapshot it is."""
        return SnapshotRef(self.name, self.table.sha256)

    @property
    def data_file(self) -> str:
        """The name of the file that holds the bytes."""
        return f"data.{self.table.suffix}"

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored."""
        table = self.table
        return {
            "format": FORMAT,
            "name": self.name,
            "uri": self.data_file if self.copied else self.source,
            "source": self.source,
            "copied": self.copied,
            "content_hash": table.sha256,
            "size": table.size,
            "suffix": table.suffix,
            "record_count": table.rows,
            "columns": [column.document() for column in table.columns],
            "schema_hash": table.schema_hash,
            "id_column": table.id_column,
            "profile": dict(table.profile),
            "profile_rows": table.profile_rows,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "write_id": self.write_id,
        }

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        return canonical.dumps(self.document())


def parse_snapshot(data: bytes, ref: SnapshotRef) -> Snapshot:
    """Read a snapshot's manifest strictly.

    Args:
        data: Its bytes.
        ref: The snapshot in whose folder it lies.

    Raises:
        IntegrityError: It is damaged, or belongs elsewhere.
    """
    what = f"the manifest of {ref.short}"
    snapshot = parse_strictly(data, what, FORMAT, _from_document)
    if snapshot.ref != ref:
        raise IntegrityError(f"{what} belongs elsewhere: it is that of {snapshot.ref.short}")
    return snapshot


def snapshot_name(text: str) -> str:
    """Return a text, such as a file's stem, as the name of a dataset: what no name may hold becomes a dash."""
    name = _UNFIT.sub("-", text.lower())[:_LONGEST].strip("-._")
    return name if is_name(name) else "data"


def schema_hash(schema: Sequence[Mapping[str, str]]) -> str:
    """Return the digest of a schema: the names and types of columns, in order."""
    return canonical.digest(canonical.dumps(list(schema)))


def _from_document(document: Mapping[str, Any]) -> Snapshot:
    columns = tuple(_column(entry) for entry in typed(document, "columns", list))
    table = TableDescription(
        sha256=typed(document, "content_hash", str),
        size=counted(document, "size"),
        suffix=_suffix(document),
        rows=counted(document, "record_count"),
        columns=columns,
        profile=typed(document, "profile", dict),
        profile_rows=counted(document, "profile_rows"),
        id_column=typed(document, "id_column", str | None),
    )
    return Snapshot(
        name=typed(document, "name", str),
        table=table,
        copied=typed(document, "copied", bool),
        source=typed(document, "source", str),
        created_at=typed(document, "created_at", str),
        created_by=typed(document, "created_by", str),
        write_id=typed(document, "write_id", str),
    )


def _column(entry: Mapping[str, Any]) -> ColumnTotals:
    numbers = [
        None if entry.get(key) is None else float(typed(entry, key, int | float)) for key in ("min", "max", "mean")
    ]
    return ColumnTotals(
        typed(entry, "name", str),
        typed(entry, "type", str),
        counted(entry, "count"),
        counted(entry, "missing"),
        *numbers,
    )


def _suffix(document: Mapping[str, Any]) -> str:
    suffix: str = typed(document, "suffix", str)
    if suffix not in ("csv", "parquet"):
        raise ValueError(f"suffix is {suffix!r}")
    return suffix
