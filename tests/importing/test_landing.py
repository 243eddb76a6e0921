"""What arrives from a source is checked on the way, and named so that it stays where it belongs."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core import canonical
from artreg.errors import IntegrityError, InvalidInput
from artreg.importing.landing import Expected, checked_name, lay, model_file, representable

quick = settings(derandomize=True, deadline=None, database=None, max_examples=50)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m.pkl", "model.pkl"),
        ("a/b/forest-1.2.1.joblib", "model.joblib"),
        ("m.tar.gz", "model.tar.gz"),
        ("M.ONNX", "model.ONNX"),
        ("weights", "model.bin"),
        (".hidden", "model.bin"),
        ("m.é", "model.bin"),
        ("m.", "model.bin"),
    ],
)
def test_a_model_keeps_its_suffix(name: str, expected: str) -> None:
    assert model_file(name) == expected


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "a//b", "", ".", "a\\b", "a\nb", "a\udcff", " x", "x" * 300])
def test_no_file_leaves_its_folder(name: str) -> None:
    with pytest.raises(InvalidInput, match="outside of its folder or on no disk"):
        checked_name(name, "m")


@quick
@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=8))
def test_old_dvc_hashed_text_with_unix_line_ends_wherever_pieces_end(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    expected = hashlib.md5(whole.replace(b"\r\n", b"\n")).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder), "x", pieces, "x", Expected(len(whole), "md5", expected, line_ends=True))


@pytest.mark.parametrize(
    "expected",
    [
        Expected(4),
        Expected(2),
        Expected(3, "md5", "0" * 32),
        Expected(3, "sha1", hashlib.sha1(b"abc").hexdigest(), lead=b"x"),
    ],
)
def test_what_is_not_what_the_source_says_is_refused(expected: Expected, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        lay(tmp_path, "x", [b"ab", b"c"], "x", expected)


def test_no_file_takes_the_place_of_another(tmp_path: Path) -> None:
    lay(tmp_path, "a/b", [b"1"], "x")
    for name in ("a/b", "a", "a/b/c"):
        with pytest.raises(InvalidInput, match="two of its files"):
            lay(tmp_path, name, [b"2"], "x")
    assert (tmp_path / "a/b").read_bytes() == b"1"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
)


@quick
@given(VALUES)
def test_whatever_a_document_holds_can_be_recorded(value: object) -> None:
    document = {"value": representable(value)}
    assert canonical.loads(canonical.dumps(document), "x") == document


def test_what_is_very_deep_or_secret_is_not_kept_as_it_is() -> None:
    for inside in (lambda value: [value], lambda value: {"in": value}):
        deep: object = "x"
        for _ in range(100):
            deep = inside(deep)
        assert canonical.loads(canonical.dumps({"value": representable(deep)}), "x")
    assert representable([float("nan"), float("inf"), 10**400, 1.5]) == ["nan", "inf", str(10**400), 1.5]
    assert representable({"url": "see https://ada:secret@host/a?token=b"}) == {"url": "see https://host/a"}
