"""`watch`: each move once, in order, while others move aliases and storage fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artreg.cli.commands import watching
from artreg.errors import StorageError
from artreg.store.local import LocalStore
from cli.conftest import Shell
from hostile.victim import clean_environment

Step = Callable[[], object]
PATIENCE = 300.0  # seconds; a machine may be busy

MOVE_MANY = """
import sys
from pathlib import Path
from artreg.core.version import Version
from artreg.errors import Conflict
from artreg.store.local import LocalStore
from registry.bench import CHURN, FREE, POLICY
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
registry, tries, moves = Registry(LocalStore("registry"), sys.argv[1]), 0, 0
while moves < int(sys.argv[2]):
    tries += 1
    try:
        moves += promote(registry, CHURN, Version(1, 0, tries % 3), FREE, POLICY).changed
    except Conflict:
        pass
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Does something at each wait of a watch, and ends it at the last as Ctrl-C does."""

    def play(*steps: Step) -> None:
        rest = list(steps)

        def wait(_: float) -> None:
            if not rest:
                raise KeyboardInterrupt
            rest.pop(0)()

        monkeypatch.setattr(watching, "_wait", wait)

    return play


def promoted(shell: Shell, version: str, to: str = "staging") -> Step:
    def move() -> None:
        from artreg.cli.main import main

        assert main(["-q", "promote", "churn", version, "--to", to, "--json"]) == 0

    return move


def nothing() -> None:
    pass


def told(out: str) -> list[dict[str, Any]]:
    """The events among the lines, without what a promotion in the same process says."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(out):
        document, place = decoder.raw_decode(out, place)
        place += 1
        found += [document] if "event" in document or "error" in document else []
    return found


def moves(events: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(it["alias"], it["generation"], it["version"]) for it in events if it.get("event") == "record"]


@pytest.fixture
def churn(shell: Shell) -> Shell:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        shell.publish(version)
    shell.run("promote", "churn", "1.0.0", "--to", "staging")
    return shell


def test_it_begins_with_what_there_is_and_tells_what_comes(churn: Shell, script) -> None:
    script(nothing, lambda: [promoted(churn, v)() for v in ("1.1.0", "1.2.0")], promoted(churn, "1.0.0"), nothing)
    ran = churn.run("watch", "churn@staging", "--json")
    events = told(ran.out)
    assert moves(events) == [(("staging"), n, v) for n, v in enumerate(("1.0.0", "1.1.0", "1.2.0", "1.0.0"), 1)]
    assert (ran.code, events[-1]["error"]["code"], ran.err) == (130, "interrupted", "")
    lines = churn.run("watch", "churn@staging", "--json", "--once", "--since", "2").out.splitlines()
    assert [json.loads(line)["generation"] for line in lines] == [3, 4]


def test_for_people_it_is_a_line_each_and_no_more(churn: Shell, script) -> None:
    churn.run("freeze", "churn@staging", "--until", "2099-01-01T00:00Z", "--reason", "a\x1b[31mb")
    script()
    ran = churn.run("watch", "churn", "--since", "1d")
    first, second = ran.out.splitlines()
    assert first[19:] == "  demo/churn@staging  gen 1  promote  - → 1.0.0  ada"
    assert second[19:] == r"  demo/churn@staging  gen 2  freeze  1.0.0  ada: a\x1b[31mb"
    assert (ran.code, ran.err) == (130, "")


def test_an_alias_that_is_new_is_followed_from_its_first_move(churn: Shell, script) -> None:
    steps = [promoted(churn, "1.0.0", "prod"), promoted(churn, "1.1.0"), promoted(churn, "1.1.0", "prod")]
    script(*steps, nothing, nothing)
    seen = moves(told(churn.run("watch", "--json").out))
    assert seen == [("staging", 1, "1.0.0"), ("staging", 2, "1.1.0"), ("prod", 1, "1.0.0"), ("prod", 2, "1.1.0")]
    script(promoted(churn, "1.2.0"))
    assert moves(told(churn.run("watch", "churn@prod", "--json", "--since", "1").out)) == seen[3:]


