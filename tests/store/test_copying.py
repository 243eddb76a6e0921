"""Streams on their way onto a disk."""

import errno
import hashlib
import os

import pytest

from artreg.errors import Conflict, StorageError
from artreg.store import copying, staging
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
