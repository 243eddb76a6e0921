from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from artreg.errors import InvalidInput
from artreg.training import churn
from artreg.training.churn import COLUMNS, MAX_ROWS, churn_csv, write_churn

GOLDEN = "507b7e221d0a6bd94b431e757a578cf43bf561de170f0c7d0fbe9447016ef5a7"


def test_the_table_is_the_same_on_every_machine() -> None:
    assert hashlib.sha256(churn_csv()).hexdigest() == GOLDEN


@pytest.mark.parametrize("n", [1, 17, 4999, 5000, 7999])
def test_the_first_customers_do_not_depend_on_how_many_there_are(n: int) -> None:
    assert churn_csv(8000).startswith(churn_csv(n))
    assert churn_csv(n).count(b"\n") == n + 1


def test_its_shape() -> None:
    lines = churn_csv().decode("ascii").splitlines()
    rows = [line.split(",") for line in lines]
    assert tuple(rows[0]) == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len({row[0] for row in rows}) == 8001
    missing = {name: sum(row[place] == "" for row in rows[1:]) for place, name in enumerate(COLUMNS)}
    assert {name for name, count in missing.items() if count} == {"payment_method", "data_usage_gb", "satisfaction"}
    churned = sum(row[-1] == "1" for row in rows[1:]) / 8000
    assert 0.25 < churned < 0.35


@pytest.mark.parametrize("n", [0, -1, MAX_ROWS + 1])
def test_impossible_sizes_are_refused(n: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be made"):
        churn_csv(n)


def test_it_replaces_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "churn.csv"
    assert write_churn(path, 5) == path
    write_churn(path, 7)
    assert path.read_bytes() == churn_csv(7)
    assert os.listdir(path.parent) == ["churn.csv"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_churn(tmp_path / "churn.csv", 5)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(churn.os, "fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        write_churn(path, 7)
    assert path.read_bytes() == churn_csv(5)
    assert os.listdir(tmp_path) == ["churn.csv"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_churn(tmp_path / "data" / "churn.csv", 5)
