from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest

from artreg.core.config import DataConfig
from artreg.errors import InvalidInput, StorageError
from artreg.training.data import Dataset, load_dataset, read_data
from artreg.training.split import is_test

HEADER = "id,age,plan,churned\n"
ROWS = [f"u{n:02d},{20 + n},{'ab'[n % 2]},{n % 3 % 2}\n" for n in range(40)]


def _load(config: DataConfig, folder: Path) -> Dataset:
    return load_dataset(config, read_data(config, folder))


def load(folder: Path, text: str | bytes, **settings: Any) -> Dataset:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    plain = {"path": "t.csv", "id_column": "id", "target": "churned", "test_fraction": 0.3, "salt": "s"}
    return _load(DataConfig(**{**plain, **settings}), folder)


def test_a_table_is_loaded_checked_and_split(tmp_path: Path) -> None:
    text = HEADER + "".join(ROWS)
    dataset = load(tmp_path, text)
    assert dataset.content_hash == hashlib.sha256(text.encode()).hexdigest()
    assert (dataset.name, dataset.uri, dataset.classes) == ("t", "t.csv", ("0", "1"))
    assert (dataset.features.numeric, dataset.features.categorical) == (("age",), ("plan",))
    assert dataset.target.tolist() == [n % 3 % 2 for n in range(40)]
    assert dataset.test.tolist() == [is_test("s", f"u{n:02d}", 0.3) for n in range(40)]


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    one = load(tmp_path, HEADER + "".join(ROWS))
    two = load(tmp_path, HEADER + "".join(shuffled))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.test.tolist() == two.test.tolist()


def test_ids_are_text(tmp_path: Path) -> None:
    rows = [f"{n:03d},{n},a,{n % 2}\n" for n in range(40)]
    assert load(tmp_path, HEADER + "".join(rows)).frame["id"].tolist()[7] == "007"


def test_dropped_columns_are_no_features(tmp_path: Path) -> None:
    dataset = load(tmp_path, HEADER + "".join(ROWS), drop=["plan"])
    assert (dataset.features.numeric, dataset.features.categorical) == (("age",), ())


def test_the_words_for_missing_values(tmp_path: Path) -> None:
    rows = [*ROWS, "x1,NA,None,1\n", "x2,,none,0\n", "x3,7,null,0\n"]
    frame = load(tmp_path, HEADER + "".join(rows)).frame.set_index("id")
    assert frame.loc[["x1", "x2", "x3"], "age"].isna().tolist() == [True, True, False]
    assert frame.loc[["x1", "x2"], "plan"].tolist() == ["None", "none"]
    assert frame["plan"].isna().sum() == 1


BAD: list[tuple[str, str | bytes, dict[str, Any], str, str]] = [
    ("empty", "", {}, "is empty", "make data"),
    ("blank", "\n\n", {}, "cannot be parsed", "CSV"),
    ("no rows", HEADER, {}, "has no rows", "rows"),
    ("binary", b"\xff\xfe\x00", {}, "cannot be parsed", "CSV"),
    ("broken parquet", b"PAR1xxxx", {}, "cannot be parsed", "CSV"),
    ("ragged", HEADER + "a,1,b,1,9\n", {}, "more cells than the header", "CSV"),
    ("ragged later", HEADER + ROWS[0] + "a,1,b,1,9\n", {}, "cannot be parsed", "CSV"),
    ("column twice", "id,age,age,churned\n1,2,3,1\n", {}, "column age stands twice", "CSV"),
    ("no id column", HEADER + "".join(ROWS), {"id_column": "ids"}, "no column 'ids'; it has id, age", "mean id?"),
    ("no target", HEADER + "".join(ROWS), {"target": "churn"}, "no column 'churn'", "did you mean churned?"),
    ("no such drop", HEADER + "".join(ROWS), {"drop": ["plam"]}, "data.drop: the table has no column 'plam'", "plan"),
    ("id missing", HEADER + "".join(ROWS) + ",1,a,1\n", {}, "id is missing in row 41", "every row"),
    ("id repeated", HEADER + "".join(ROWS) + ROWS[3] + ROWS[5], {}, "u03, u05 occur more than once (2 ids)", "one row"),
    ("target missing", HEADER + "".join(ROWS) + "x9,1,a,\n", {}, "churned is missing for x9 (1 rows)", "leave"),
    ("one class", HEADER + "".join(f"u{n},{n},a,1\n" for n in range(9)), {}, "holds only '1'", "two classes"),
    (
        "too many classes",
        HEADER + "".join(f"u{n:02},{n},a,{n}\n" for n in range(40)),
        {},
        "40 values in 40",
        "regression",
    ),
    (
        "positive of three",
        HEADER + "".join(f"u{n},{n},a,{n % 3}\n" for n in range(9)),
        {"positive": 1},
        "is for two",
        "",
    ),
    (
        "values of text",
        HEADER + "".join(ROWS),
        {"target": "plan", "task": "regression"},
        "does not hold numbers",
        "class",
    ),
    ("values and positive", HEADER + "".join(ROWS), {"task": "regression", "positive": 1}, "is for classes", "remove"),
    ("infinite value", HEADER + "u1,1,a,inf\nu2,1,a,2\n", {"task": "regression"}, "infinite numbers", "leave"),
    ("unclear", HEADER + "".join(f"u{n},{n},a,{'xy'[n % 2]}\n" for n in range(9)), {}, "cannot be told", "positive"),
    ("no test rows", HEADER + "".join(ROWS), {"test_fraction": 1e-9}, "leaves no test rows", "test_fraction"),
    ("no train rows", HEADER + "".join(ROWS), {"test_fraction": 1 - 1e-12}, "leaves no training rows", "test_fraction"),
    (
        "one-class side",
        HEADER + "".join(f"u{n},{n},a,{int(n == 0)}\n" for n in range(30)),
        {},
        "only one class",
        "rows",
    ),
    ("empty column", HEADER + "".join(f"u{n},,a,{n % 2}\n" for n in range(30)), {}, "age holds no value", "data.drop"),
    ("infinite", HEADER + "".join(ROWS) + "x9,inf,a,1\n", {}, "age holds infinite", "data.drop"),
    ("no features", "id,churned\n" + "".join(f"u{n},{n % 2}\n" for n in range(30)), {}, "no columns to learn", "drop"),
]


