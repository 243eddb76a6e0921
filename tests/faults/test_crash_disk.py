"""Killed at every call to the disk, every operation leaves a sound registry, and the same command finishes it."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from faults import children, processes
from faults.build import assert_pointers, assert_sound, collect_everything, files_below, later, make_sources, view
from faults.operations import OPERATIONS
from faults.outofband import whole_versions
from sizes import size

LEAST = {
    "publish first": 50,
    "publish next": 60,
    "promote first": 110,
    "promote next": 120,
    "rollback": 140,
    "gc on a disk": 250,
}
"""How many crash points there are at least; how many calls Python's own functions make differs a little."""

STEP = size(11, 1, 1)
"""Every so manieth call is one to die at."""


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_killed_at_every_call(tmp_path, name, least):
    sources = make_sources(tmp_path / "sources")
    template = tmp_path / "template"
    _prepare(name, template, sources)
    before = view(Registry(LocalStore(template)))
    finished = shutil.copytree(template, tmp_path / "finished", symlinks=True)
    OPERATIONS[name].run(later(LocalStore(finished)), sources)
    after = view(Registry(LocalStore(finished)))

    killed = tmp_path / "killed"
    killed.mkdir()
    child = processes.start(children.at_every_call, name, str(template), str(killed), str(sources), STEP)
    assert processes.finish(child) == 0
    calls = json.loads((killed / "calls.json").read_text())
    seen = []
    for point in range(STEP, len(calls) + 1, STEP):
        state = _state(killed / str(point))
        if state not in seen:  # else it was killed between two calls that changed nothing
            print(f"{name}: killed at call {point}, {calls[point - 1]}")
            _check(name, killed / str(point), sources, before, after)
            seen.append(state)
    print(f"{name}: {len(calls) // STEP} crash points on a disk, which left {len(seen)} different states")
    assert len(calls) >= least


def _prepare(name: str, root: Path, sources: Path) -> None:
    OPERATIONS[name].prepare(Registry(LocalStore(root)), sources)
    for crashed, call in OPERATIONS[name].leftovers:
        child = processes.start(children.on_disk, crashed, str(root), str(sources), call, "")
        assert processes.finish(child) == -signal.SIGKILL


def _state(root: Path) -> list[tuple[str, bytes]]:
    """All names and bytes; those of temporary files are random, and two of them may lie side by side."""
    return sorted(
        (re.sub(r"\.artreg-tmp-[0-9a-f]{32}", ".artreg-tmp", path.relative_to(root).as_posix()), _bytes(path))
        for path in root.rglob("*")
    )


def _bytes(path: Path) -> bytes:
    if path.is_symlink():
        return os.readlink(path).encode()
    return b"/" if path.is_dir() else path.read_bytes()


def _check(name: str, root: Path, sources: Path, before: object, after: object) -> None:
    """Sound as it is, and finished by the same command."""
    _check_after_crash(root, before, after)
    OPERATIONS[name].run(later(LocalStore(root)), sources)
    _check_when_done(root, after)


def _check_after_crash(root: Path, before: object, after: object) -> None:
    registry = Registry(LocalStore(root))
    assert_sound(registry, stale_pointers=True)
    assert view(registry) in (before, after)
    visible = {f"demo/churn/{version}" for version in view(registry)["versions"]}
    seen = {key: data for key, data in files_below(root).items() if ".artreg-tmp-" not in key}
    assert whole_versions(seen) == visible
    for alias in ("staging", "prod"):
        if (root / "demo/churn" / alias).is_symlink():
            assert f"demo/churn/{(root / 'demo/churn' / alias).readlink()}" in visible


def _check_when_done(root: Path, after: object) -> None:
    store = LocalStore(root)
    assert view(Registry(store)) == after
    collect_everything(store)
    assert view(Registry(store)) == after
    assert_sound(Registry(store))
    assert_pointers(store)
    assert [path for path in root.rglob("*") if ".artreg-tmp-" in path.name] == []
