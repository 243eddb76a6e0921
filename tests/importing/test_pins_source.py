"""A board made by hand, read as a source; a real one is in test_pins_board.py."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core import canonical
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.importing.naming import Naming
from artreg.importing.pins import PinsSource
from artreg.importing.pins_versions import is_version_name, numbered
from artreg.importing.source import Incoming
from importing.contract import SourceContract

OLD, NEW = "20240501T133700Z-a1b2c", "20250102T000005Z-00fff"
quick = settings(derandomize=True, deadline=None, database=None, max_examples=50)


class Named:
    """Takes every name that can be one here."""

    def model(self, name: str) -> ModelName:
        return ModelName("churn", name)

    def wanted(self, name: str) -> bool:
        return name != "unwanted"


def pin_hash(*files: bytes) -> str:
    """Return what pins for Python says of files; for R it says the same of a single one."""
    hashes = [xxhash.xxh64_hexdigest(data) for data in files]
    return hashes[0] if len(hashes) == 1 else xxhash.xxh64_hexdigest("".join(hashes).encode())


def write(board: Path, pin: str, version: str, files: dict[str, bytes], **more: Any) -> Path:
    """Write a version of a pin; what is given overrides what `data.txt` says by itself."""
    folder = board / pin / version
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    names, sizes = list(files), [len(data) for data in files.values()]
    said = {
        "api_version": 1,
        "created": version[:16],
        "description": None,
        "file": names if len(names) > 1 else names[0],
        "file_size": sizes if len(sizes) > 1 else sizes[0],
        "pin_hash": pin_hash(*files.values()),
        "title": f"{pin}: a pinned file",
        "type": "file",
        "user": {},
    } | more
    lines = (f"{key}: {json.dumps(value)}\n" for key, value in said.items() if value is not ...)
    (folder / "data.txt").write_text("".join(lines))
    return folder


def survey(board: Path) -> tuple[dict[str, Incoming], dict[str, Exception]]:
    found = PinsSource(str(board), Named()).survey()
    assert found.aliases == ()
    return {it.item: it for it in found.versions}, {it.item: it.error for it in found.troubles}


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def _without(name: str) -> Callable[[Path], str]:
    def spoil(place: Path) -> str:
        (place / "churn" / OLD / name).unlink()
        return f"churn/{OLD}"

    return spoil


def _cut(place: Path) -> str:
    os.truncate(place / "churn" / OLD / "churn.joblib", 1)
    return f"churn/{OLD}"


def _rotten(name: str, pin: str) -> Callable[[Path], str]:
    def spoil(place: Path) -> str:
        path = place / pin / OLD / name
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return f"{pin}/{OLD}"

    return spoil


class TestPins(SourceContract):
    ALIASES = False
    DAMAGES: ClassVar = {
        "no data.txt": _without("data.txt"),
        "no file": _without("churn.joblib"),
        "cut": _cut,
        "rotten": _rotten("churn.joblib", "churn"),
        "one of two rotten": _rotten("b.png", "plots"),
    }

    def fill(self, place: Path) -> None:
        for version in (OLD, NEW):
            write(place, "churn", version, {"churn.joblib": version.encode()})
            write(place, "plots", version, {"a.png": b"a", "b.png": b"b"})

    def made(self, place: Path, naming: Naming) -> PinsSource:
        return PinsSource(str(place), naming)


def test_a_board_is_surveyed_and_fetched_and_left_as_it_was(tmp_path: Path) -> None:
    board = tmp_path / "board"
    write(board, "churn", NEW, {"churn.joblib": b"new"}, type="joblib")
    write(board, "churn", OLD, {"churn.joblib": b"old"}, type="joblib", tags=["a"], user={"auc": 0.9, "n": [1, None]})
    write(board, "plots", OLD, {"a.png": b"a", "b.png": b"bb"}, description="two")
    write(board, "unwanted", OLD, {"a.png": b"a"})
    (board / "_pins.yaml").write_text("churn:\n")
    before = state(board)
    source = PinsSource(str(board), Named())
    found = source.survey()
    assert [(it.item, str(it.model), str(it.version), it.size) for it in found.versions] == [
        (f"churn/{OLD}", "churn/churn", "20240501.133700.0", 3),
        (f"churn/{NEW}", "churn/churn", "20250102.5.0", 3),
        (f"plots/{OLD}", "churn/plots", "20240501.133700.0", 3),
    ]
    assert found.troubles == ()
    assert found.versions[0].run == {
        "pin": "churn",
        "pin_version": OLD,
        "title": "churn: a pinned file",
        "type": "joblib",
        "created": "20240501T133700Z",
        "tags": ["a"],
        "user": {"auc": 0.9, "n": [1, None]},
        "files": ["churn.joblib"],
        "pin_hash": pin_hash(b"old"),
    }
    brought = {}
    for number, incoming in enumerate(found.versions):
        folder = tmp_path / str(number)
        folder.mkdir()
        source.fetch(incoming, folder)
        brought |= {str(path.relative_to(tmp_path)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert brought == {
        "0/model.joblib": b"old",
        "1/model.joblib": b"new",
        "2/model/a.png": b"a",
        "2/model/b.png": b"bb",
    }
    assert state(board) == before


def test_pruning_a_board_renumbers_nothing(tmp_path: Path) -> None:
    for version in (OLD, NEW):
        write(tmp_path, "churn", version, {"m.joblib": b"m"})
    both, _ = survey(tmp_path)
    for path in (tmp_path / "churn" / OLD).iterdir():
        path.unlink()
    (tmp_path / "churn" / OLD).rmdir()
    one, _ = survey(tmp_path)
    assert one == {item: it for item, it in both.items() if NEW in item}


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"api_version": ...}, InvalidInput, "api_version '0'"),
        ({"api_version": 2}, InvalidInput, "api_version '2'"),
        ({"file": ...}, InvalidInput, "names no files"),
        ({"file": []}, InvalidInput, "names no files"),
        ({"file": "gone.joblib"}, NotFound, "no file gone.joblib"),
        ({"file": "../../secret"}, InvalidInput, "outside of its folder"),
        ({"file": "/etc/passwd"}, InvalidInput, "outside of its folder"),
        ({"file_size": 4}, IntegrityError, "data.txt says 4"),
        ({"file": ["m.joblib", "data.txt"], "file_size": 4}, IntegrityError, "data.txt says 4"),
    ],
)
def test_what_is_wrong_with_one_version_is_its_own_trouble(
    more: dict[str, Any], error: type[Exception], words: str, tmp_path: Path
) -> None:
    write(tmp_path, "churn", OLD, {"m.joblib": b"old"}, **more)
    write(tmp_path, "churn", NEW, {"m.joblib": b"new"})
    versions, troubles = survey(tmp_path)
    assert list(versions) == [f"churn/{NEW}"]
    assert isinstance(troubles[f"churn/{OLD}"], error)
    assert words in str(troubles[f"churn/{OLD}"])


def test_half_a_board_is_named_item_by_item(tmp_path: Path) -> None:
    (write(tmp_path, "churn", OLD, {"m.joblib": b"old"}) / "data.txt").unlink()
    write(tmp_path, "churn", NEW, {"m.joblib": b"new"})
    (tmp_path / "churn" / "20240502T133700Z-eeeee").mkdir()
    (tmp_path / "churn" / "20241399T133700Z-eeeee").mkdir()
    (write(tmp_path, "cut", OLD, {"m.joblib": b"old"}) / "data.txt").write_text("api_version: 1\nfile: [m.job")
    (write(tmp_path, "bomb", OLD, {"m.joblib": b"old"}) / "data.txt").write_text("a: &a [1, 1]\nb: [*a, *a]\n")
    (write(tmp_path, "link", OLD, {"n": b"old"}, file="m.joblib", file_size=...) / "m.joblib").symlink_to("/etc/passwd")
    write(tmp_path, "Not A Name", OLD, {"m.joblib": b"old"})
    versions, troubles = survey(tmp_path)
    assert list(versions) == [f"churn/{NEW}"]
    assert list(troubles) == [
        "Not A Name",
        f"bomb/{OLD}",
        "churn/20241399T133700Z-eeeee",
        f"churn/{OLD}",
        "churn/20240502T133700Z-eeeee",
        f"cut/{OLD}",
        f"link/{OLD}",
    ]


def test_what_r_writes_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, "cars", OLD, {"cars.rds": b"rds"})
    (folder / "data.txt").write_text(
        "file: cars.rds\nfile_size: .na.integer\npin_hash: 12345678901234e5\ntype: rds\n"
        "title: 'cars: a pinned 10 x 2 data frame'\ndescription: ~\ntags:\n- one\nurls: https://u:p@host/a?token=b\n"
        "created: 20240501T133700Z\napi_version: 1.0\nuser:\n  ok: yes\n  far: .inf\n"
    )
    versions, troubles = survey(tmp_path)
    assert troubles == {}
    run = versions[f"cars/{OLD}"].run
    assert run["pin_hash"] == "12345678901234e5"
    assert run["urls"] == ["https://host/a"]
    assert run["user"] == {"ok": "yes", "far": "inf"}
    assert canonical.dumps(run)


@pytest.mark.parametrize(("name", "error"), [("none", NotFound), ("file", InvalidInput), ("folder", InvalidInput)])
def test_what_is_no_board_is_refused(name: str, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "inner" / "deeper").mkdir(parents=True)
    with pytest.raises(error, match=name):
        PinsSource(str(tmp_path / name), Named()).survey()


def test_a_file_that_is_cut_short_after_the_survey_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "churn", OLD, {"m.joblib": b"whole"})
    source = PinsSource(str(tmp_path), Named())
    incoming = source.survey().versions[0]
    os.truncate(folder / "m.joblib", 2)
    (tmp_path / "out").mkdir()
    with pytest.raises(IntegrityError, match="has 2 bytes, but its source says that it has 5"):
        source.fetch(incoming, tmp_path / "out")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"df.csv": b'"x","y"\n1,2\n'}, "0d466fb897228906"),
        ({"a.txt": b"a.txt" * 1000, "b.bin": b"b.bin" * 1000}, "1329e7fc5600645e"),
    ],
)
def test_what_pins_wrote_is_whole(files: dict[str, bytes], told: str, tmp_path: Path) -> None:
    write(tmp_path, "churn", OLD, files, pin_hash=told)
    assert came(tmp_path, tmp_path / "out") == sorted(files.values())


@pytest.mark.parametrize("told", ["0123456789abcdef0123456789abcdef", "a1b2c", "", ...])
def test_a_hash_that_only_r_can_check_or_none_keeps_nothing_from_coming(told: object, tmp_path: Path) -> None:
    write(tmp_path, "churn", OLD, {"a": b"a", "b": b"b"}, pin_hash=told)
    assert came(tmp_path, tmp_path / "out") == [b"a", b"b"]


def came(board: Path, folder: Path) -> list[bytes]:
    source = PinsSource(str(board), Named())
    folder.mkdir()
    source.fetch(source.survey().versions[0], folder)
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


NAMES = st.builds(
    "{:%Y%m%dT%H%M%S}Z-{}".format,
    st.datetimes().filter(lambda at: at.year >= 1000),
    st.text("0123456789abcdef", min_size=5, max_size=5),
)


@quick
@given(st.sets(NAMES, min_size=1, max_size=20))
def test_versions_are_ordered_as_pins_orders_them_and_need_no_others(names: set[str]) -> None:
    versions = numbered(names)
    assert list(versions) == sorted(names)
    assert sorted(versions.values()) == list(versions.values())
    assert all(Version.parse(str(version)) == version for version in versions.values())
    newest = max(names)
    if sum(name[:16] == newest[:16] for name in names) == 1:
        assert numbered([newest])[newest] == versions[newest]


@quick
@given(st.text() | NAMES.map(lambda name: name + "\n"))
def test_no_other_name_is_a_version(name: str) -> None:
    assert not is_version_name(name)
