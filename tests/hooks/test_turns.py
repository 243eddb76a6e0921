"""Processes of one machine take turns, one of them waits at most, and whoever leaves has somebody who looks later."""

from __future__ import annotations

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from artreg.hooks.turns import Turns


@pytest.fixture
def turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Turns("here")


def test_one_works_one_waits_and_the_others_leave(turns: Turns) -> None:
    looked: list[str] = []
    waiting = threading.Event()

    def wait() -> None:
        with turns.taken("deploy", leave=True, waits=waiting.set) as mine:
            looked.append("second" if mine else "left")

    second = threading.Thread(target=wait)
    with turns.taken("deploy", leave=True) as mine:
        assert mine
        second.start()
        assert waiting.wait(60)
        assert leave(turns) == "left"
        assert looked == []
    second.join()
    assert looked == ["second"]
    assert leave(turns) == "took"


def leave(turns: Turns) -> str:
    with turns.taken("deploy", leave=True) as mine:
        return "took" if mine else "left"


def test_who_has_begun_to_look_is_not_waited_for_by_name(turns: Turns) -> None:
    with turns.taken("deploy", leave=True) as first, turns.taken("other", leave=True) as another:
        assert first
        assert another


def test_who_waits_says_so_once(turns: Turns) -> None:
    said: list[str] = []
    waiting = threading.Event()

    def wait() -> None:
        with turns.taken("deploy", leave=False, waits=lambda: (said.append("waits"), waiting.set())[0]) as mine:
            said.append("took" if mine else "left")

    second = threading.Thread(target=wait)
    with turns.taken("deploy", leave=False, waits=lambda: said.append("never")):
        second.start()
        assert waiting.wait(60)
    second.join()
    assert said == ["waits", "took"]


def test_where_there_are_no_locks_it_goes_without(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with turns.taken("deploy", leave=True) as mine:
        assert mine


def test_where_nothing_can_be_kept_it_goes_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (str(tmp_path / "file"), "not/absolute"):
        monkeypatch.setenv("XDG_STATE_HOME", home)
        turns = Turns("here")
        with turns.taken("deploy", leave=True) as one, turns.taken("deploy", leave=True) as other:
            assert one
            assert other
        turns.know(b"config")
        turns.take_down({"deploy": True}, {"deploy"})
        assert not turns.is_known(b"config")
        assert turns.failing() == []
    assert not Path("not").exists()


def test_what_failed_is_remembered_until_it_does_not(turns: Turns) -> None:
    both = {"deploy", "note"}
    turns.take_down({"deploy": True, "note": False}, both)
    turns.take_down({"note": True}, both)
    assert turns.failing() == ["deploy", "note"]
    turns.take_down({"deploy": False}, both)
    assert turns.failing() == ["note"]
    turns.take_down({"deploy": True}, {"deploy"})
    assert turns.failing() == ["deploy"]  # the other one was taken out of the file
