"""Streams on their way onto a disk."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from artreg.errors import Conflict, StorageError
from artreg.store import copying, staging
from artreg.store.disk import stamp_of
from artreg.store.interface import NO_PROGRESS


@pytest.fixture
def target(tmp_path):
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(copying, "_SMALL", 10)
    monkeypatch.setattr(copying, "_UNSYNCED", 1000)


def reused(pieces):
    """Yield each piece in the same buffer, as a store may."""
    buffer = bytearray(1000)
    for piece in pieces:
        buffer[: len(piece)] = piece
        yield memoryview(buffer)[: len(piece)]


def test_a_stream_is_written_and_hashed_while_the_disk_takes_it_in(target, tmp_path, small, monkeypatch):
    pieces = [os.urandom(length) for length in (100, 5, 1000, 1, 900, 1000, 300)]
    synced = []
    monkeypatch.setattr(copying, "sync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    data = b"".join(pieces)
    assert copying.write_hashed(target, reused(pieces), len(data), NO_PROGRESS) == (
        len(data),
        hashlib.sha256(data).hexdigest(),
    )
    assert (tmp_path / "file").read_bytes() == data
    assert len(synced) > 1
    assert synced[-1] == len(data)


def test_a_disk_that_is_full_is_told_and_no_more_is_asked_for(target, small, monkeypatch):
    asked = []

    def pieces():
        for number in range(5):
            asked.append(number)
            yield b"x" * 100

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(copying, "write_all", full)
    with pytest.raises(OSError, match="full"):
        copying.write_hashed(target, pieces(), 500, NO_PROGRESS)
    assert asked == [0]


def test_a_disk_that_fails_later_is_told(target, small, monkeypatch):
    def broken(descriptor):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(copying, "sync", broken)
    with pytest.raises(OSError, match="broken"):
        copying.write_hashed(target, [b"x" * 600, b"x" * 600, b"x"], 1201, NO_PROGRESS)


def test_a_stream_without_end_is_left(target):
    def endless():
        while True:
            yield b"x" * 10

    assert copying.write_hashed(target, endless(), 25, NO_PROGRESS)[0] == 30


def test_a_folder_that_was_cleaned_away_while_it_was_filled_is_told(tmp_path):
    (tmp_path / "source").write_bytes(b"x")
    sources = {"model/weights/one": tmp_path / "source"}
    with pytest.raises(Conflict, match="clean-up"):
        staging.copied(str(tmp_path / "gone"), "m", sources, link=False, progress=NO_PROGRESS)
    with pytest.raises(StorageError, match="m cannot be written"):
        staging.copied(str(tmp_path / "source"), "m", sources, link=False, progress=NO_PROGRESS)


@pytest.mark.parametrize("size", [0, 1000, 6 * 2**20])
@pytest.mark.parametrize("copy", [copying.copy_hashed, copying.link_hashed])
def test_what_was_just_hashed_is_not_hashed_again(copy, size: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * size)
    known = copying.Known(stamp(source), "what it was found to be")
    assert copy(source, str(tmp_path / "copy"), NO_PROGRESS, known=known) == (size, known.sha256)
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("copy", [copying.copy_hashed, copying.link_hashed])
def test_what_was_touched_since_is_hashed_again(copy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1000)
    known = copying.Known(stamp(source), "what it was found to be")
    source.write_bytes(b"y" * 1000)
    found = copy(source, str(tmp_path / "copy"), NO_PROGRESS, known=known)
    assert found == (1000, hashlib.sha256(b"y" * 1000).hexdigest())


def test_what_is_touched_meanwhile_is_nothing_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1000)
    known = copying.Known(stamp(source), "what it was found to be")
    real = copying._copy_range

    def copy_and_touch(*places: int) -> int:
        source.write_bytes(b"y" * 1000)
        return real(*places)

    monkeypatch.setattr(copying, "_share", lambda *_: False)
    monkeypatch.setattr(copying, "_copy_range", copy_and_touch)
    assert copying.copy_hashed(source, str(tmp_path / "copy"), NO_PROGRESS, known=known)[1] == ""


def stamp(path: Path) -> tuple[int, ...]:
    with path.open("rb") as file:
        return stamp_of(file.fileno())
