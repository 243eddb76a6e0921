"""What lies where a file or a folder should be: links, FIFOs, sockets, devices, folders, files without end."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from artreg.errors import IntegrityError
from artreg.store.local import LocalStore
from hostile.test_documents import problems
from hostile.tripwire import watching
from hostile.victim import TARGETS, run
from sizes import FULL

MODEL = "demo/churn"
READS = (
    "list",
    "list churn",
    "show churn@1.2.0",
    "resolve churn@staging",
    "resolve churn@latest",
    "history churn --verify",
    "verify",
    "check churn 1.2.0 --to prod",
    "approvals churn@1.2.0",
    "diff churn@1.1.0 churn@1.2.0",
    "pull churn@1.2.0 -o {here}/pulled",
    "data list",
    "data verify",
    "data pull churn -o {here}/pulled.csv",
    "policy show",
    "doctor",
    "gc --dry-run",
)
WRITES = (
    "publish made --model churn --bump patch",
    "publish made --model other --version 1.0.0",
    "promote churn 1.2.0 --to staging",
    "rollback churn@staging --reason x",
    "yank churn@1.1.0 --reason x",
    "approve churn@1.2.0 --to prod --reason x",
    "freeze churn@staging --until 2099-01-01T00:00Z --reason x",
    "policy push p.yaml",
    "data snapshot table.csv --name churn",
    "verify --record",
    "init",
    "gc --older-than 0s",
)
FOLDERS = (
    "demo",
    MODEL,
    f"{MODEL}/1.2.0",
    f"{MODEL}/history",
    f"{MODEL}/history/staging",
    f"{MODEL}/history/1.2.0",
    ".artreg",
    ".artreg/policy",
    ".artreg/data",
    ".artreg/data/churn",
    ".artreg/verified",
    ".artreg/verified/demo/churn",
)


def seen(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: what it is, when it was written, what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, data)
    return found


@pytest.fixture
def here(root: Path) -> Path:
    """The present folder, with something to publish, a policy and a table."""
    Path("made").mkdir()
    Path("made/model.json").write_text("{}")
    Path("made/metrics.json").write_text('{"roc_auc": 0.9}')
    Path("p.yaml").write_text("aliases: {staging: {}, prod: {}, extra: {}}\n")
    Path("table.csv").write_text("id,y\n1,2\n")
    return root.parent


@pytest.mark.parametrize("place", FOLDERS)
def test_no_folder_that_is_a_link_leads_a_command_out_of_the_registry(place: str, here: Path, tmp_path: Path) -> None:
    """What it leads to is as it should be, so that whoever followed it would be served."""
    outside = tmp_path / "outside"
    shutil.move(here / "registry" / place, outside)
    (here / "registry" / place).symlink_to(outside)
    before, wrong = seen(outside), list[str]()
    with watching(here, Path(os.path.realpath("/tmp")) / "nothing") as wire:
        every = (*READS, *WRITES)
        for words in every if FULL else every[FOLDERS.index(place) % 5 :: 5]:
            ran = run(*words.format(here=here).split())
            wrong += [f"{words}: {it}" for it in wire.touched if "outside" in it]
            wrong += problems(ran)
            wire.touched.clear()
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text
    assert seen(outside) == before


def test_a_link_is_refused_by_the_store_whatever_is_written(tmp_path: Path) -> None:
    outside, store = tmp_path / "outside", LocalStore(tmp_path / "root")
    store.make_root()
    store.create("a/b/one", b"1")  # now the folder is known to be on the disk
    outside.mkdir()
    (outside / "two").write_bytes(b"2")
    shutil.rmtree(tmp_path / "root/a/b")
    (tmp_path / "root/a/b").symlink_to(outside)
    for write in (
        lambda: store.create("a/b/new", b"x"),
        lambda: store.create("a/b/c/new", b"x"),
        lambda: store.delete(["a/b/two"]),
    ):
        with pytest.raises(IntegrityError, match="is a symbolic link where a folder is expected"):
            write()
    assert [path.name for path in outside.iterdir()] == ["two"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    there = os.getcwd()
    os.chdir(path.parent)  # the path of a socket may have a hundred characters
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(there)


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


KINDS: dict[str, Callable[[Path], None]] = {
    "FIFO": fifo,
    "socket": bound_socket,
    "folder": lambda path: (path / "x").mkdir(parents=True),
    "device": link_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to nothing": link_to("nowhere"),
    "sparse file": lambda path: (path.touch(), os.truncate(path, 10 * 2**30))[0],
}
FILES = {
    **{name: target.commands for name, target in TARGETS.items()},
    f"{MODEL}/1.2.0/checksum.txt": ("show churn@1.2.0", "list", "verify churn", "pull churn@1.2.0 -o pulled"),
    f"{MODEL}/1.2.0/README.md": ("check churn 1.2.0 --to prod", "show churn@1.2.0"),
    f"{MODEL}/staging": ("resolve churn@staging", "verify churn", "gc --dry-run", "list"),
    f"{MODEL}/history/1.1.0/yanked": ("list", "resolve churn@latest"),
}


def put(kind: str, path: Path) -> None:
    if path.is_symlink() or path.exists():
        path.unlink()
    KINDS[kind](path)


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_of_a_registry_that_is_none_makes_a_command_wait(kind: str, root: Path, tmp_path: Path) -> None:
    wrong = list[str]()
    for number, (name, commands) in enumerate(FILES.items()):
        if (kind, name) == ("sparse file", "model.json"):
            continue  # a model may be of any size
        key = TARGETS[name].key if name in TARGETS else name
        path = max(root.glob(key)) if "*" in key else root / key
        kept = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        put(kind, path)
        with watching(tmp_path, Path(os.path.realpath("/tmp"))) as wire:
            words = commands[number % len(commands)]
            ran = run(*words.split())
            wrong += [f"{name}: {it}" for it in [*problems(ran), *wire.touched]]
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        path.write_bytes(kept)
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text


WRITTEN = {
    "p.yaml": "policy check p.yaml",
    "q.yaml": "check churn 1.2.0 --to prod --policy q.yaml",
    "plan.yaml": "promote --plan plan.yaml --dry-run",
    "c.yaml": "train --config c.yaml --dry-run",
    "configs/artreg.yaml": "list",
    "configs/policy.yaml": "check churn 1.2.0 --to prod",
    "t.dvc": "data snapshot t.dvc --name t --dry-run",
    "table.csv": "data snapshot table.csv --name t --dry-run",
    "made/metrics.json": "publish made --model churn --version 2.0.0 --dry-run",
    "made/run.json": "publish made --model churn --version 2.0.0 --dry-run",
    "made/checksum.txt": "publish made --model churn --version 2.0.0 --dry-run",
    "key": "approve churn@1.2.0 --to prod --sign-key key",
}


NOTHING_THERE = {
    "link to nothing": {"configs/artreg.yaml"},
    "folder": {"made/metrics.json", "made/run.json", "made/checksum.txt"},
}
"""What may as well be missing: a folder with no file in it adds nothing to a version."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_of_a_person_that_is_none_makes_a_command_wait(kind: str, here: Path, tmp_path: Path) -> None:
    wrong, served = list[str](), []
    Path("configs").mkdir()
    for name, words in WRITTEN.items():
        if (kind, name) == ("sparse file", "table.csv"):
            continue  # a table may be of any size
        path = Path(name).absolute()
        kept = path.read_bytes() if path.is_file() else None
        put(kind, path)
        ran = run(*words.split())
        wrong += problems(ran)
        served += [name] if ran.code == 0 else []
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if kept is not None:
            path.write_bytes(kept)
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text
    assert set(served) <= {"configs/policy.yaml", *NOTHING_THERE.get(kind, ())}


@pytest.mark.parametrize("read", ["read", "chunks", "digests"])
def test_a_file_that_grows_while_it_is_read_has_an_end(
    read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at it makes it longer, as a writer does who is faster than the reader."""
    path, store = tmp_path / "m" / "file", LocalStore(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"x" * 2**21)
    real = {name: getattr(os, name) for name in ("read", "readv")}

    def growing(name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            with path.open("ab") as file:
                file.write(b"y" * 2**21)
            return real[name](*arguments)

        return call

    for name in real:
        monkeypatch.setattr(os, name, growing(name))
    if read == "digests":
        (found,) = store.digests("m", [("file", 2**21)])
        assert found.size < 2**23
    elif read == "read":
        real_fstat = os.fstat
        monkeypatch.setattr(os, "fstat", lambda it: os.stat_result((*real_fstat(it)[:6], 0, 0, 0, 0)))  # as it was
        with pytest.raises(IntegrityError, match="larger than"):
            store.read("m/file", 2**20)
    else:
        taken = 0
        for piece in store.chunks("m/file"):
            taken += len(piece)
            with path.open("ab") as file:
                file.write(b"y" * 2**21)
            assert taken < 2**23
