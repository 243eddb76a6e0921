"""Processes of one machine take turns, one of them waits at most, and whoever leaves has somebody who looks later."""

from __future__ import annotations

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from artreg.hooks.several import Flusher
from artreg.hooks.turns import Turns
from hooks.bench import SECRETS, hook
from registry.bench import Bench


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
        turns.take_down("deploy", failed=True)
        assert not turns.is_known(b"config")
        assert turns.failing() == []
    assert not Path("not").exists()


def test_what_failed_is_remembered_until_it_does_not(turns: Turns) -> None:
    turns.take_down("note", failed=False)
    assert turns.failing() == []
    for name in ("deploy", "note", "note"):
        turns.take_down(name, failed=True)
    assert turns.failing() == ["deploy", "note"]
    turns.take_down("deploy", failed=False)
    assert turns.failing() == ["note"]


def test_how_a_flush_went_is_taken_down_before_the_next_has_the_turn(
    turns: Turns, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, bool]] = []

    def take_down(turns: Turns, name: str, *, failed: bool) -> None:
        with open(f"{turns.folder}/{name}.now", "rb") as now, pytest.raises(BlockingIOError):
            fcntl.flock(now, fcntl.LOCK_EX | fcntl.LOCK_NB)
        told.append((name, failed))

    monkeypatch.setattr(Turns, "take_down", take_down)
    assert Flusher(bench.registry, "urn:here", SECRETS, turns).flush([hook()])[0].ok
    assert told == [("deploy", False)]


def test_a_hook_that_was_taken_out_of_the_file_is_forgotten(turns: Turns) -> None:
    for name in ("deploy", "note"):
        turns.take_down(name, failed=True)
    turns.forget_others({"deploy"})
    assert turns.failing() == ["deploy"]
