"""Digests of many files: by threads and by processes alike, and reads of every byte exactly once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.store import hashing
from artreg.store.copying import copy_hashed
from artreg.store.forking import TASKS
from artreg.store.hashing import digests
from artreg.store.interface import NO_PROGRESS
from store.contract import Counted


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    contents = {f"m/{number % 7}/{number}": os.urandom(number) for number in range(300)}
    contents |= {f"m/large{number}": os.urandom(100_000 + number) for number in range(5)}
    for name, data in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return contents


def told(root: Path, files: dict[str, bytes], progress=NO_PROGRESS) -> dict[str, str]:
    sizes = [(name.removeprefix("m/"), len(data)) for name, data in files.items()]
    return {f"m/{it.name}": it.sha256 for it in digests(str(root), "m", sizes, progress)}


@pytest.mark.parametrize(("many", "cores"), [(10, 2), (10**6, 2), (10, 1), (10**6, 1)])
def test_processes_and_threads_say_the_same(
    many: int, cores: int, tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_MANY", many)
    monkeypatch.setattr(hashing.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(hashing.threading, "active_count", lambda: 1)
    counted = Counted()
    assert told(tmp_path, files, counted) == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert counted.bytes == sum(map(len, files.values()))


@given(st.lists(st.integers(0, 2**23), max_size=3000), st.integers(1, 4000))
@settings(max_examples=30, deadline=None)
def test_there_are_never_more_tasks_than_can_be_numbered(sizes: list[int], times: int) -> None:
    files = [("a", size) for size in sizes] * times
    assert len(hashing.tasks_of(files[:100_000])) <= TASKS


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "m" / "link").symlink_to("../secret")
    (tmp_path / "m" / "inner").symlink_to("..")
    os.mkfifo(tmp_path / "m" / "fifo")
    found = list(digests(str(tmp_path), "m", [("link", 6), ("inner/secret", 6), ("fifo", 0)]))
    assert [digest.sha256 for digest in found] == ["", "", ""]
    assert all(digest.problem for digest in found)


def test_a_small_file_is_opened_read_and_closed(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {name: data for name, data in files.items() if 0 < len(data) < 1000}
    calls = dict.fromkeys(["open", "read", "fstat", "lseek", "close"], 0)

    def count(name: str) -> None:
        call = getattr(os, name)

        def counted(*args, **kwargs):
            calls[name] += 1
            return call(*args, **kwargs)

        monkeypatch.setattr(os, name, counted)

    for name in calls:
        count(name)
    told(tmp_path, small)
    folders = calls["open"] - len(small)
    assert calls == {
        "open": len(small) + folders,
        "read": len(small),
        "fstat": 0,
        "lseek": 0,
        "close": len(small) + folders,
    }


@pytest.mark.parametrize("size", [0, 3, 5, 10**6])
def test_a_file_of_another_size_than_was_told_is_read_whole(size: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"four")
    (found,) = digests(str(tmp_path), "", [("file", size)])
    assert (found.sha256, found.size) == (hashlib.sha256(b"four").hexdigest(), 4)


def test_what_is_no_file_is_not_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    writer = os.open(tmp_path / "fifo", os.O_RDWR)
    names = [("folder", 1), ("folder", 0), ("fifo", 1), ("fifo", 0)]
    found = list(digests(str(tmp_path), "", names))
    os.close(writer)
    assert all("is no plain file" in digest.problem for digest in found)


@pytest.mark.parametrize("size", [0, 1, 2**22, 2**22 + 1, 2**25 + 3])
def test_what_is_copied_is_read_twice_and_written_once(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted at the system calls: no byte passes through Python more often than it must."""
    data = os.urandom(size)
    (tmp_path / "source").write_bytes(data)
    counts = {"copy_file_range": 0, "pwrite": 0, "write": 0, "read": 0, "readv": 0}
    for name in counts:
        monkeypatch.setattr(os, name, _counted(getattr(os, name), name, counts))
    counted = Counted()
    copied = copy_hashed(tmp_path / "source", str(tmp_path / "copy"), counted)
    assert copied == (size, hashlib.sha256(data).hexdigest())
    assert (tmp_path / "copy").read_bytes() == data
    assert counted.bytes == size
    assert counts["copy_file_range"] + counts["pwrite"] + counts["write"] == size
    assert counts["read"] + counts["readv"] == size


def _counted(call, name: str, counts: dict[str, int]):
    def run(*args):
        result = call(*args)
        counts[name] += len(result) if isinstance(result, bytes) else result
        return result

    return run


def test_a_copy_without_the_kernels_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_) -> int:
        raise OSError(18, "invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    data = os.urandom(2**24 + 1)
    (tmp_path / "source").write_bytes(data)
    assert copy_hashed(tmp_path / "source", str(tmp_path / "copy"), NO_PROGRESS)[1] == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "copy").read_bytes() == data


def test_a_disk_that_fails_while_it_is_copied_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_) -> int:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "copy_file_range", fail)
    (tmp_path / "source").write_bytes(b"x" * 2**23)
    with pytest.raises(OSError, match="no space left"):
        copy_hashed(tmp_path / "source", str(tmp_path / "copy"), NO_PROGRESS)
