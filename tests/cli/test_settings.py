"""Settings files: what is read without a YAML parser means what the parser takes it to mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.cli.settings import plain_settings
from artreg.yamldoc import parse_yaml

keys = st.sampled_from(["registry", "project", "policy", "nope"])
values = st.text("abz/.:#-_ 019~!@NTnulltrue\"'", max_size=12) | st.sampled_from(["null", "True", "s3://b/p", "1.5"])
lines = st.builds("{}: {}{}".format, keys, values, st.sampled_from(["", " # why", "#", " "])) | st.just("# a comment")


@given(st.lists(lines, max_size=3))
def test_what_is_read_without_yaml_is_what_yaml_says(lines: list[str]) -> None:
    text = "\n".join(lines)
    plain = plain_settings(text)
    if plain is not None:
        assert (parse_yaml(text.encode(), "file") or {}) == plain


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", {}),
        ("# nothing\n\n", {}),
        ("registry: s3://bucket/prefix\nproject: demo # mine\n", {"registry": "s3://bucket/prefix", "project": "demo"}),
        ("registry: /srv/models\n", {"registry": "/srv/models"}),
    ],
)
def test_plain_lines_are_read_without_yaml(text: str, read: dict[str, str]) -> None:
    assert plain_settings(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "registry: 'quoted'",
        "registry: null",
        "registry: ../up",
        "registry: {a: b}",
        "registry:",
        "registry: a b",
        "registry: a\nregistry: b",
        "- registry",
        "registry: a\tb",
    ],
)
def test_whatever_needs_a_parser_is_left_to_it(text: str) -> None:
    assert plain_settings(text) is None
