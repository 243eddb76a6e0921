"""Whatever the format, a folder appears whole and verified, or nothing does; and nothing that is there is replaced."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artreg.core.names import Reference
from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.exporting.folder import Exported
from artreg.exporting.huggingface import export_huggingface
from artreg.exporting.oci import export_oci
from artreg.registry.handle import Registry
from exporting.made import V, meant, published, registry_on, trained
from store.places import MotoPlace

Export = Callable[..., Exported]
EXPORTS = {"oci": export_oci, "huggingface": export_huggingface}

# What dies at the very last moment, when all is written and nothing has its name yet.
DYING = """
import os, signal, sys
os.rename = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
from artreg.cli.main import main
main(sys.argv[1:])
"""
# What may write no file larger than a few kilobytes: the system says so in the middle of the model.
CRAMPED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from artreg.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(params=EXPORTS)
def export(request: pytest.FixtureRequest) -> Export:
    return EXPORTS[request.param]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(code: str, tmp_path: Path, name: str) -> subprocess.CompletedProcess[str]:
    words = ["export", "churn@1.2.1", "--to", name, "--out", str(tmp_path / "out"), "-r", str(tmp_path / "registry")]
    return subprocess.run(
        [sys.executable, "-c", code, *words], check=False, cwd=tmp_path, capture_output=True, text=True
    )


def test_an_empty_folder_is_filled_and_its_parents_are_made(registry: Registry, tmp_path: Path, export: Export) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/out").mkdir()
    done = export(registry, meant(registry), tmp_path / "a/out")
    export(registry, meant(registry), tmp_path / "new/er/out")
    found = contents(tmp_path / "a/out")
    assert found == contents(tmp_path / "new/er/out")
    assert (done.files, done.bytes) == (len(found), sum(map(len, found.values())))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["out"]


@pytest.mark.parametrize("there", ["file", "folder", "dangling", "itself"])
def test_what_is_there_stays_as_it_is(registry: Registry, tmp_path: Path, export: Export, there: str) -> None:
    out = tmp_path / "out"
    match there:
        case "file":
            out.write_text("mine")
        case "folder":
            out.mkdir()
            (out / "mine").write_text("mine")
        case "dangling":
            out.symlink_to("nowhere")
        case "itself":
            export(registry, meant(registry), out)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AlreadyExists):
        export(registry, meant(registry), out)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_came_in_between_is_not_replaced(
    registry: Registry, tmp_path: Path, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def late(source: str, target: str) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/mine").write_text("mine")
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    with pytest.raises(AlreadyExists):
        export(registry, meant(registry), tmp_path / "out")
    assert contents(tmp_path / "out") == {"mine": b"mine"}


def test_where_nobody_may_write_that_is_said(
    registry: Registry, tmp_path: Path, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def refused(path: Any, *rest: Any, **more: Any) -> None:
        if ".artreg-tmp-" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        mkdir(path, *rest, **more)

    monkeypatch.setattr(os, "mkdir", refused)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may be run by root, who may write anywhere
    with pytest.raises(StorageError, match=f"you may not write to {tmp_path}") as raised:
        export(registry, meant(registry), tmp_path / "a/out")
    assert "registry" not in f"{raised.value.message} {raised.value.hint}".replace(str(tmp_path), "")


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\udcff", "\u202e"])
def test_a_name_that_cannot_be_is_refused_as_that_of_a_folder(
    registry: Registry, tmp_path: Path, export: Export, name: str
) -> None:
    with pytest.raises(InvalidInput, match="cannot be the folder to make"):
        export(registry, meant(registry), tmp_path / name)


def test_neither_a_root_nor_a_version_that_is_not_there(registry: Registry, tmp_path: Path, export: Export) -> None:
    with pytest.raises((InvalidInput, AlreadyExists)):
        export(registry, meant(registry), Path("/"))
    with pytest.raises(NotFound):
        export(registry, meant(registry, Reference.parse("churn@9.9.9", "demo")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["model.skops", "metrics.json", "checksum.txt"])
@pytest.mark.parametrize("damage", ["altered", "shorter", "gone", "link"])
def test_a_damaged_version_is_refused_and_nothing_is_left(
    registry: Registry, tmp_path: Path, export: Export, file: str, damage: str
) -> None:
    path = tmp_path / "registry/demo/churn" / str(V) / file
    data = path.read_bytes()
    path.unlink()
    match damage:
        case "altered":
            path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        case "shorter":
            path.write_bytes(data[:-1])
        case "link":
            (tmp_path / "elsewhere").write_bytes(data)
            path.symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.iterdir())
    with pytest.raises((IntegrityError, NotFound)):
        export(registry, meant(registry), tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", EXPORTS)
def test_killed_it_leaves_nothing_under_the_name(registry: Registry, tmp_path: Path, name: str) -> None:
    died = command(DYING, tmp_path, name)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not (tmp_path / "out").exists()
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".artreg-tmp-")]
    assert len(left) == 1, "it died too early to show anything"
    EXPORTS[name](registry, meant(registry), tmp_path / "out")


@pytest.mark.parametrize("name", EXPORTS)
def test_where_there_is_no_room_nothing_is_left(local_store: Any, tmp_path: Path, name: str) -> None:
    published(registry_on(local_store), tmp_path / "made", trained(**{"model.skops": os.urandom(100_000)}))
    before = sorted(tmp_path.iterdir())
    failed = command(CRAMPED, tmp_path, name)
    assert failed.returncode == 8, failed.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_bucket_gives_the_same(moto_place: MotoPlace, registry: Registry, tmp_path: Path, export: Export) -> None:
    there = registry_on(moto_place.store())
    published(there, tmp_path / "again", trained())
    export(registry, meant(registry), tmp_path / "here")
    export(there, meant(there), tmp_path / "there")
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
