from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core import canonical
from artreg.core.config import DataConfig
from artreg.core.drift import compare, parse_profile
from artreg.core.drift.distribution import KNOTS, categories_in, numbers_in
from artreg.core.drift.measures import Column, jensen_shannon, kolmogorov_smirnov, psi
from artreg.training import data_manifest as module
from artreg.training.churn import write_churn
from artreg.training.data import load_dataset, read_data
from artreg.training.data_manifest import column_profile, data_manifest

ROWS = [f"u{n:02d},{n if n != 7 else ''},{'aab'[n % 3]},name{n},{n % 2 == 0},{n % 5 % 2}\n" for n in range(40)]
HEADER = "id,age,plan,email,flag,churned\n"


def manifest(folder: Path, rows: list[str], **settings: Any) -> dict[str, Any]:
    (folder / "t.csv").write_text(HEADER + "".join(rows))
    plain = {"path": "t.csv", "id_column": "id", "target": "churned", "test_fraction": 0.3, "salt": "s"}
    config = DataConfig(**{**plain, **settings})
    return data_manifest(config, load_dataset(config, read_data(config, folder)))


def test_what_it_says(tmp_path: Path) -> None:
    found = manifest(tmp_path, ROWS)
    assert found["format"] == "artreg/data/1"
    assert (found["name"], found["uri"], found["record_count"]) == ("t", "t.csv", 40)
    assert found["content_hash"] == canonical.digest((tmp_path / "t.csv").read_bytes())
    types = {"id": "text", "age": "number", "plan": "text", "email": "text", "flag": "boolean", "churned": "integer"}
    assert {column["name"]: column["type"] for column in found["schema"]} == types
    assert found["schema_hash"] == canonical.digest(canonical.dumps(found["schema"]))
    assert found["target"] == {"column": "churned", "positive": "1"}
    split = found["split"]
    assert split["train_rows"] + split["test_rows"] == 40
    assert (split["salt"], split["test_fraction"]) == ("s", 0.3)
    assert "crc32" in split["method"]


def test_the_profile(tmp_path: Path) -> None:
    profile = manifest(tmp_path, ROWS)["profile"]
    age = profile["age"]
    assert (age["count"], age["missing"], age["min"], age["max"]) == (39, 1, 0.0, 39.0)
    values = [n for n in range(40) if n != 7]
    assert age["mean"] == pytest.approx(sum(values) / 39)
    assert age["quantiles"]["0.5"] == 20.0
    assert sum(age["histogram"]["counts"]) == 39
    assert len(age["histogram"]["edges"]) == len(age["histogram"]["counts"]) + 1
    assert profile["plan"]["values"] == {"a": 27, "b": 13}
    assert profile["flag"]["values"] == {"False": 20, "True": 20}


def test_a_numeric_column_of_few_values_is_kept_whole(tmp_path: Path) -> None:
    cdf = manifest(tmp_path, ROWS)["profile"]["churned"]["cdf"]
    assert cdf == {"knots": [0.0, 1.0], "below": [0, 24], "upto": [24, 40]}


NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-60, 60).map(float))


@given(st.lists(NUMBERS, min_size=1, max_size=400))
def test_what_is_known_of_ordered_numbers_is_what_is_known_of_any(column: list[float]) -> None:
    values = np.sort(np.array(column)) + 0.0
    distinct, times = module._runs(values)
    expected = np.unique(values, return_counts=True)
    assert (distinct.tolist(), times.tolist()) == (expected[0].tolist(), expected[1].tolist())
    assert module._thinned(distinct, times) == numbers_in(values.tolist()).thinned()
    with np.errstate(all="ignore"):  # numbers that are too far from each other for a float
        for q in (*module.QUANTILES, 0.0, 1.0):
            assert repr(module._quantile(values, q)) == repr(float(np.quantile(values, q)))


def test_the_most_frequent_values_are_named_and_of_equals_the_first() -> None:
    texts = [f"v{number:02d}" for number in range(70) for _ in range(3 if number % 7 == 0 else 2)]
    found = column_profile(pd.Series(texts[::-1]), is_id=False)
    assert (found["distinct"], found["other"]) == (70, 40)
    thrice = [f"v{number:02d}" for number in range(0, 70, 7)]
    twice = [f"v{number:02d}" for number in range(70) if number % 7][:40]
    assert list(found["values"].items()) == [*((text, 3) for text in thrice), *((text, 2) for text in twice)]


