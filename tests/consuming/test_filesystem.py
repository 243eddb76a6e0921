"""`artreg://` in the hands of those who read through fsspec."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artreg.consuming.lock_file import write_lock
from artreg.consuming.pinning import pin
from artreg.core.lock import Lock
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput
from artreg.filesystem import ArtregFileSystem
from artreg.registry.publish import publish
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from registry.bench import CHURN, Bench


@pytest.fixture(params=["straight", "cached"])
def bench(request, local_store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A registry in the settings, with and without a cache, of which `free` holds 1.0.0 of two versions."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ARTREG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ARTREG_REGISTRY", local_store.url)
    monkeypatch.setenv("ARTREG_CACHE", str(tmp_path / "cache") if request.param == "cached" else "off")
    (tmp_path / "made").mkdir()
    bench = Bench(local_store, tmp_path / "made")
    for version in ("1.0.0", "1.1.0"):
        folder = bench.made(version, rows=float(version[2]))
        (folder / "model.bin").rename(folder / "weights")
        (folder / "model").mkdir()
        (folder / "weights").rename(folder / "model/weights.bin")
        pq.write_table(pa.table({"x": range(1000), "v": [version] * 1000}), folder / "scores.parquet")
        publish(bench.registry, CHURN, folder, Version.parse(version))
    bench.promote("1.0.0")
    return bench


straight = pytest.mark.parametrize("bench", ["straight"], indirect=True)


def read(url: str, mode: str = "rb", **options: Any) -> Any:
    with fsspec.open(url, mode, **options) as file:
        return file.read()


def test_files_are_read_by_url_alone(bench: Bench) -> None:
    with fsspec.open("artreg://churn@free/model/weights.bin") as file:
        assert (file.read(), file.seek(2), file.read(1), file.size) == (b"1.0.0", 2, b"0", 5)
    assert read("artreg://demo/churn@1.1.0/model/weights.bin", "rt") == "1.1.0"
    (metrics,) = pd.read_json("artreg://churn@latest/metrics.json", orient="index").T["rows"]
    assert metrics == 1
    with fsspec.open_files("artreg://churn@free/*.json") as files:
        assert [max(json.load(file)) for file in files] == ["rows", "write_id"]


def test_tables_are_read_by_pandas_and_by_pyarrow(bench: Bench) -> None:
    url, system = "churn@free/scores.parquet", fsspec.filesystem("artreg")
    assert pd.read_parquet(f"artreg://{url}", columns=["v"])["v"].unique().tolist() == ["1.0.0"]
    assert pq.read_table(url, filesystem=system, columns=["x"]).num_rows == 1000
    assert pq.read_table("churn@1.1.0/scores.parquet", filesystem=system).column("v")[0].as_py() == "1.1.0"


def test_versions_are_folders(bench: Bench, tmp_path: Path) -> None:
    system = fsspec.filesystem("artreg")
    files = ["checksum.txt", "metrics.json", "model/weights.bin", "run.json", "scores.parquet"]
    assert system.ls("artreg://", detail=False) == ["demo"]
    assert system.ls("demo", detail=False) == ["demo/churn@free", "demo/churn@1.0.0", "demo/churn@1.1.0"]
    assert sorted(system.ls("churn@free", detail=False)) == [
        *(f"churn@free/{name}" for name in ("checksum.txt", "metrics.json", "model", "run.json", "scores.parquet")),
    ]
    assert system.ls("churn@free/model", detail=False) == ["churn@free/model/weights.bin"]
    assert [entry["name"] for entry in system.ls("churn@free/run.json")] == ["churn@free/run.json"]
    assert system.find("demo/churn@free") == [f"demo/churn@free/{name}" for name in files]
    assert system.glob("churn@free/**/*.bin") == ["churn@free/model/weights.bin"]
    assert (system.isdir("churn@free/model"), system.isfile("churn@free/model")) == (True, False)
    assert (system.exists("churn@free"), system.exists("churn@free/none"), system.exists("churn@none")) == (1, 0, 0)
    info = system.info("churn@free/model/weights.bin")
    assert (info["size"], info["type"], len(info["sha256"])) == (5, "file", 64)
    assert system.ukey("churn@free/run.json") != system.ukey("churn@1.1.0/run.json")
    assert system.cat_file("churn@free/model/weights.bin", start=-3, end=-1) == b"0."
    assert system.read_block("churn@free/model/weights.bin", 1, 100) == b".0.0"
    assert system.cat(["churn@free/model/weights.bin", "churn@1.1.0/model/weights.bin"]) == {
        "churn@free/model/weights.bin": b"1.0.0",
        "churn@1.1.0/model/weights.bin": b"1.1.0",
    }
    system.get("churn@free", str(tmp_path / "out"), recursive=True)
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == files
    done = subprocess.run(["sha256sum", "--quiet", "-c", "checksum.txt"], cwd=tmp_path / "out", check=False)
    assert done.returncode == 0


def test_an_alias_that_moved_is_seen_by_a_new_open_and_by_no_old_one(bench: Bench) -> None:
    old = fsspec.filesystem("artreg")
    url = "artreg://churn@free/model/weights.bin"
    assert old.cat(url) == b"1.0.0"
    sent = pickle.dumps((old, fsspec.open(url, "rb")))
    bench.promote("1.1.0")
    assert read(url) == b"1.1.0"
    assert pd.read_parquet("artreg://churn@free/scores.parquet")["v"][0] == "1.1.0"
    assert old.cat(url) == b"1.0.0"
    again, unread = pickle.loads(sent)
    assert again.cat(url) == b"1.0.0"
    with unread as file:
        assert file.read() == b"1.1.0", "it had not asked before it was sent"
    assert again == old
    assert fsspec.filesystem("artreg") != old
    old.invalidate_cache()
    assert old.cat(url) == b"1.1.0"


def test_another_process_reads_what_it_was_sent(bench: Bench, tmp_path: Path) -> None:
    """Of the same version, wherever it runs, and with the entry point alone to find the class by."""
    system = fsspec.filesystem("artreg", root="registry")
    assert system.exists("churn@free/run.json")
    (tmp_path / "sent").write_bytes(pickle.dumps(fsspec.core.OpenFile(system, "churn@free/model/weights.bin")))
    bench.promote("1.1.0")
    (tmp_path / "far").mkdir()
    code = """
