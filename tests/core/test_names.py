"""Names and references: what is taken, what is refused, and that both survive being written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.names import Alias, Computed, ModelName, Reference, is_name, parse_target
from artreg.core.version import Version
from artreg.errors import InvalidInput

names = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True)
aliases = st.from_regex(r"[a-z]([a-z0-9_-]{0,9}[a-z0-9])?", fullmatch=True).filter(
    lambda text: text not in {"history", "latest"}
)

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "/etc",
    "a/../b",
    "a//b",
    "a\\b",
    "a b",
    "a\nb",
    "a\n",
    "\x00",
    "a\x1b[31m",
    "Ünï",
    "\u202eabc",
    "CHURN",
    "-x",
    "x-",
    ".hidden",
    "x..y",
    "a" * 65,
    "c:d",
    "a@b",
    "%2e%2e",
    "*",
    "$(id)",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_refuses_hostile_names(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a model name"):
        ModelName("demo", text)
    with pytest.raises(InvalidInput, match="is not a project name"):
        ModelName(text, "churn")


@pytest.mark.parametrize("text", [*HOSTILE, "1.2.3", "9lives", "history", "latest", "a.b", "a" * 33])
def test_refuses_hostile_aliases(text: str) -> None:
    with pytest.raises(InvalidInput):
        Alias(text)


@pytest.mark.parametrize(
    ("text", "model", "target"),
    [
        ("churn@prod", "demo/churn", Alias("prod")),
        ("churn@1.2.1", "demo/churn", Version(1, 2, 1)),
        ("churn@v1.2.1", "demo/churn", Version(1, 2, 1)),
        ("churn@v1", "demo/churn", Alias("v1")),
        ("churn@latest", "demo/churn", Computed.LATEST),
        ("other/churn@staging", "other/churn", Alias("staging")),
        ("models:/churn@prod", "demo/churn", Alias("prod")),
        ("models:/churn/1.2.1", "demo/churn", Version(1, 2, 1)),
        ("models:/other/churn/1.2.1", "other/churn", Version(1, 2, 1)),
        ("models:/other/churn@prod", "other/churn", Alias("prod")),
    ],
)
def test_reads_references(text: str, model: str, target: object) -> None:
    reference = Reference.parse(text, "demo")
    assert (str(reference.model), reference.target) == (model, target)


@pytest.mark.parametrize(
    "text",
    [
        "churn",
        "churn@",
        "@prod",
        "churn@@prod",
        "churn@../x",
        "a/b/c@prod",
        "models:/churn",
        "churn@1.2",
        "churn@prod\n",
    ],
)
def test_refuses_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidInput):
        Reference.parse(text, "demo")


@given(names, names, aliases | st.just("1.2.3"))
def test_a_reference_survives_being_written(project: str, model: str, target: str) -> None:
    reference = Reference(ModelName(project, model), parse_target(target))
    assert Reference.parse(str(reference), "elsewhere") == reference


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_bad_input(text: str) -> None:
    try:
        reference = Reference.parse(text, "demo")
    except InvalidInput:
        return
    assert is_name(reference.model.model)