def churn(rows: int) -> DataConfig:
    return DataConfig(path=f"{rows}.csv", id_column="customer_id", target="churned", salt="s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("churn")
    for rows in (2000, 8000):
        write_churn(made / f"{rows}.csv", rows)
    return made


def test_it_is_small_and_reads_back(folder: Path) -> None:
    document = data_manifest(churn(8000), load_dataset(churn(8000), read_data(churn(8000), folder)))
    data = canonical.dumps(document)
    assert len(data) < 60_000
    profile = parse_profile(canonical.loads(data, "it"))
    assert (profile.id_column, profile.target) == ("customer_id", "churned")
    charges = profile.columns["monthly_charges"].values
    assert len(charges.knots) == KNOTS + 1
    assert charges.widest_gap < 1 / KNOTS


def test_drift_from_profiles_is_that_of_the_data_within_its_limits(folder: Path) -> None:
    before, after = (load_dataset(churn(rows), read_data(churn(rows), folder)) for rows in (2000, 8000))
    drifted = after.frame.assign(
        monthly_charges=after.frame["monthly_charges"] * 1.1,
        contract=after.frame["contract"].replace("two-year", "one-year"),
        tenure_months=after.frame["tenure_months"] + 3,
    )
    after = dataclasses.replace(after, frame=drifted)
    tables = [parse_profile(data_manifest(churn(8000), dataset)) for dataset in (before, after)]
    report = compare(*tables)
    assert {column.name for column in report.columns} == set(before.frame.columns) - {"customer_id"}
    for column in report.columns:
        sides = [dataset.frame[column.name] for dataset in (before, after)]
        make, measure = (
            (numbers_in, kolmogorov_smirnov) if column.kind == "numeric" else (categories_in, jensen_shannon)
        )
        raw = [Column(make(side.dropna().tolist()), int(side.isna().sum())) for side in sides]
        exact = measure(raw[0].values, raw[1].values).value
        assert abs(column.distance - exact) < 2 / KNOTS
        assert column.distance_range[0] <= exact <= column.distance_range[1]
        index = psi(*raw).value
        assert column.psi_range[0] - 1e-12 <= index <= column.psi_range[1] + 1e-12
        assert column.psi == pytest.approx(index, abs=0.005)
        if column.distance_range[0] == column.distance_range[1]:
            assert (column.distance, column.psi) == (pytest.approx(exact), pytest.approx(index))


def test_nobody_is_named_in_it(tmp_path: Path) -> None:
    found = manifest(tmp_path, ROWS)
    text = canonical.dumps(found).decode()
    assert "name17" not in text
    assert "u17" not in text
    assert found["profile"]["email"] == {"type": "text", "count": 40, "missing": 0, "distinct": 40}
    assert found["profile"]["id"] == {"type": "text", "count": 40, "missing": 0}


def test_only_the_hash_of_the_bytes_knows_the_order_of_the_rows(tmp_path: Path) -> None:
    one, two = manifest(tmp_path, ROWS), manifest(tmp_path, ROWS[::-1])
    for of_the_bytes in ("content_hash", "snapshot"):
        assert one.pop(of_the_bytes) != two.pop(of_the_bytes)
    assert canonical.dumps(one) == canonical.dumps(two)


def test_the_schema_hash_follows_the_schema_alone(tmp_path: Path) -> None:
    one = manifest(tmp_path, ROWS)
    two = manifest(tmp_path, [row.replace("name", "x") for row in ROWS])
    assert one["schema_hash"] == two["schema_hash"]
    assert one["content_hash"] != two["content_hash"]
    three = manifest(tmp_path, [row.replace(",name", ",") for row in ROWS])
    assert one["schema_hash"] != three["schema_hash"]


def test_columns_of_other_kinds_are_counted_and_left_alone(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(40), "churned": [n % 2 for n in range(40)], "age": range(40)})
    frame["day"] = pd.date_range("2024-01-01", periods=40)
    frame["bag"] = [[n] for n in range(40)]
    frame.to_parquet(tmp_path / "t.parquet")
    config = DataConfig(path="t.parquet", id_column="id", target="churned", drop=("day", "bag"))
    profile = data_manifest(config, load_dataset(config, read_data(config, tmp_path)))["profile"]
    assert profile["day"] == {"type": "timestamp", "count": 40, "missing": 0}
    assert profile["bag"] == {"type": "other", "count": 40, "missing": 0}


EXTREMES = {
    "one value that no fraction can be added to": [2.0**53] * 5,
    "a large whole number": [2**62] * 3,
    "whole numbers that are floats' neighbours": [2.0**53, 2.0**53 + 2, 2.0**53 + 4],
    "the least numbers there are": [0.0, 5e-324],
    "the largest number there is": [1.7976931348623157e308] * 2,
    "numbers whose squares are beyond all floats": [-1e300, 1e300, 3e299],
    "numbers further apart than any float tells": [-1.7e308, 1.7e308],
    "and several of them": [-1.7e308, -1.6e308, 0.0, 1.6e308, 1.7e308],
}


@pytest.mark.parametrize("name", EXTREMES)
def test_numbers_at_the_edge_of_what_floats_hold_have_a_profile_too(name: str) -> None:
    values = EXTREMES[name]
    profile = column_profile(pd.Series(values), is_id=False)
    canonical.loads_canonical(canonical.dumps(profile), "the profile")
    assert (profile["min"], profile["max"]) == (float(min(values)), float(max(values)))
    assert profile["min"] <= profile["mean"] <= profile["max"]
    assert profile["std"] <= profile["max"] / 2 - profile["min"] / 2 + 1e-12 * abs(profile["max"])
    assert list(profile["quantiles"].values()) == sorted(profile["quantiles"].values())
    histogram = profile["histogram"]
    assert sum(histogram["counts"]) == len(values)
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    manifest = {"record_count": len(values), "profile": {"x": profile}, "target": {"column": "x"}, "id_column": "i"}
    same = parse_profile(manifest)
    assert compare(same, same).mean_psi == 0
