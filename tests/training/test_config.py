from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.config import (
    HistGradientBoostingConfig,
    LogisticRegressionConfig,
    TrainingConfig,
    data_path_problem,
    parse_config,
)
from artreg.core.scalars import parse_scalar
from artreg.errors import InvalidInput

PLAIN: dict[str, Any] = {
    "seed": 42,
    "data": {
        "path": "data/churn.csv",
        "id_column": "customer_id",
        "target": "churned",
        "test_fraction": 0.2,
        "salt": "churn-v1",
    },
    "model": {"learning_rate": 0.1, "max_iter": 100, "max_depth": 4, "l2_regularization": 0.0},
}


def problems(document: object, *overrides: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse_config(document, overrides)
    assert caught.value.hint
    found = caught.value.details["problems"]
    assert isinstance(found, list)
    return found


def with_value(key: str, value: object) -> dict[str, Any]:
    section, _, name = key.rpartition(".")
    if not section:
        return {**PLAIN, name: value}
    return {**PLAIN, section: {**PLAIN[section], name: value}}


def test_a_plain_churn_config_loads_unchanged_and_gets_defaults() -> None:
    config = parse_config(PLAIN)
    assert isinstance(config, HistGradientBoostingConfig)
    assert (config.project, config.name, config.bump) == ("demo", "churn", "patch")
    assert config.data.salt == "churn-v1"
    assert config.model.max_depth == 4
    assert config.data.drop == ()


def test_the_trainer_decides_what_the_model_section_may_hold() -> None:
    config = parse_config({**PLAIN, "trainer": "logistic_regression", "model": {"C": 2}})
    assert isinstance(config, LogisticRegressionConfig)
    assert config.model.C == 2.0
    assert problems({**PLAIN, "trainer": "logistic_regression"})[0].startswith("model.learning_rate: unknown key")


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_config(PLAIN).seed = 1  # type: ignore[misc]


BAD: list[tuple[str, object, str]] = [
    ("model.learning_rat", 0.1, "model.learning_rat: unknown key; did you mean model.learning_rate?"),
    ("max_iter", 3, "max_iter: unknown key; did you mean model.max_iter?"),
    ("data.test_fracton", 0.1, "data.test_fracton: unknown key; did you mean data.test_fraction?"),
    ("sed", 1, "sed: unknown key; did you mean seed?"),
    ("model.zzzzzz", 1, "model.zzzzzz: unknown key"),
    ("str", 1, "str: unknown key"),
    ("trainer", "hist_gradient_bosting", "did you mean hist_gradient_boosting?"),
    ("trainer", 3, "trainer: must be one of"),
    ("trainer", None, "trainer: must be one of"),
    ("bump", "huge", "bump: must be 'major', 'minor' or 'patch', not 'huge'"),
    ("seed", -1, "seed: must be greater than or equal to 0, not -1"),
    ("seed", 2**32, "seed: must be less than or equal to"),
    ("seed", True, "seed: must be a valid integer"),
    ("seed", 1.0, "seed: must be a valid integer"),
    ("seed", "1", "seed: must be a valid integer, not '1'"),
    ("seed", None, "seed: must be a valid integer, not null"),
    ("project", "Demo", "project: must be 1 to 64 lower-case"),
    ("project", "../etc", "project: must be 1 to 64 lower-case"),
    ("name", "", "name: must be 1 to 64 lower-case"),
    ("name", "a" * 65, "name: must be 1 to 64 lower-case"),
    ("name", "churn\n", "name: must be 1 to 64 lower-case"),
    ("data", 3, "data: must be a mapping"),
    ("data", None, "data: "),
    ("data.path", "", "data.path: "),
    ("data.path", 7, "data.path: must be a valid string"),
    ("data.id_column", "", "data.id_column: "),
    ("data.target", "customer_id", "data.target: must not be the id column"),
    ("data.test_fraction", 0, "data.test_fraction: must be greater than 0"),
    ("data.test_fraction", 1, "data.test_fraction: must be less than 1"),
    ("data.test_fraction", "0.2", "data.test_fraction: must be a valid number, not '0.2'"),
    ("data.test_fraction", float("nan"), "data.test_fraction: must be a finite number"),
    ("data.salt", 7, "data.salt: must be a valid string"),
    ("data.drop", "age", "data.drop: "),
    ("data.drop", ["churned"], "data.drop: must not name the id column or the target (churned)"),
    ("data.drop", ["age", "age"], "data.drop: names a column twice"),
    ("data.drop", [1], "data.drop.0: must be a valid string"),
    ("data.positive", [1], "data.positive: "),
    ("data.positive", 0.5, "data.positive: "),
    ("model", [], "model: must be a mapping"),
    ("model.learning_rate", 0, "model.learning_rate: must be greater than 0"),
    ("model.learning_rate", float("inf"), "model.learning_rate: must be a finite number"),
    ("model.learning_rate", True, "model.learning_rate: must be a valid number"),
    ("model.max_iter", 0, "model.max_iter: must be greater than or equal to 1"),
    ("model.max_iter", 10.0, "model.max_iter: must be a valid integer"),
    ("model.max_iter", 10**400, "model.max_iter: "),
    ("model.max_depth", 0, "model.max_depth: must be greater than or equal to 1"),
    ("model.l2_regularization", -0.1, "model.l2_regularization: must be greater than or equal to 0"),
    ("model.min_samples_leaf", 0, "model.min_samples_leaf: must be greater than or equal to 1"),
    ("model.max_leaf_nodes", 1, "model.max_leaf_nodes: must be greater than or equal to 2"),
    ("model.max_bins", 256, "model.max_bins: must be less than or equal to 255"),
]


@pytest.mark.parametrize(("key", "value", "expected"), BAD)
def test_a_bad_value_is_named(key: str, value: object, expected: str) -> None:
    found = problems(with_value(key, value))
    assert any(expected in problem for problem in found), found


def test_the_data_are_named_by_a_path_or_by_a_snapshot() -> None:
    neither = {key: value for key, value in PLAIN["data"].items() if key != "path"}
    pinned = f"churn@sha256:{'0' * 64}"
    for data in (neither, {**PLAIN["data"], "snapshot": pinned}):
        assert problems({**PLAIN, "data": data}) == ["data: needs a path or a snapshot, and not both"]
    assert parse_config({**PLAIN, "data": {**neither, "snapshot": pinned}}).data.snapshot == pinned
    (problem,) = problems({**PLAIN, "data": {**neither, "snapshot": "churn"}})
    assert problem.startswith("data.snapshot: 'churn' is not a snapshot; write it as churn@sha256:…")


@pytest.mark.parametrize("key", ["id_column", "target"])
def test_what_has_no_default_must_be_there(key: str) -> None:
    data = {name: value for name, value in PLAIN["data"].items() if name != key}
    assert problems({**PLAIN, "data": data}) == [f"data.{key}: missing"]


@pytest.mark.parametrize("document", [None, {}])
def test_an_empty_config_is_told_what_is_missing(document: object) -> None:
    assert problems(document) == ["data: missing"]


@pytest.mark.parametrize("document", [[], "text", 3, {1: 2}, {None: 2}])
def test_what_is_no_mapping_of_names_is_refused(document: object) -> None:
    assert problems(document)


def test_every_problem_is_listed_at_once() -> None:
    document = {**PLAIN, "sed": 1, "model": {"max_iter": 0, "learning_rate": "fast"}}
    found = problems(document)
    assert len(found) == 3
    with pytest.raises(InvalidInput) as caught:
        parse_config(document)
    assert all(problem in caught.value.message for problem in found)


def test_integers_are_floats_and_null_is_no_depth() -> None:
    config = parse_config(PLAIN, ["model.learning_rate=1", "model.max_depth=null"])
    assert isinstance(config, HistGradientBoostingConfig)
    assert config.model.learning_rate == 1.0
    assert config.model.max_depth is None


def test_overrides_win_and_the_last_one_most() -> None:
    config = parse_config(PLAIN, ["seed=1", "seed=2", "model.max_iter=50", 'data.drop=["age"]', "data.salt='7'"])
    assert isinstance(config, HistGradientBoostingConfig)
    assert (config.seed, config.model.max_iter, config.data.drop, config.data.salt) == (2, 50, ("age",), "7")


def test_an_override_leaves_the_document_alone() -> None:
    parse_config(PLAIN, ["model.max_iter=50"])
    assert PLAIN["model"]["max_iter"] == 100


def test_an_override_may_make_a_section() -> None:
    bare = {key: value for key, value in PLAIN.items() if key != "model"}
    config = parse_config(bare, ["model.max_iter=7"])
    assert isinstance(config, HistGradientBoostingConfig)
    assert config.model.max_iter == 7


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seed", "must look like"),
        ("=3", "must look like"),
        ("model.=3", "must look like"),
        ("seed.x=3", "seed: is not a section"),
        ("model.max_itr=3", "model.max_itr: unknown key; did you mean model.max_iter?"),
        ('name="open', "name: the value after = is not a closed"),
        ("model.max_iter=many", "model.max_iter: must be a valid integer, not 'many'"),
    ],
)
def test_a_bad_override_is_named(override: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_config(PLAIN, [override])
    assert expected in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("12", 12), ("-3", -3), ("007", 7),
        ("0x1F", 31), ("0o17", 15), ("1e-3", 0.001), ("1.", 1.0), (".5", 0.5), ("-.inf", float("-inf")),
        ("yes", "yes"), ("no", "no"), ("1:30", "1:30"), ("1_000", "1_000"), ("2024-01-01", "2024-01-01"),
        ("\u0661", "\u0661"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml(text: str, value: object) -> None:
    read = parse_scalar(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "path",
    [
        "data/churn.csv", "/abs/x.parquet", "sklearn:breast_cancer", "s3://bucket/key.csv", "gs://b/k", "memory://x.csv",
        "abfss://container@account.dfs.core.windows.net/x.csv", "https://example.org/data/x.csv", "file:///tmp/x.csv",
    ],
)  # fmt: skip
def test_paths_that_may_be_read(path: str) -> None:
    assert data_path_problem(path) == ""


SECRET = "hunter2"


@pytest.mark.parametrize(
    "path",
    [
        f"https://me:{SECRET}@example.org/x.csv", f"https://{SECRET}@example.org/x.csv",
        f"s3://key:{SECRET}@bucket/x.csv", f"https://example.org/x.csv?token={SECRET}",
        f"https://example.org/x.csv#{SECRET}", f"abfss://c:{SECRET}@account/x.csv", f"sklearn:{SECRET}",
        f"ssh://host/{SECRET}", f"simplecache::s3://bucket/{SECRET}", f"zip://{SECRET}::s3://bucket/x.zip",
        f"a\x00{SECRET}", f"data/\x1b[31m{SECRET}", f"http://[{SECRET}",
    ],
)  # fmt: skip
def test_paths_that_may_not_are_refused_without_repeating_them(path: str) -> None:
    [problem] = problems(with_value("data.path", path))
    assert problem.startswith("data.path: ")
    assert SECRET not in problem


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["seed", "data", "model", "trainer", "bump", "project", "name", "x", "data.path", "model.C"])


@given(st.dictionaries(keys | st.text(max_size=5), json_values, max_size=6), st.lists(st.text(max_size=12), max_size=2))
def test_whatever_is_written_gives_a_config_or_a_clear_error(document: dict[str, Any], overrides: list[str]) -> None:
    outcome: object
    try:
        outcome = parse_config(document, overrides)
    except InvalidInput as error:
        outcome = error
    assert isinstance(outcome, TrainingConfig) or (outcome.message and outcome.hint)