def test_trouble_is_told_and_survived_and_nothing_is_lost_or_told_twice(
    churn: Shell, script, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, pauses = LocalStore.read, list[float]()

    def fail(*_: object, **__: object) -> bytes:
        raise StorageError("no answer")

    def cut() -> None:
        monkeypatch.setattr(LocalStore, "read", fail)

    def mend() -> None:
        monkeypatch.setattr(LocalStore, "read", read)
        promoted(churn, "1.1.0")()
        promoted(churn, "1.2.0")()

    script(cut, nothing, nothing, mend, nothing)
    wait = watching._wait
    monkeypatch.setattr(watching, "_wait", lambda seconds: (pauses.append(seconds), wait(seconds)))
    events = told(churn.run("watch", "churn@staging", "--json", "--interval", "2s").out)
    assert [it.get("event", "error") for it in events] == [
        "record",
        "trouble",
        "record",
        "record",
        "recovered",
        "error",
    ]
    assert [number for _, number, _ in moves(events)] == [1, 2, 3]
    assert pauses == [2, 4, 8, 16, 2, 2]

    script(cut, nothing)
    ran = churn.run("watch", "churn@staging", "--json", "--patience", "0s")
    assert (ran.code, told(ran.out)[-1]["error"]["code"]) == (8, "storage")
    monkeypatch.setattr(LocalStore, "read", read)
    script(cut, nothing, mend)
    ran = churn.run("watch", "churn@staging")
    assert ran.err.splitlines() == ["storage is in trouble, trying again for 5 m: no answer", "storage answers again"]


def test_until_the_alias_holds_a_version(churn: Shell, script) -> None:
    script(promoted(churn, "1.1.0"), lambda: [promoted(churn, v)() for v in ("1.2.0", "1.0.0")])
    ran = churn.run("watch", "churn@staging", "--until", "v1.2.0", "--json")
    assert (ran.code, [number for _, number, _ in moves(told(ran.out))]) == (0, [1, 2, 3])
    script()
    assert churn.run("watch", "churn@staging", "--until", "1.0.0").code == 0
    assert churn.run("watch", "churn@staging", "--until", "1.2.0", "--since", "0", "--once").code == 5  # it has gone on
    ran = churn.run("watch", "churn@staging", "--until", "1.2.0", "--timeout", "0s", "--json")
    assert (ran.code, told(ran.out)[-1]["error"]["timeout"]) == (5, True)
    assert churn.run("watch", "churn@staging", "--timeout", "0s").code == 0
    script(nothing, promoted(churn, "1.0.0", "prod"))
    assert churn.run("watch", "churn@prod", "--until", "1.0.0").code == 0


def test_what_is_said_of_versions_is_told_where_that_is_wanted(churn: Shell, script) -> None:
    def say(*words: str) -> Step:
        def run() -> None:
            from artreg.cli.main import main

            assert main([*words, "--json"]) == 0

        return run

    def kinds(out: str) -> list[tuple[str, str]]:
        said = [it for it in told(out) if it.get("event") == "said"]
        return [(it["kind"], it["version"]) for it in said]

    script(
        say("approve", "churn@1.0.0", "--to", "staging"),
        say("yank", "churn@1.2.0", "--reason", "x"),
        *[nothing] * 4,
        say("approve", "churn@1.2.0", "--to", "staging"),
        nothing,
    )
    ran = churn.run("watch", "churn", "--logs", "--json")
    assert kinds(ran.out) == [("approve", "1.0.0"), ("yank", "1.2.0"), ("approve", "1.2.0")]
    assert moves(told(ran.out)) == [("staging", 1, "1.0.0")]
    script()
    ran = churn.run("watch", "churn", "--logs", "--since", "1d", "--json")
    assert kinds(ran.out) == [("approve", "1.0.0"), ("yank", "1.2.0"), ("approve", "1.2.0")]
    assert kinds(churn.run("watch", "churn", "--since", "1d", "--once", "--json").out) == []
    lines = churn.run("watch", "churn", "--since", "1d", "--once", "--logs").out.splitlines()
    assert lines[2][19:] == "  demo/churn@1.2.0  event 1  yank  ada: x"


def test_a_history_that_was_set_back_or_rewritten_ends_it(churn: Shell, script) -> None:
    promoted(churn, "1.1.0")()
    history = churn.folder / "registry/demo/churn/history/staging"
    second = (history / "00000002.json").read_bytes()
    script((history / "00000002.json").unlink, *[nothing] * 4)
    ran = churn.run("watch", "churn@staging", "--json")
    assert (ran.code, told(ran.out)[-1]["error"]["code"]) == (4, "integrity")

    (history / "00000002.json").write_bytes(second)

    def rewrite() -> None:
        (history / "00000002.json").unlink()
        promoted(churn, "1.2.0")()
        promoted(churn, "1.0.0")()

    script(rewrite)
    ran = churn.run("watch", "churn@staging", "--json")
    assert (ran.code, "rewritten" in told(ran.out)[-1]["error"]["message"]) == (4, True)


def test_one_damaged_history_does_not_silence_the_others(churn: Shell, script) -> None:
    promoted(churn, "1.0.0", "prod")()
    history = churn.folder / "registry/demo/churn/history"

    def damage() -> None:
        record = history / "staging/00000001.json"
        record.chmod(0o600)
        record.write_bytes(record.read_bytes().replace(b'"ada"', b'"eve"'))

    churn.run("freeze", "churn@prod", "--until", "2099-01-01T00:00Z", "--reason", "x")

    def thaw() -> None:
        from artreg.cli.main import main

        assert main(["unfreeze", "churn@prod", "--reason", "y", "--json"]) == 0

    script(damage, *[nothing] * 4, thaw, *[nothing] * 5)
    ran = churn.run("watch", "--json")
    events = told(ran.out)
    assert [it["alias"] for it in events if it.get("event") == "damaged"] == ["staging"]
    assert moves(events)[-1] == ("prod", 3, "1.0.0")
    assert ran.code == 130
    for words in ("watch --once", "watch --once --since 1d"):  # from the beginning it is no other
        ran = churn.run(*words.split(), "--json")
        events = told(ran.out)
        assert sorted(it.get("event", "error") for it in events[:-1])[:2] == ["damaged", "record"]
        assert (ran.code, events[-1]["error"]["code"]) == (4, "integrity")
    ran = churn.run("watch", "--once")
    assert ran.code == 4
    assert "demo/churn@staging  damaged  " in ran.out
    assert churn.run("watch", "churn@staging", "--once", "--json").json["error"]["code"] == "integrity"


REFUSED = {
    "watch nope": 5,
    "watch nope@prod": 5,
    "watch -r nowhere": 5,
    "watch churn@1.0.0": 2,
    "watch churn --since 3": 2,
    "watch churn --until 1.0.0": 2,
    "watch churn@prod --logs": 2,
    "watch churn@prod --until soon": 2,
    "watch churn --since soon": 2,
    "watch --interval often": 2,
}


def test_what_cannot_be_watched_is_refused_in_one_line(churn: Shell) -> None:
    for words, code in REFUSED.items():
        ran = churn.run(*words.split(), "--json")
        assert (ran.code, len(ran.out.splitlines()), ran.err) == (code, 1, ""), words
        assert "error" in ran.json
        assert churn.run(*words.split()).err.startswith("error: ")


def test_a_word_that_is_neither_is_taken_for_what_is_near_it(churn: Shell) -> None:
    assert "did you mean demo/churn?" in churn.run("watch", "chrun", "--once").err
    assert "did you mean staging?" in churn.run("watch", "stagng", "--once").err


class Watching:
    """A real process that watches."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "artreg", "watch", "--json", "--interval", "0s", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in clean_environment().items() if name != "PYTHONUNBUFFERED"},
        )

    def __enter__(self) -> Watching:
        self._watchdog = threading.Timer(PATIENCE, self.process.kill)  # a test that waits in vain fails
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.__exit__(None, None, None)

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.process.stderr.read()}"
        return json.loads(line)


def test_moves_of_several_processes_that_come_quickly_are_each_told_once(churn: Shell, tmp_path: Path) -> None:
    for version in ("1.0.1", "1.0.2"):
        churn.publish(version)
    environment = {**clean_environment(), "PYTHONPATH": str(Path(__file__).parents[1])}
    first = subprocess.run([sys.executable, "-c", MOVE_MANY, "zoe", "1"], cwd=tmp_path, env=environment, check=True)
    assert first.returncode == 0
    with Watching(tmp_path, "churn") as watch:
        follow_movers(watch, tmp_path, environment)


def follow_movers(watch: Watching, tmp_path: Path, environment: dict[str, str]) -> None:
    assert {watch.line()["alias"], watch.line()["alias"]} == {"free", "staging"}
    movers = [
        subprocess.Popen([sys.executable, "-c", MOVE_MANY, name, "8"], cwd=tmp_path, env=environment)
        for name in ("ada", "bob")
    ]
    assert [mover.wait() for mover in movers] == [0, 0]
    last = max(map(int, (path.stem for path in (tmp_path / "registry/demo/churn/history/free").iterdir())))
    seen = [1]
    while seen[-1] < last:
        seen.append(watch.line()["generation"])
    assert last > 8
    assert seen == list(range(1, last + 1))
    watch.process.send_signal(signal.SIGINT)
    rest, err = watch.process.communicate(timeout=PATIENCE)
    assert (json.loads(rest)["error"]["code"], err, watch.process.returncode) == ("interrupted", "", 130)


def test_it_ends_with_its_reader_though_nothing_comes(churn: Shell, tmp_path: Path) -> None:
    with Watching(tmp_path) as watch:
        assert watch.line()["event"] == "record"
        assert watch.process.stdout is not None
        assert watch.process.stderr is not None
        watch.process.stdout.close()
        assert watch.process.wait(timeout=PATIENCE) == 0
        assert watch.process.stderr.read() == ""


def test_a_wait_is_over_when_the_reader_of_a_pipe_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        watching._wait(0.01)
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            watching._wait(3600)
        monkeypatch.undo()
