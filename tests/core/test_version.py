"""Versions: SemVer's own examples, hostile text, and the laws of parsing and order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.version import Part, Version, is_version
from artreg.errors import InvalidInput

numbers = st.integers(0, 10**9)
identifiers = st.from_regex(r"(0|[1-9][0-9]{0,5}|[0-9]*[A-Za-z-][0-9A-Za-z-]{0,5})", fullmatch=True)
versions = st.builds(Version, numbers, numbers, numbers, st.lists(identifiers, max_size=3).map(tuple))


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1.2.1", "1.2.1"),
        ("v1.2.1", "1.2.1"),
        ("0.0.0", "0.0.0"),
        ("1.0.0-alpha.1", "1.0.0-alpha.1"),
        ("1.0.0-0.3.7", "1.0.0-0.3.7"),
        ("1.0.0--", "1.0.0--"),
        ("999999999999999999.0.0", "999999999999999999.0.0"),
    ],
)
def test_reads(text: str, stored: str) -> None:
    assert str(Version.parse(text)) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.3-01",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3+build",
        "vv1.2.3",
        "V1.2.3",
        " 1.2.3",
        "1.2.3\n",
        "1.2.3 ",
        "-1.2.3",
        "1.2.٣",
        "1.2.3-é",
        "1.2.3/../x",
        "../1.2.3",
        "1.2.3\x00",
        "latest",
        "9999999999999999999.0.0",
        "1.0.0-" + "a" * 100,
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a version"):
        Version.parse(text)


def test_orders_as_semver_section_11_does() -> None:
    rising = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    parsed = [*(Version.parse(f"1.0.0-{text}") for text in rising), *map(Version.parse, ["1.0.0", "1.0.1", "1.10.0"])]
    shuffled = [*parsed[1::2], *parsed[::2]]
    assert sorted(shuffled) == parsed
    assert len(set(parsed)) == len(parsed)


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ("1.2.3", Part.PATCH, "1.2.4"),
        ("1.2.3", Part.MINOR, "1.3.0"),
        ("1.2.3", Part.MAJOR, "2.0.0"),
        ("0.9.9", Part.MAJOR, "1.0.0"),
    ],
)
def test_bumps(before: str, part: Part, after: str) -> None:
    assert str(Version.parse(before).bumped(part)) == after


@given(versions)
def test_what_is_written_is_read_again(version: Version) -> None:
    assert Version.parse(str(version)) == version
    assert is_version(str(version))


@given(versions, versions, versions)
def test_the_order_is_total_and_transitive(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    if a < b < c:
        assert a < c


@given(versions, st.sampled_from(Part))
def test_a_bump_rises(version: Version, part: Part) -> None:
    assert version < version.bumped(part)


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_bad_input(text: str) -> None:
    try:
        version = Version.parse(text)
    except InvalidInput:
        assert not is_version(text)
    else:
        assert str(version) == text.removeprefix("v")