@pytest.mark.parametrize(
    ("text", "settings", "message", "hint"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_bad_table_is_refused(
    tmp_path: Path, text: str | bytes, settings: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, text, **settings)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    config = DataConfig(path="data/churn.csv", id_column="id", target="t")
    with pytest.raises(InvalidInput, match=r"there is no data file data/churn\.csv") as caught:
        _load(config, tmp_path)
    assert "make data" in caught.value.hint


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is a folder"):
        _load(DataConfig(path=".", id_column="id", target="t"), tmp_path)


def test_the_bundled_table() -> None:
    config = DataConfig(path="sklearn:breast_cancer", id_column="sample_id", target="diagnosis", positive="malignant")
    dataset = _load(config, Path())
    assert (dataset.name, dataset.classes[1]) == ("breast_cancer", "malignant")
    assert len(dataset.frame) == 569
    assert int(dataset.target.sum()) == 212
    assert len(dataset.features.numeric) == 30


# --- other formats and places ------------------------------------------------------------------------------------


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    text = HEADER + "".join(ROWS)
    frame = pd.read_csv(io.StringIO(text))
    frame["plan"] = frame["plan"].astype("category")
    frame["age"] = frame["age"].astype("Float64")
    one, two = load(tmp_path, text), load(tmp_path, parquet(frame))
    assert one.features == two.features
    assert one.target.tolist() == two.target.tolist()
    assert one.frame["age"].tolist() == two.frame["age"].tolist()
    assert one.frame["plan"].tolist() == two.frame["plan"].tolist()


def test_nullable_parquet_columns_become_plain_ones(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(40), "churned": [n % 2 == 0 for n in range(40)]})
    frame["count"] = pd.array([None if n == 3 else n for n in range(40)], dtype="Int64")
    frame["flag"] = pd.array([None if n == 5 else n % 2 == 0 for n in range(40)], dtype="boolean")
    dataset = load(tmp_path, parquet(frame))
    assert (dataset.features.numeric, dataset.features.categorical) == (("count",), ("flag",))
    assert dataset.frame["count"].dtype == np.float64
    assert dataset.classes == ("false", "true")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.Series(pd.date_range("2024-01-01", periods=40)), "x holds Timestamp values"),
        (pd.Series([[n] for n in range(40)]), "x holds ndarray values"),
        (pd.Series([b"x"] * 40), "x holds bytes values"),
    ],
)
def test_columns_that_are_no_features_are_refused(tmp_path: Path, column: pd.Series, message: str) -> None:
    frame = pd.DataFrame({"id": range(40), "churned": [n % 2 for n in range(40)], "age": range(40), "x": column})
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, parquet(frame))
    assert message in caught.value.message
    assert load(tmp_path, parquet(frame), drop=["x"]).features.numeric == ("age",)


def test_ids_that_are_fractions_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [n / 2 for n in range(40)], "churned": [n % 2 for n in range(40)], "age": range(40)})
    with pytest.raises(InvalidInput, match="id holds float64 values"):
        load(tmp_path, parquet(frame))


def test_a_table_by_url(tmp_path: Path) -> None:
    text = HEADER + "".join(ROWS)
    with fsspec.open("memory://tables/t.csv", "wb") as file:
        file.write(text.encode())
    dataset = load(tmp_path, text, path="memory://tables/t.csv")
    assert (dataset.uri, dataset.name) == ("memory://tables/t.csv", "t")
    assert dataset.content_hash == hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(InvalidInput, match="there is no data file memory://tables/other"):
        load(tmp_path, text, path="memory://tables/other.csv")


def test_a_storage_that_fails_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("secret detail")

    monkeypatch.setattr(fsspec, "open", refuse)
    with pytest.raises(StorageError) as caught:
        load(tmp_path, "", path="s3://bucket/x.csv")
    assert caught.value.message == "s3://bucket/x.csv cannot be read (PermissionError)"


def test_a_file_system_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError("no", name="gcsfs")

    monkeypatch.setattr(fsspec, "open", refuse)
    with pytest.raises(InvalidInput, match="needs gcsfs"):
        load(tmp_path, "", path="gs://bucket/x.csv")
