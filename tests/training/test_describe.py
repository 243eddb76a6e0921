"""A table described piece by piece is described as if it had been read whole."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.errors import IntegrityError, InvalidInput
from artreg.training import describe as module
from artreg.training.churn import write_churn
from artreg.training.data_manifest import column_profile, column_type
from artreg.training.describe import describe
from artreg.training.table import parse_table

CELLS = st.sampled_from(["", "1", "2", "007", "1.5", "true", "False", "x", "NA", "-0.0", "1e400"])


def written(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text)
    return path


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12), chunk=st.integers(1, 5))
def test_types_do_not_depend_on_where_pieces_end(tmp_path_factory, rows: list[tuple[str, str]], chunk: int) -> None:
    text = "\n".join(["id,a,b", *(f"r{n},{a},{b}" for n, (a, b) in enumerate(rows)), ""])
    path = written(tmp_path_factory.mktemp("t"), text)
    whole = parse_table(text.encode(), "t", "id")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_ROWS", chunk)
        described = describe(path, "t", id_column="id")
    assert described.rows == len(rows)
    assert {c.name: c.type for c in described.columns} == {name: column_type(whole[name]) for name in whole.columns}
    assert {c.name: c.missing for c in described.columns} == {n: int(whole[n].isna().sum()) for n in whole.columns}


@pytest.mark.parametrize(
    ("first", "second", "times"),
    [
        ("1", "2", 1),
        ("x", "y", 1),
        ("1.5", "", 1),
        ("x", "", 1),
        ("1", "", 2),  # 1 is read as 1.0
        ("007", "x", 2),
        ("True", "1", 2),
    ],
)
def test_a_table_is_read_once_if_its_pieces_look_alike(
    *, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, times: int
) -> None:
    text = "".join(["id,a\n", *(f"r{n},{first if n < 4 else second}\n" for n in range(8))])
    path = written(tmp_path, text)
    readings = []
    read_csv = pd.read_csv

    def counted(*arguments, **options):
        readings.append(options.get("chunksize"))
        return read_csv(*arguments, **options)

    monkeypatch.setattr(pd, "read_csv", counted)
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    describe(path, "t", id_column="id")
    assert readings.count(4) == times


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300),
    st.decimals(-10_000, 10_000, places=2).map(float),
    st.sampled_from([5e-324, -1e-310, 1e16, -1e16, 2.0**53 + 2, 0.1, -0.0]),
)


@given(st.lists(FLOATS, min_size=1, max_size=80), st.integers(1, 40))
def test_a_sum_is_exact(few: list[float], times: int) -> None:
    assert math.fsum(module._summands(np.array(few * times))) == math.fsum(few * times)


def test_words_for_missing_among_whole_numbers_beyond_64_bits_are_told(tmp_path: Path) -> None:
    cells = ["9223372036854775808", "NA", "1", ""]  # pandas takes all of it for text
    text = "".join(["id,a\n", *(f"r{n},{cell}\n" for n, cell in enumerate(cells))])
    column = describe(written(tmp_path, text), "t", id_column="id").columns[1]
    assert (column.type, column.count, column.missing) == ("text", 2, 2)


def test_a_column_of_infinite_numbers_has_no_totals(tmp_path: Path) -> None:
    column = describe(written(tmp_path, "id,a\nx,1\ny,inf\nz,-inf\n"), "t", id_column="id").columns[1]
    assert (column.type, column.count, column.least, column.most, column.mean) == ("number", 3, None, None, None)


def test_the_profile_is_that_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_churn(tmp_path / "churn.csv", 700)
    whole = parse_table(path.read_bytes(), "churn", "customer_id")
    monkeypatch.setattr(module, "CHUNK_ROWS", 64)
    described = describe(path, "churn", id_column="customer_id")
    assert described.profile == {n: column_profile(whole[n], is_id=n == "customer_id") for n in whole.columns}
    age = next(column for column in described.columns if column.name == "age")
    assert (age.least, age.most) == (whole["age"].min(), whole["age"].max())
    assert age.mean == pytest.approx(whole["age"].mean(), rel=1e-12)


def test_of_many_rows_the_profile_is_that_of_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_churn(tmp_path / "churn.csv", 3000)
    monkeypatch.setattr(module, "CHUNK_ROWS", 100)
    exact = describe(path, "churn", id_column="customer_id")
    monkeypatch.setattr(module, "PROFILE_ROWS", 500)
    sampled = [describe(path, "churn", id_column="customer_id")]
    monkeypatch.setattr(module, "CHUNK_ROWS", 77)
    sampled.append(describe(path, "churn", id_column="customer_id"))
    assert sampled[0].profile == sampled[1].profile  # the sample does not depend on the pieces
    assert (sampled[0].profile_rows, exact.profile_rows) == (500, 3000)
    assert sampled[0].columns == exact.columns  # totals are of every row
    assert sampled[0].profile["age"]["count"] == 500
    assert abs(sampled[0].profile["age"]["mean"] - exact.profile["age"]["mean"]) < 3


def test_parquet_is_described_as_the_same_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_churn(tmp_path / "churn.csv", 300)
    frame = parse_table(path.read_bytes(), "churn", "customer_id")
    frame.to_parquet(tmp_path / "churn.parquet")
    monkeypatch.setattr(module, "CHUNK_ROWS", 64)
    one, two = (describe(tmp_path / f"churn.{kind}", "churn", id_column="customer_id") for kind in ("csv", "parquet"))
    assert (two.suffix, two.columns, two.profile) == ("parquet", one.columns, one.profile)
    assert two.sha256 != one.sha256


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be parsed"),
        ("id,a\n", "has no rows"),
        ("id,a,a\n1,2,3\n", "column a stands twice"),
        ("id,a\n1,2,3\n", "more cells"),
        ("id,b\n1,2\n", "has no column 'wrong'"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        describe(written(tmp_path, text), "t.csv", id_column="wrong" if "wrong" in problem else None)


def test_a_table_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "id,a\n1,2\n")
    scan = module._scan

    def meddle(*arguments):
        found = scan(*arguments)
        path.write_text("id,a\n1,3\n2,4\n")
        return found

    monkeypatch.setattr(module, "_scan", meddle)
    with pytest.raises(IntegrityError, match="changed while it was read"):
        describe(path, "t.csv")


PEAK = """
import re, resource, sys
from pathlib import Path
from artreg.training import describe as d
d.CHUNK_ROWS = d.PROFILE_ROWS = 2000
found = d.describe(Path(sys.argv[1]), "t")
status = Path("/proc/self/status")  # on Linux ru_maxrss begins with what the parent had
kib = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) if status.exists() else 0
print(found.rows, kib or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    peaks = []
    for rows in (4_000, 600_000):
        path = tmp_path / f"{rows}.csv"
        path.write_text("id,text\n" + "".join(f"{n},{'x' * 60}{n}\n" for n in range(rows)))
        done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        found, peak = map(int, done.stdout.split())
        assert found == rows
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 30 * 1024  # the larger table has 44 MB as text
