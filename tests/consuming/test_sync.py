"""Syncing: a folder holds what the lock says, whole, or what it held before."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from artreg.consuming import exchange
from artreg.consuming.cache import find_cache
from artreg.consuming.handle import Consumer
from artreg.consuming.lock_file import write_lock
from artreg.consuming.pinning import pin
from artreg.consuming.pull import pull
from artreg.consuming.sync import Done, Failed, Synced, Syncing, sync
from artreg.core.lock import Lock
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from registry.bench import CHURN, Bench

FREE, SECOND = "demo/churn@free", "demo/churn@1.1.0"


@pytest.fixture
def bench(local_store: LocalStore, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    bench = Bench(local_store, tmp_path / "made")
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    bench.promote("1.0.0")
    return bench


@pytest.fixture
def lock(bench: Bench) -> Lock:
    return locked(bench)


def locked(bench: Bench, *names: str) -> Lock:
    made = pin(bench.registry, Lock(""), [Reference.parse(name, "-") for name in names or (FREE, SECOND)])
    return Lock(bench.store.url).having(one.pin for one in made if one.pin)


def synced(bench: Bench, lock: Lock, folder: Path, **how: Any) -> dict[str, Synced | Failed]:
    consumer = how.pop("consumer", None) or Consumer(bench.registry, None, "here")
    results = sync(lock, Syncing(folder, bench.registry, partial(pull, consumer), **how))
    return {str(result.pin.reference): result for result in results}


def outcomes(results: dict[str, Synced | Failed]) -> dict[str, Any]:
    return {name: it.error.code if isinstance(it, Failed) else it.done for name, it in results.items()}


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file with its inode, its time, and what it holds: nothing is written where all of it is the same."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def model(folder: Path, name: str = FREE) -> str:
    return (folder / name / "model.bin").read_text()


def test_what_is_locked_is_there_and_stays(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = synced(bench, lock, out, dry_run=True)
    assert (outcomes(told), out.exists()) == ({FREE: Done.PULLED, SECOND: Done.PULLED}, False)
    first = synced(bench, lock, out)
    assert outcomes(first) == {FREE: Done.PULLED, SECOND: Done.PULLED}
    assert (model(out), model(out, SECOND)) == ("1.0.0", "1.1.0")
    result = first[FREE]
    assert isinstance(result, Synced)
    files = list((out / FREE).iterdir())
    assert (result.files, result.bytes) == (len(files), sum(file.stat().st_size for file in files))
    before = state(out)
    assert outcomes(synced(bench, lock, out)) == {FREE: Done.PRESENT, SECOND: Done.PRESENT}
    assert state(out) == before
    assert sorted(path.name for path in out.iterdir()) == ["demo"]


def test_an_alias_that_moved_changes_nothing_until_it_is_locked_anew(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bench.promote("1.1.0")
    synced(bench, lock, out)
    assert model(out) == "1.0.0"
    assert outcomes(synced(bench, locked(bench), out)) == {FREE: Done.REPLACED, SECOND: Done.PRESENT}
    assert (model(out), sorted(path.name for path in out.iterdir())) == ("1.1.0", ["demo"])


def _append(place: Path) -> None:
    (place / "model.bin").chmod(0o600)
    (place / "model.bin").write_text("9.9.9")


def _link(place: Path) -> None:
    shutil.copy(place / "model.bin", place.parent / "elsewhere")
    (place / "model.bin").unlink()
    (place / "model.bin").symlink_to(place.parent / "elsewhere")


CHANGES = {
    "model.bin": [_append, _link, lambda place: (place / "model.bin").unlink()],
    "new/file": [lambda place: ((place / "new").mkdir(), (place / "new/file").touch())],
    "checksum.txt": [lambda place: (place / "checksum.txt").unlink()],
}


@pytest.mark.parametrize(("file", "change"), [(name, it) for name, every in CHANGES.items() for it in every])
def test_what_somebody_changed_is_named_and_kept(bench: Bench, lock: Lock, tmp_path: Path, file: str, change) -> None:
    out = tmp_path / "out"
    synced(bench, lock, out)
    change(out / FREE)
    before = state(out / FREE)
    again = synced(bench, lock, out)
    assert outcomes(again) == {FREE: "already_exists", SECOND: Done.PRESENT}
    failed = again[FREE]
    assert isinstance(failed, Failed)
    if file != "checksum.txt":
        assert failed.error.details["files"] == [file]
    assert state(out / FREE) == before
    assert outcomes(synced(bench, lock, out, force=True)) == {FREE: Done.REPLACED, SECOND: Done.PRESENT}
    assert outcomes(synced(bench, lock, out)) == {FREE: Done.PRESENT, SECOND: Done.PRESENT}
    assert model(out) == "1.0.0"


def test_a_quick_look_sees_what_is_not_there_or_of_another_size(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synced(bench, lock, out)
    _append(out / FREE)
    assert outcomes(synced(bench, lock, out, quick=True))[FREE] is Done.PRESENT
    (out / FREE / "model.bin").write_text("longer")
    assert outcomes(synced(bench, lock, out, quick=True))[FREE] == "already_exists"
    (out / FREE / "model.bin").unlink()
    assert outcomes(synced(bench, lock, out, quick=True))[FREE] == "already_exists"
    synced(bench, lock, out, force=True)
    bench.promote("1.1.0")
    assert outcomes(synced(bench, locked(bench), out, quick=True))[FREE] is Done.REPLACED


def test_a_folder_of_somebody_else_is_kept(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / FREE).mkdir(parents=True)
    (out / FREE / "notes.txt").write_text("mine")
    (out / "demo/other").mkdir()
    assert outcomes(synced(bench, lock, out)) == {FREE: "already_exists", SECOND: Done.PULLED}
    assert (out / FREE / "notes.txt").read_text() == "mine"
    assert (out / "demo/other").is_dir()


def test_nothing_is_written_through_a_link(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for place in ("one/demo", f"two/{FREE}", f"three/{FREE}"):
        (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / "one/demo").symlink_to(elsewhere)
    (tmp_path / "two" / FREE).symlink_to(elsewhere)
    (tmp_path / "three" / FREE).touch()
    for out in ("one", "two", "three"):
        for force in (False, True):
            failed = synced(bench, lock, tmp_path / out, force=force)[FREE]
            assert isinstance(failed, Failed)
            assert "is no folder" in failed.error.message
    assert list(elsewhere.iterdir()) == []


def test_what_vanished_or_changed_is_named_and_the_rest_is_there(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out, there = tmp_path / "out", Path(bench.store.url) / "demo/churn"
    shutil.move(there / "1.0.0", tmp_path / "gone")
    gone = synced(bench, lock, out)
    assert outcomes(gone) == {FREE: "not_found", SECOND: Done.PULLED}
    assert "is locked at 1.0.0, which is not to be had: there is no version 1.0.0" in str(gone[FREE])
    shutil.move(tmp_path / "gone", there / "1.0.0")
    (there / "1.0.0/model.bin").chmod(0o600)
    (there / "1.0.0/model.bin").write_text("1.0.1")
    assert outcomes(synced(bench, lock, out)) == {FREE: "integrity", SECOND: Done.PRESENT}
    assert not (out / FREE).exists()


def test_another_version_under_the_same_number_is_refused(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    """Whole and sound by all that the registry says of it, but not what was locked."""
    other = Bench(LocalStore(tmp_path / "other"), tmp_path / "made")
    other.store.make_root()
    other.publish("1.0.0", "else")
    other.promote("1.0.0")
    other.publish("1.1.0")
    assert outcomes(synced(other, lock, tmp_path / "out"))[FREE] == "integrity"
    assert not (tmp_path / "out" / FREE).exists()


def test_a_replacement_that_fails_leaves_what_was_there(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synced(bench, lock, out)
    bench.promote("1.1.0")
    later = locked(bench, FREE)
    shutil.rmtree(Path(bench.store.url) / "demo/churn/1.1.0")
    before = state(out)
    assert outcomes(synced(bench, later, out)) == {FREE: "not_found"}
    assert (state(out), sorted(path.name for path in out.iterdir())) == (before, ["demo"])


def test_a_yank_warns_or_refuses_or_is_not_asked_about(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    yank(bench.registry, CHURN, Version.parse("1.0.0"), "leaks the label")
    refused = synced(bench, lock, tmp_path / "refused", no_yanked=True)
    assert outcomes(refused) == {FREE: "gate_rejected", SECOND: Done.PULLED}
    warned = synced(bench, lock, tmp_path / "out")[FREE]
    assert isinstance(warned, Synced)
    assert "was yanked by ada" in warned.notes[0]
    shutil.rmtree(Path(bench.store.url) / "demo/churn/history/1.0.0")
    (Path(bench.store.url) / "demo/churn/history/1.0.0").mkdir()
    (Path(bench.store.url) / "demo/churn/history/1.0.0/00000001.json").write_text("?")
    assert outcomes(synced(bench, lock, tmp_path / "out"))[FREE] == "integrity"
    silent = synced(bench, lock, tmp_path / "frozen", frozen=True)[FREE]
    assert isinstance(silent, Synced)
    assert silent.notes == ()


def test_the_cache_is_enough(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    cache = find_cache(str(tmp_path / "cache"), 2**30, local=True)
    consumer = Consumer(bench.registry, cache, "here")
    synced(bench, lock, tmp_path / "one", consumer=consumer)
    shutil.rmtree(bench.store.url)
    offline = Consumer(bench.registry, cache, "here", offline=True)
    assert outcomes(synced(bench, lock, tmp_path / "two", consumer=offline, frozen=True)) == {
        FREE: Done.PULLED,
        SECOND: Done.PULLED,
    }
    assert [data for _, _, data in state(tmp_path / "one").values()] == [
        data for _, _, data in state(tmp_path / "two").values()
    ]
    assert outcomes(synced(bench, lock, tmp_path / "two", frozen=True))[FREE] is Done.PRESENT


def test_many_at_once_agree(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bench.promote("1.1.0")
    later = locked(bench)
    synced(bench, lock, out)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: outcomes(synced(bench, later, out))[FREE], range(4)))
    assert sorted(result.name for result in results) == ["PRESENT"] * 3 + ["REPLACED"]
    assert model(out) == "1.1.0"


@pytest.mark.parametrize("way", ["exchange", "two renames", "lower layer"])
def test_the_new_one_comes_before_the_old_one_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    new, target = tmp_path / "aside" / "new", tmp_path / "place"
    for path, text in ((new, "new"), (target, "old")):
        path.mkdir(parents=True)
        (path / "file").write_text(text)
    if way != "exchange":
        monkeypatch.setattr(exchange, "_exchanged", lambda *_: False)
    if way == "lower layer":
        rename = os.rename

        def overlay(source: Path, to: Path) -> None:
            if source == target:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            rename(source, to)

        monkeypatch.setattr(os, "rename", overlay)
    seen, remove = [], exchange.remove_tree

    def watched(path: str, **more: bool) -> None:
        seen.append(sorted(there.read_text() for there in tmp_path.glob("place/file")))
        remove(path, **more)

    monkeypatch.setattr(exchange, "remove_tree", watched)
    exchange.put_in_place(new, target)
    assert seen[-1] == ["new"]
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["place", "aside", "place/file"]


def test_what_another_sync_left_behind_is_in_nobodys_way(bench: Bench, lock: Lock, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synced(bench, lock, out)
    (out / ".artreg/sync" / FREE).mkdir(parents=True)
    (out / ".artreg/sync" / FREE / "half").touch()
    bench.promote("1.1.0")
    assert outcomes(synced(bench, locked(bench), out))[FREE] is Done.REPLACED
    assert (model(out), sorted(path.name for path in out.iterdir())) == ("1.1.0", ["demo"])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_sync_that_is_killed_is_gone_on_with(bench: Bench, lock: Lock, tmp_path: Path, moment: str) -> None:
    out = tmp_path / "out"
    synced(bench, lock, out)
    bench.promote("1.1.0")
    write_lock(tmp_path / "artreg.lock", locked(bench))
    code = f"""
import os
from artreg.consuming import exchange
real = exchange._exchanged
def killed(*paths):
    {"" if moment == "before" else "real(*paths)"}
    os.kill(os.getpid(), 9)
exchange._exchanged = killed
from artreg.cli.main import main
main({["sync", "-o", str(out), "-f", str(tmp_path / "artreg.lock")]!r})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert model(out) == ("1.0.0" if moment == "before" else "1.1.0")
    again = outcomes(synced(bench, locked(bench), out))
    assert again[FREE] is (Done.REPLACED if moment == "before" else Done.PRESENT)
    assert (model(out), sorted(path.name for path in out.iterdir())) == ("1.1.0", ["demo"])
