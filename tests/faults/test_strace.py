"""Real commands, killed or failed by strace at the n-th call of a kind; and whether a record missed any call."""

import errno
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from faults import power_strace
from faults.build import assert_sound
from faults.disk_errors import COMMANDS, STEPWISE, check_error, prepare
from faults.power_steps import open_registry, seen

pytestmark = pytest.mark.slow  # and of the full size of the tests of faults, which sees to it that strace is there
FAILING = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE")
KILLED = {"publish": (1, 18), "promote": (1, 30), "rollback": (4, 8), "yank": (4, 8), "gc": (2, 5), "init": (4, 8)}
"""Each command: how many calls of a kind it is from one point to the next, and how many points there are at least."""


class Place:
    """A folder in which a command is run again and again, on a registry that is always the same."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder, self.words = folder, COMMANDS[command]
        self.root = folder / ("new" if command == "init" else "registry")
        prepare(folder)
        self.fresh()
        power_strace.run(COMMANDS["publish"], folder)  # so that Python has compiled what it takes
        if command == "gc":
            self.fresh()
            power_strace.run(COMMANDS["publish"], folder, "rename:signal=KILL:when=1")
            shutil.rmtree(folder / "template")
            (folder / "registry").rename(folder / "template")
        self.fresh()
        self.before = seen(self.root)
        assert power_strace.run(self.words, folder).code == 0
        self.after = seen(self.root)

    def fresh(self) -> None:
        for name in ("registry", "new"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(self.folder / "template", self.folder / "registry", symlinks=True)

    def check(self, context: str) -> None:
        """Sound, as before or as after, and the same command finishes it."""
        now = seen(self.root)
        assert now in (self.before, self.after) or self.words[0] in STEPWISE, context
        if now is not None:
            assert_sound(open_registry(self.root), stale_pointers=True)
        again = power_strace.run(self.words, self.folder)
        assert again.code == 0, f"{context}: {again}"
        assert seen(self.root) == self.after, context


@pytest.mark.parametrize("command", KILLED)
def test_killed_at_a_system_call(tmp_path, command):
    stride, least = KILLED[command]
    place, points = Place(tmp_path, command), Counter()
    for call in power_strace.CALLS:
        for number in range(1, 100, stride):
            place.fresh()
            ran = power_strace.run(place.words, tmp_path, f"{call}:signal=KILL:when={number}")
            if ran.code == 0:
                break
            assert ran.code in {-9, 137}, ran
            points[call] += 1
            place.check(f"{command} killed at {call} {number}")
    print(f"{command}: killed at {points.total()} points: {dict(points)}")
    assert points.total() >= least


@pytest.mark.parametrize("command", ["publish", "promote"])
def test_system_call_that_fails(tmp_path, command):
    place, faults, errors = Place(tmp_path, command), Counter(), iter(FAILING * 100)
    for call in ("mkdir", "fsync", "link", "rename", "symlink"):
        for number in range(1, 100):
            place.fresh()
            error = next(errors)
            ran = power_strace.run(place.words, tmp_path, f"{call}:error={error}:when={number}")
            if ran.code == 0:
                break
            context = f"{command}: {error} at {call} {number}: {ran}"
            check_error(ran, getattr(errno, error), context, changed=seen(place.root) != place.before)
            faults[error] += 1
            place.check(context)
    print(f"{command}: {faults.total()} system calls failed: {dict(faults)}")
    assert faults.total() >= 10


def test_strace_sees_what_the_record_of_power_loss_holds(tmp_path):
    """Nothing that changes a file was missed, be it done by a thread or by a process of its own."""
    tests = Path(__file__).parent.parent
    command = ["env", f"PYTHONPATH={tests}", sys.executable, "-m", "faults.power_child", os.fspath(tmp_path)]
    found = power_strace.changes(command, tmp_path / "top", tmp_path / "log")
    recorded = Counter(json.loads((tmp_path / "recorded.json").read_text()))
    print(f"strace and the record agree on {found.total()} calls: {dict(found)}")
    assert found == recorded
    assert found.total() > 300
