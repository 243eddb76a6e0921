"""What names and numbers of others become."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.manifest import check_file_name, is_model_file
from artreg.core.names import ModelName, is_name
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.importing.layout import APART, MODELS, arranged
from artreg.importing.naming import Naming, alias_names, option, renames, version_of

NAMES = st.text(st.sampled_from("aZ0 -_./é\x1b"), max_size=9) | st.text(st.sampled_from("ab0"), max_size=70)
NUMBERS = st.text(st.sampled_from("v0123456789.-_ abc+٣"), max_size=12)
SUFFIXES = sorted({*MODELS, ".json", ".txt", "", ".index.json"})
FILES = st.sets(
    st.builds(
        lambda folder, stem, suffix: f"{folder}{stem}{suffix}",
        st.sampled_from(["", "model/", "a/", "model.d/", "a/model/"]),
        st.sampled_from(["model", "forest", "x"]),
        st.sampled_from(SUFFIXES),
    )
    | st.sampled_from(sorted(APART)),
    max_size=6,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        *(("1.2.0", "1.2.0"), ("v1.2.0", "1.2.0"), ("1.3.0-rc.1", "1.3.0-rc.1"), ("3", "3.0.0"), ("v3", "3.0.0")),
        *(("003", "3.0.0"), ("0", "0.0.0"), ("1.2", "1.2.0"), ("v0.9", "0.9.0"), ("2024-05-01", "2024.5.1")),
        *(("2024_05_01", "2024.5.1"), ("2024.05.01", "2024.5.1"), ("20240501", "20240501.0.0")),
    ],
)
def test_numbers_and_dates_become_versions(text: str, version: str) -> None:
    assert str(version_of(text)) == version


@pytest.mark.parametrize(
    "text",
    [
        *("", "v", "latest", "1.02", "01.2", "1.2.0+build", "2024-13-01", "2024-05-32", "2024-05_01", "2024-5-1"),
        *("3\n", " 3", "٣", "-1", "1e3", "1_0", "1" * 19, "../3", "2024-05-01T10", "1.2.3.4"),
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no version"):
        version_of(text)


@given(NUMBERS)
def test_a_version_stays_what_it_is(text: str) -> None:
    try:
        version = version_of(text)
    except InvalidInput:
        return
    assert version_of(str(version)) == version == Version.parse(str(version))
    assert [int(it) for it in re.findall("[0-9]+", text)][:1] == [version.major]


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_numbers_keep_their_order(one: int, other: int) -> None:
    assert (one < other) == (version_of(str(one)) < version_of(f"v{other}"))


@given(NAMES)
def test_a_name_becomes_one_or_is_refused(name: str) -> None:
    naming = Naming("demo", {})
    try:
        model = naming.model(name)
    except InvalidInput:
        assert not is_name(name)
        return
    assert is_name(model.model)
    assert model.model in {name, name.lower().replace(" ", "-")}
    assert not is_name(name) or model.model == name
    assert Naming("demo", {}).model(model.model) == model


@given(st.lists(NAMES, unique=True, max_size=5))
def test_two_names_that_would_become_one_show(names: list[str]) -> None:
    naming = Naming("demo", {})
    came: dict[ModelName, list[str]] = {}
    for name in names:
        try:
            came.setdefault(naming.model(name), []).append(name)
        except InvalidInput:
            continue
    assert set(naming.clashes()) == {model for model, several in came.items() if len(several) > 1}


def test_what_the_user_says_is_no_clash() -> None:
    said = renames(["Churn EU=churn", "a=b=risk/score"], "demo")
    assert said == {"Churn EU": ModelName("demo", "churn"), "a=b": ModelName("risk", "score")}
    naming = Naming("demo", said)
    assert naming.model("churn") == naming.model("Churn EU") == ModelName("demo", "churn")
    assert naming.clashes() == {}
    naming.model("CHURN")
    assert list(naming.clashes()) == [ModelName("demo", "churn")]


def test_names_that_nobody_has_are_told() -> None:
    naming = Naming("demo", renames(["frod=fraud"], "demo"), ["churm"])
    assert not naming.wanted("churn")
    assert not naming.wanted("fraud")
    told = {it.item: it.error for it in naming.unknown()}
    assert {item: error.code for item, error in told.items()} == {"churm": "not_found", "frod": "not_found"}
    assert "did you mean churn?" in told["churm"].hint


@pytest.mark.parametrize("words", [["x"], ["=x"], ["a=b", "a=c"], ["a=No Name"], ["a="]])
def test_what_makes_no_sense_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidInput):
        renames(words, "demo")


def test_aliases_can_be_renamed_and_left_out() -> None:
    found = alias_names(["champion=prod", "Archived="])
    assert {name: alias and alias.name for name, alias in found.items()} == {"champion": "prod", "Archived": None}
    with pytest.raises(InvalidInput):
        alias_names(["a=latest"])


@given(FILES)
def test_a_folder_is_laid_out_as_one_version(names: set[str]) -> None:
    try:
        places = arranged(names)
    except InvalidInput:
        assert not names - APART
        return
    assert set(places) == names
    assert len(set(places.values())) == len(names)
    assert len({place.partition("/")[0] for place in places.values() if is_model_file(place)}) == 1
    assert all(places[name] == name for name in names & APART)
    assert all(check_file_name(place) for name, place in places.items() if name not in APART)
    assert arranged(list(places.values())) == {place: place for place in places.values()}


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (["forest.joblib", "README.md"], "model.joblib"),
        (["xgb.json", "metrics.json"], "model.json"),
        (["forest.joblib", "scaler.joblib"], "model/forest.joblib"),
        (["forest.joblib", "notes.txt"], "model.joblib"),
        (["sub/forest.joblib"], "model/sub/forest.joblib"),
        (["forest"], "model/forest"),
        (["model.onnx", "config.json"], "model.onnx"),
        (["model.onnx", "model.json"], "model/model.onnx"),
        (["model.safetensors.index.json", "model-1.safetensors"], "model/model-1.safetensors"),
    ],
)
def test_the_model_is_found(names: list[str], model: str) -> None:
    assert model in arranged(names).values()


@pytest.mark.parametrize("name", ["champion", "Churn (EU)", "it's", "a$(b)`c`", "-x", "\U0001f600"])
def test_an_option_in_a_hint_is_what_a_shell_takes(name: str) -> None:
    assert shlex.split(option("--map", name, "OTHER")) == ["--map", f"{name}=OTHER"]
