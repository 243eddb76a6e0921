"""Writing a site: whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.cli.main import main
from artreg.errors import AlreadyExists, StorageError
from artreg.site import writing
from artreg.site.writing import MARKER, write

FILES = [("index.html", b"one"), ("models/a/index.html", b"two")]


def below(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != MARKER}


def test_a_site_is_written_into_a_new_folder(tmp_path: Path) -> None:
    assert write(tmp_path / "a" / "out", FILES) == (2, 6)
    assert below(tmp_path / "a" / "out") == dict(FILES)
    assert os.listdir(tmp_path / "a") == ["out"]


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", FILES)
    assert below(tmp_path / "out") == dict(FILES)


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_later_site_takes_the_place_of_the_one_before(
    exchanges: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(writing, "_exchange", lambda one, other: False)
    write(tmp_path / "out", FILES)
    write(tmp_path / "out", [("index.html", b"later")])
    assert below(tmp_path / "out") == {"index.html": b"later"}
    assert os.listdir(tmp_path) == ["out"]


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    write(tmp_path / "out", FILES)
    assert (tmp_path / "out").is_symlink()
    assert below(tmp_path / "real") == dict(FILES)


@pytest.mark.parametrize("marker", [None, "", "{}", '{"files": 7}', "[" * 100_000])
def test_a_folder_of_somebody_else_is_left_alone(marker: str | None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "thesis.tex").write_text("years of work")
    if marker is not None:
        (out / MARKER).write_text(marker)
    with pytest.raises(AlreadyExists, match=r"thesis\.tex"):
        write(out, FILES)
    assert (out / "sub" / "thesis.tex").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["out"]


def test_what_somebody_put_beside_the_pages_is_not_lost(tmp_path: Path) -> None:
    write(tmp_path / "out", FILES)
    (tmp_path / "out" / "CNAME").write_text("models.example.org")
    with pytest.raises(AlreadyExists, match="CNAME"):
        write(tmp_path / "out", FILES)
    assert (tmp_path / "out" / "CNAME").exists()


def test_what_comes_while_pages_are_made_is_not_lost(tmp_path: Path) -> None:
    def meanwhile() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "new.txt").write_text("new")

    with pytest.raises(AlreadyExists, match=r"new\.txt"):
        write(tmp_path / "out", meanwhile())
    assert os.listdir(tmp_path) == ["out"]


def test_a_site_that_cannot_be_made_leaves_the_one_before(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"half"
        raise StorageError("the registry is away")

    write(tmp_path / "out", FILES)
    with pytest.raises(StorageError, match="away"):
        write(tmp_path / "out", broken())
    assert below(tmp_path / "out") == dict(FILES)
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_that_cannot_be_written_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        write(tmp_path / "file" / "out", FILES)
    with pytest.raises(AlreadyExists):
        write(tmp_path / "file", FILES)
    with pytest.raises(StorageError):
        write(tmp_path / ("n" * 300), FILES)


def test_what_a_killed_one_left_is_taken_away_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from artreg.site.writing import write\n"
        "def files():\n yield 'index.html', b'slow'; print('on', flush=True); time.sleep(600)\n"
        "write(Path(sys.argv[1]), files())"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out")], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        assert len(os.listdir(tmp_path)) == 2
        children[0].kill()
        children[0].wait()
        write(tmp_path / "out", FILES)
        assert len(os.listdir(tmp_path)) == 2, "the dead one's folder is gone, the live one's is there"
        assert below(tmp_path / "out") == dict(FILES)
    finally:
        for child in children:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()
    write(tmp_path / "out", FILES)
    assert os.listdir(tmp_path) == ["out"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "model.bin").write_text("m")
    (tmp_path / "r").mkdir()
    for name in ("churn", "fraud"):
        assert (
            main(f"publish {tmp_path}/made --model {name} --version 1.0.0 -q -r {tmp_path}/r --project demo".split())
            == 0
        )
    return tmp_path / "r"


def test_the_command_writes_a_site(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    out = tmp_path / "public"
    assert main(f"site demo/churn --out {out} --title Ours --json -r {root}".split()) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "path": str(out),
        "models": 1,
        "versions": 1,
        "files": len(below(out)),
        "problems": [],
        "bytes": sum(map(len, below(out).values())),
    }
    assert b"<title>All models \xc2\xb7 Ours</title>" in below(out)["index.html"]
    assert main(f"site -o {out} -r {root}".split()) == 0
    assert "models/demo/fraud/index.html" in below(out)


@pytest.mark.parametrize(("words", "code"), [("", 2), ("-o {root}", 7), ("none -o {new}", 5), ("-o {root}/new", 2)])
def test_the_command_refuses_what_would_do_harm(words: str, code: int, root: Path, tmp_path: Path) -> None:
    before = sorted(path for path in root.rglob("*"))
    assert main(["site", *words.format(root=root, new=tmp_path / "new").split(), "-r", str(root)]) == code
    assert sorted(path for path in root.rglob("*")) == before
    assert not (tmp_path / "new").exists()