import json, pickle, fsspec
with open("../sent", "rb") as sent, pickle.load(sent) as old, fsspec.open("artreg://churn@free/run.json") as new:
    print(old.read().decode(), json.load(new)["version"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "far", capture_output=True, text=True, check=True
    )
    assert done.stdout == "1.0.0 1.1.0\n"


def test_a_lock_says_what_it_means(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pin(bench.registry, Lock(""), [Reference.parse("churn@free", "demo")])
    write_lock(tmp_path / "artreg.lock", Lock(bench.store.url).having(one.pin for one in made if one.pin))
    bench.promote("1.1.0")
    monkeypatch.delenv("ARTREG_REGISTRY")
    system = fsspec.filesystem("artreg", lock="artreg.lock")
    assert system.cat("churn@free/model/weights.bin") == b"1.0.0"
    assert (system.ls("", detail=False), system.ls("demo", detail=False)) == (["demo"], ["demo/churn@free"])
    with pytest.raises(FileNotFoundError, match=r"does not pin demo/churn@1\.1\.0"):
        system.cat("churn@1.1.0/model/weights.bin")
    assert not system.exists("churn@1.1.0")


@pytest.mark.parametrize("file", ["model/weights.bin", "run.json", "checksum.txt"])
def test_no_damaged_byte_is_read(bench: Bench, file: str) -> None:
    path = Path(bench.store.url) / "demo/churn/1.0.0" / file
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[1] ^= 1
    path.write_bytes(data)
    system = fsspec.filesystem("artreg")
    with pytest.raises(IntegrityError):
        system.cat(f"churn@free/{file}")
    with pytest.raises(IntegrityError):
        system.open(f"churn@free/{file}")


def test_a_damaged_version_is_there_but_an_error(bench: Bench) -> None:
    shutil.rmtree(Path(bench.store.url) / "demo/churn/1.0.0/model")
    with pytest.raises(IntegrityError, match="missing"):
        fsspec.filesystem("artreg").exists("churn@free/run.json")


def test_what_is_in_the_cache_is_read_without_the_registry(bench: Bench) -> None:
    if os.environ["ARTREG_CACHE"] == "off":
        with pytest.raises(InvalidInput, match="without a cache"):
            fsspec.filesystem("artreg", offline=True).cat("churn@free/run.json")
        return
    read("artreg://churn@free/model/weights.bin")
    shutil.rmtree(bench.store.url)
    offline = fsspec.filesystem("artreg", offline=True)
    assert offline.cat("churn@free/model/weights.bin") == b"1.0.0"
    sizes = {name.rpartition("/")[2]: offline.size(name) for name in offline.find("churn@free")}
    assert (len(sizes), sizes["weights.bin"], sizes["scores.parquet"]) == (5, 5, None)
    with pytest.raises(FileNotFoundError, match="cache lacks"):
        offline.cat("churn@free/scores.parquet")
    with pytest.raises(FileNotFoundError):
        offline.cat("churn@1.1.0/run.json")


def test_a_yanked_version_is_read_with_a_warning(bench: Bench) -> None:
    yank(bench.registry, CHURN, Version.parse("1.0.0"), "leaks the label")
    with pytest.warns(UserWarning, match="leaks the label"):
        assert fsspec.filesystem("artreg").cat("churn@free/model/weights.bin") == b"1.0.0"


def _before(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


WRITING: list[tuple[str, tuple[Any, ...]]] = [
    ("open", ("churn@free/new", "wb")),
    ("open", ("churn@free/run.json", "ab")),
    ("open", ("churn@free/run.json", "r+b")),
    ("open", ("churn@free/new", "xb")),
    ("open", ("churn@free/new", "w")),
    ("pipe", ("churn@free/run.json", b"")),
    ("pipe_file", ("churn@free/run.json", b"")),
    ("put", ("made", "churn@free/new")),
    ("put_file", ("made", "churn@free/new")),
    ("rm", ("churn@free",)),
    ("rm_file", ("churn@free/run.json",)),
    ("delete", ("churn@free/run.json",)),
    ("touch", ("churn@free/new",)),
    ("mv", ("churn@free/run.json", "churn@free/new")),
    ("rename", ("churn@free/run.json", "churn@free/new")),
    ("move", ("churn@free/run.json", "churn@free/new")),
    ("copy", ("churn@free/run.json", "churn@free/new")),
    ("cp", ("churn@free/run.json", "churn@free/new")),
    ("cp_file", ("churn@free/run.json", "churn@free/new")),
    ("mkdir", ("churn@free/new",)),
    ("makedirs", ("churn@free/new",)),
    ("mkdirs", ("churn@free/new",)),
    ("makedir", ("churn@free/new",)),
    ("rmdir", ("churn@free/model",)),
    ("upload", ("made", "churn@free/new")),
    ("write_text", ("churn@free/new", "x")),
    ("write_bytes", ("churn@free/new", b"x")),
]


@straight
def test_nothing_is_written(bench: Bench) -> None:
    before, system = _before(Path(bench.store.url)), fsspec.filesystem("artreg")
    for method, arguments in WRITING:
        with pytest.raises(OSError, match="artreg publish"):
            getattr(system, method)(*arguments)
    assert _before(Path(bench.store.url)) == before


HOSTILE = [
    "churn@free/../1.1.0/run.json",
    "churn@free//run.json",
    "churn@free/./run.json",
    "churn@free/%2e%2e/run.json",
    "churn@free/run.json%00",
    "churn@free/run.json\0",
    "churn@free/run.json?root=s3://evil",
    "churn@free/\u202erun.json",
    "../demo/churn@free/run.json",
    "/churn@free/run.json",
    "demo/../demo/churn@free/run.json",
    "demo/churn/1.0.0/run.json",
    "models:/churn@free/run.json",
    "churn@FREE/run.json",
    "churn@1.0.0+build/run.json",
    "churn@/run.json",
    "@free/run.json",
    "user:password@host/run.json",
]


@straight
def test_a_hostile_path_leads_nowhere(bench: Bench) -> None:
    system = fsspec.filesystem("artreg")
    for path in HOSTILE:
        with pytest.raises((InvalidInput, FileNotFoundError)):
            read(f"artreg://{path}")
        with pytest.raises((InvalidInput, FileNotFoundError)):
            system.info(path)


REFUSED: list[dict[str, Any]] = [
    {"root": "github://org:repo@/"},
    {"root": "simplecache::s3://models"},
    {"root": "s3://key:secret@models"},
    {"target_protocol": "file"},
    {"fo": "artreg.lock"},
    {"token": "x"},
]


@straight
def test_only_registries_are_opened(bench: Bench) -> None:
    for options in REFUSED:
        with pytest.raises(InvalidInput):
            fsspec.filesystem("artreg", **options)
    with pytest.raises(ArtregError, match="no other file system"):
        fsspec.open("artreg://churn@free/run.json::file:///etc/passwd")


@straight
def test_the_settings_hold(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is demanded of an alias on the command line is demanded here."""
    monkeypatch.setenv("ARTREG_MAX_AGE", "1d")
    with pytest.raises(IntegrityError, match="at most"):
        read("artreg://churn@free/run.json")
    monkeypatch.delenv("ARTREG_MAX_AGE")
    monkeypatch.setenv("ARTREG_PROJECT", "other")
    with pytest.raises(FileNotFoundError, match="other/churn"):
        read("artreg://churn@free/run.json")
    assert read("artreg://churn@free/run.json", project="demo").startswith(b"{")


@straight
def test_others_may_lie_in_it(bench: Bench) -> None:
    folder = bench.made("1.2.0")
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        archive.writestr("inner.txt", "zipped")
    publish(bench.registry, CHURN, folder, Version.parse("1.2.0"))
    assert read("zip://inner.txt::artreg://churn@1.2.0/data.zip") == b"zipped"


def test_it_is_known_to_fsspec_as_installed() -> None:
    assert fsspec.get_filesystem_class("artreg") is ArtregFileSystem
    assert "artreg" in fsspec.available_protocols()
