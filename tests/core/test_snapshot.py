"""Snapshots as documents and as references."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.names import is_name
from artreg.core.snapshot import ColumnTotals, Snapshot, SnapshotRef, TableDescription, parse_snapshot, snapshot_name
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import replace

TABLE = TableDescription(
    sha256="ab" * 32,
    size=10,
    suffix="csv",
    rows=2,
    columns=(ColumnTotals("id", "text", 2, 0), ColumnTotals("age", "integer", 1, 1, 3.0, 4.0, 3.5)),
    profile={"id": {"type": "text"}},
    profile_rows=2,
    id_column="id",
)
SNAPSHOT = Snapshot("churn", TABLE, True, "data/churn.csv", "2026-01-02T03:04:05.678Z", "ada", "w" * 32)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), st.binary(min_size=32, max_size=32))
def test_a_reference_comes_back_as_it_was(name: str, digest: bytes) -> None:
    ref = SnapshotRef(name, digest.hex())
    assert SnapshotRef.parse(str(ref)) == ref


@given(st.text(max_size=100))
def test_no_other_text_is_a_reference(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert str(SnapshotRef.parse(text)) == text


@given(st.text(max_size=100))
def test_any_text_gives_a_name(text: str) -> None:
    assert is_name(snapshot_name(text))


@pytest.mark.parametrize(
    ("text", "name"), [("churn", "churn"), ("My Table (1)", "my-table-1"), ("…", "data"), ("a..b", "a-b")]
)
def test_a_file_s_stem_gives_a_readable_name(text: str, name: str) -> None:
    assert snapshot_name(text) == name


@pytest.mark.parametrize("snapshot", [SNAPSHOT, replace(SNAPSHOT, copied=False, source="s3://lake/churn.csv")])
def test_a_manifest_comes_back_as_it_was(snapshot: Snapshot) -> None:
    assert parse_snapshot(snapshot.encode(), snapshot.ref) == snapshot
    assert snapshot.document()["uri"] == ("data.csv" if snapshot.copied else "s3://lake/churn.csv")


def test_a_manifest_in_the_wrong_place_or_of_another_format() -> None:
    with pytest.raises(IntegrityError, match="belongs elsewhere"):
        parse_snapshot(SNAPSHOT.encode(), SnapshotRef("other", TABLE.sha256))
    newer = SNAPSHOT.encode().replace(b"artreg/snapshot/1", b"artreg/snapshot/2")
    with pytest.raises(IntegrityError, match="does not know"):
        parse_snapshot(newer, SNAPSHOT.ref)


@given(st.integers(0, len(SNAPSHOT.encode()) - 1), st.integers(0, 7))
def test_a_flipped_bit_never_gives_the_same_snapshot(place: int, bit: int) -> None:
    data = bytearray(SNAPSHOT.encode())
    data[place] ^= 1 << bit
    with contextlib.suppress(IntegrityError):
        assert parse_snapshot(bytes(data), SNAPSHOT.ref) != SNAPSHOT  # checksum.txt tells the rest
