"""Data that DVC tracks are recorded as such, and checked by its md5."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from artreg.errors import IntegrityError, InvalidInput
from artreg.training.source import read_source, table_file

DATA = b"id,a\n1,2\n"


def tracked(folder: Path, text: str | None = None) -> Path:
    (folder / "data").mkdir()
    (folder / "data" / "t.csv").write_bytes(DATA)
    md5 = hashlib.md5(DATA).hexdigest()
    default = f"outs:\n- md5: {md5}\n  size: {len(DATA)}\n  hash: md5\n  path: t.csv\n"
    (folder / "data" / "t.csv.dvc").write_text(default if text is None else text)
    return folder


def test_the_data_beside_are_read_and_the_file_is_recorded(tmp_path: Path) -> None:
    source = read_source("data/t.csv.dvc", tracked(tmp_path))
    assert (source.name, source.uri, source.data) == ("t", "data/t.csv.dvc", DATA)
    md5 = hashlib.md5(DATA).hexdigest()
    assert source.lineage == {"dvc": {"file": "data/t.csv.dvc", "path": "data/t.csv", "md5": md5, "size": len(DATA)}}
    with table_file("data/t.csv.dvc", tmp_path) as table:
        assert (table.name, table.path.read_bytes()) == ("t", DATA)


def test_data_that_changed_since_dvc_saw_them_are_refused(tmp_path: Path) -> None:
    (tracked(tmp_path) / "data" / "t.csv").write_bytes(DATA + b"2,3\n")
    with pytest.raises(IntegrityError, match=r"data/t\.csv is not what data/t\.csv\.dvc names") as caught:
        read_source("data/t.csv.dvc", tmp_path)
    assert "dvc checkout" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("outs: []\n", "exactly one file"),
        ("[1]\n", "exactly one file"),
        ("outs:\n- md5: 0123.dir\n  path: t\n", "tracks a folder"),
        ("outs:\n- path: t.csv\n", "no file with an md5"),
        (f"outs:\n- md5: {'a' * 32}\n  path: ../t.csv\n", "outside of its own folder"),
        (f"outs:\n- md5: {'a' * 32}\n  path: /etc/passwd\n", "outside of its own folder"),
        ("outs: [\n", "line 2, column 1"),
    ],
)
def test_what_is_no_dvc_file_of_a_table_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read_source("data/t.csv.dvc", tracked(tmp_path, text))


def test_a_dvc_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"t\.csv\.dvc"):
        read_source("t.csv.dvc", tmp_path)
