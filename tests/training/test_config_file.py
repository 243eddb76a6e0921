from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.config import (
    BUNDLED_TABLES,
    DataConfig,
    HistGradientBoostingConfig,
    HistGradientBoostingParams,
    LogisticRegressionConfig,
    LogisticRegressionParams,
    TrainingConfig,
)
from artreg.errors import InvalidInput
from artreg.training.config_file import dump_config, load_config
from artreg.yamldoc import MAX_BYTES, parse_yaml

PLAIN = """
seed: 42
data: {path: data/churn.csv, id_column: customer_id, target: churned, test_fraction: 0.2, salt: churn-v1}
model:
  learning_rate: 1e-1
  max_iter: 100
  max_depth: null
  l2_regularization: 0
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        load_config(write(folder, text))
    assert caught.value.hint
    return caught.value


def test_a_plain_config_loads(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, PLAIN), ["model.max_iter=5"])
    assert isinstance(config, HistGradientBoostingConfig)
    assert (config.model.max_iter, config.model.learning_rate, config.model.max_depth) == (5, 0.1, None)


@pytest.mark.parametrize("name", ["default", "logistic", "breast_cancer"])
def test_the_configs_of_the_checkout_load(configs: Path, name: str) -> None:
    assert load_config(configs / f"{name}.yaml").seed == 42


def test_the_default_config_is_a_plain_one(configs: Path) -> None:
    document = parse_yaml((configs / "default.yaml").read_bytes(), "default")
    assert isinstance(document, dict)
    assert set(document) == {"seed", "data", "model"}
    assert set(document["model"]) == {"learning_rate", "max_iter", "max_depth", "l2_regularization"}
    assert set(document["data"]) == {"path", "id_column", "target", "test_fraction", "salt"}


@pytest.mark.parametrize(
    ("text", "expected", "line"),
    [
        ("seed: 1\nseed: 2\n", "duplicate key 'seed'", 2),
        ("data:\n  path: a\n  'path': b\n", "duplicate key 'path'", 3),
        ("a: &x 1\nb: *x\n", "aliases are not allowed", 2),
        ("a: [1, 2\nb: 3\n", "", 2),
        ("a: !!python/object/apply:os.system [id]\n", "could not determine a constructor", 1),
        ("a: !!timestamp never\n", "could not determine a constructor", 1),
        ("a: !!set {b}\n", "could not determine a constructor", 1),
        ("a: 1\n---\nb: 2\n", "found another document", 2),
        ("? [a, b]\n: 1\n", "a key must be text", 1),
        ("a: @x\n", "cannot start any token", 1),
    ],
)
def test_bad_yaml_is_refused_with_its_line(tmp_path: Path, text: str, expected: str, line: int) -> None:
    error = refusal(tmp_path, text)
    assert expected in error.message
    assert f"line {line}," in error.message
    assert error.details["line"] == line


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert "aliases" in refusal(tmp_path, "\n".join(lines)).message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"seed: \xff\n", "not UTF-8 at byte 6"),
        (b"seed: \x00\n", "not YAML"),
        (b"#" * (MAX_BYTES + 1), "larger than"),
        (b"[" * 5000, "nested too deeply"),
        (b"- 1\n", "must be a mapping"),
        (b"", "data: missing"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    assert expected in refusal(tmp_path, data).message


def test_a_missing_file_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").touch()
    with pytest.raises(InvalidInput) as caught:
        load_config(tmp_path / "config.yaml")
    assert "config.yaml" in caught.value.message
    assert "other.yaml" in caught.value.hint


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_config(tmp_path)


def test_a_device_of_endless_bytes_is_not_read() -> None:
    if os.path.exists("/dev/zero"):
        with pytest.raises(InvalidInput, match="no plain file"):
            load_config(Path("/dev/zero"))


# --- round trip --------------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["yes", "no", "null", "~", "1e-3", "0x1F", "2024-01-01", "1:30", "true", "'", '"', "- a", "a: b", "#x", " ", "\n"]
)
names = st.from_regex(r"[a-z0-9](?:[a-z0-9_-]{0,10}[a-z0-9])?", fullmatch=True)
positive_floats = st.floats(min_value=1e-300, max_value=1e300)
data_configs = st.builds(
    DataConfig,
    path=st.sampled_from(["data/x.csv", "s3://b/k", "null", "1e-3", "yes", "été.csv", *BUNDLED_TABLES]),
    id_column=texts.map("i{}".format),
    target=texts.map("t{}".format),
    test_fraction=st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True),
    salt=texts,
    drop=st.lists(texts.map("d{}".format), unique=True, max_size=3).map(tuple),
    positive=st.none() | st.booleans() | st.integers() | texts,
)
common = {
    "project": names,
    "name": names,
    "bump": st.sampled_from(["major", "minor", "patch"]),
    "seed": st.integers(0, 2**32 - 1),
    "data": data_configs,
}
training_configs = st.builds(
    HistGradientBoostingConfig,
    **common,
    model=st.builds(
        HistGradientBoostingParams,
        learning_rate=positive_floats,
        max_iter=st.integers(1, 1000),
        max_depth=st.none() | st.integers(1, 100),
        l2_regularization=st.floats(min_value=0, max_value=1e300),
    ),
) | st.builds(
    LogisticRegressionConfig,
    **common,
    model=st.builds(LogisticRegressionParams, C=positive_floats, class_weight=st.sampled_from([None, "balanced"])),
)


@given(training_configs)
def test_what_is_dumped_loads_as_the_same(tmp_path_factory: pytest.TempPathFactory, config: TrainingConfig) -> None:
    data = dump_config(config)
    again = load_config(write(tmp_path_factory.getbasetemp(), data))
    assert again == config
    assert dump_config(again) == data


def test_normalised_yaml_holds_every_key_in_a_fixed_order(configs: Path) -> None:
    lines = dump_config(load_config(configs / "default.yaml")).decode().splitlines()
    top = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    assert top == ["project", "name", "bump", "seed", "trainer", "data", "model", "cross_validation", "format", "card"]
    assert "  max_bins: 255" in lines
