"""The manifest: its two laws, its strictness, and what may be a file's name."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.manifest import TOMBSTONE, Manifest, check_file_name, is_model_file
from artreg.errors import IntegrityError, InvalidInput

digests = st.text("0123456789abcdef", min_size=64, max_size=64)


def _is_file_name(text: str) -> bool:
    try:
        check_file_name(text)
    except InvalidInput:
        return False
    return True


file_names = st.text(max_size=20).filter(_is_file_name)
manifests = st.dictionaries(file_names, digests, min_size=1, max_size=6).map(Manifest.of)


@given(manifests)
def test_what_is_written_is_read_again(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.encode(), "m") == manifest


@given(st.binary(max_size=200))
def test_what_is_read_is_written_again(data: bytes) -> None:
    try:
        manifest = Manifest.parse(data, "m")
    except IntegrityError:
        return
    assert manifest.encode() == data


@given(manifests, st.data())
def test_no_flipped_bit_goes_unseen(manifest: Manifest, data: st.DataObject) -> None:
    encoded = bytearray(manifest.encode())
    position = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[position // 8] ^= 1 << position % 8
    try:
        flipped = Manifest.parse(bytes(encoded), "m")
    except IntegrityError:
        return
    assert flipped.files != manifest.files
    assert flipped.digest != manifest.digest


ABC = "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ABC}  model.bin",
        f"{ABC} model.bin\n",
        f"{ABC} *model.bin\n",
        f"{ABC.upper()}  model.bin\n",
        f"{ABC}  b\n{ABC}  a\n",
        f"{ABC}  a\n{ABC}  a\n",
        f"{ABC}  a\r\n",
        f"{ABC}  ../a\n",
        f"{ABC}  /a\n",
        f"{ABC}  checksum.txt\n",
        f"{ABC}  a\n\n",
        f"\\{ABC}  a\\nb\n",
        f"{ABC[:-1]}  a\n",
        "\ufeff" + f"{ABC}  a\n",
    ],
)
def test_refuses_what_artreg_did_not_write(text: str) -> None:
    with pytest.raises(IntegrityError, match="is damaged"):
        Manifest.parse(text.encode(), "m")


def test_a_tombstone_is_shorter_than_any_manifest() -> None:
    assert len(TOMBSTONE) < len(Manifest.of({"m": ABC}).encode())
    with pytest.raises(IntegrityError):
        Manifest.parse(TOMBSTONE, "m")


def test_content_leaves_the_run_record_out() -> None:
    one = Manifest.of({"model.bin": ABC, "run.json": "b" * 64})
    other = Manifest.of({"model.bin": ABC, "run.json": "c" * 64})
    assert one.content == other.content
    assert one.digest != other.digest
    assert Manifest.of({"model.bin": "d" * 64, "run.json": "b" * 64}).content != one.content


def test_sha256sum_reads_it(tmp_path: Path) -> None:
    files = {"model.bin": b"m", "deep/er/x y.txt": b"x", "ünï.json": b"{}"}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    import hashlib

    manifest = Manifest.of({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    (tmp_path / "checksum.txt").write_bytes(manifest.encode())
    done = subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "checksum.txt"], cwd=tmp_path, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "./a",
        "a/../b",
        "..",
        "a\\b",
        "a\nb",
        "a\x1bb",
        "a\u202eb",
        "checksum.txt",
        "checksum.txt/x",
        ".artreg-tmp-0",
        "x/.artreg-y",
        " a",
        "a ",
        "x" * 256,
        "x/" * 210 + "x",
        "\ud800",
    ],
)
def test_refuses_hostile_file_names(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_file_name(name)


@pytest.mark.parametrize(
    ("name", "is_model"),
    [
        ("model.joblib", True),
        ("model.tar.gz", True),
        ("model/weights.bin", True),
        ("model", False),
        ("model.", False),
        ("models/x", False),
        ("my-model.bin", False),
        ("x/model.bin", False),
    ],
)
def test_knows_the_model_among_the_files(name: str, is_model: bool) -> None:
    assert is_model_file(name) is is_model


@given(
    st.lists(
        file_names | st.sampled_from(["a", "a/b", "checksum.txt", "checksum.txt/a", "a\nb", "..", "a" * 199, ""]),
        max_size=4,
    )
)
def test_names_are_looked_at_together_as_they_are_one_by_one(names: list[str]) -> None:
    try:
        Manifest.of(dict.fromkeys(names, ABC))
    except InvalidInput:
        assert not all(map(_is_file_name, names))
    else:
        assert all(map(_is_file_name, names))


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20), max_size=6))
def test_names_are_in_the_order_of_their_bytes(names: list[str]) -> None:
    assert list(Manifest.of(dict.fromkeys(names, ABC)).files) == sorted(set(names), key=str.encode)
