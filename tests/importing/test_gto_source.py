"""Repositories made by git itself, read as a source; one made by gto and dvc is in test_gto_repository.py."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest

from artreg.core.names import Alias, ModelName
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.importing.gto import GtoSource
from artreg.importing.naming import Naming
from artreg.importing.source import Incoming, Survey
from artreg.registry.history import find_head
from importing.contract import SourceContract, bring_all, new_registry, unwritten
from importing.repositories import annotated, commit, git, keep, md5, new_repository, tag, tracked

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
NAMES = {"eu:churn": ModelName("demo", "churn-eu")}


Damage = Callable[[Path, str], str | None]
"""Spoils a repository, or registers a version of it, as named, that cannot come; returns what else cannot instead."""


def _damaged_commit(files: Mapping[str, str | bytes]) -> Damage:
    def spoil(place: Path, item: str) -> None:
        commit(place, files)
        tag(place, item, 50)

    return spoil


def _of_nobody(text: str) -> Damage:
    """Return what registers a version of a model of which HEAD knows nothing either."""

    def spoil(place: Path, item: str) -> str:
        commit(place, {"artifacts.yaml": text})
        tag(place, item.replace("churn", "nobody"), 50)
        return item.replace("churn", "nobody")

    return spoil


def _bomb(place: Path, item: str) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    _damaged_commit({"artifacts.yaml": f"l0: &l0 [x]\n{levels}\nchurn: *l11\n"})(place, item)


def _link(place: Path, item: str) -> None:
    (place / "models/link").symlink_to("/nonexistent/secret")
    git(place, "add", "models/link")
    _damaged_commit({"artifacts.yaml": annotated("models")})(place, item)


def _link_itself(place: Path, item: str) -> None:
    (place / "m.pkl").symlink_to("/nonexistent/secret")
    git(place, "add", "m.pkl")
    _damaged_commit({"artifacts.yaml": annotated("m.pkl")})(place, item)


def _submodule(place: Path, item: str) -> None:
    git(place, "update-index", "--add", "--cacheinfo", f"160000,{git(place, 'rev-parse', 'HEAD')},models/sub")
    _damaged_commit({"artifacts.yaml": annotated("models")})(place, item)


def _climbing_tree(place: Path, item: str) -> None:
    blob = git(place, "hash-object", "-w", "--stdin", data=b"x")
    inner = _tree(place, f"100644 blob {blob}\tauthorized_keys\n")
    up = _tree(place, f"040000 tree {inner}\t..\n")
    note = git(place, "hash-object", "-w", "--stdin", data=annotated("models").encode())
    top = _tree(place, f"100644 blob {note}\tartifacts.yaml\n040000 tree {up}\tmodels\n")
    tag(place, item, 50, git(place, "commit-tree", top, "-m", "x"))


def _two_of_a_name(place: Path, item: str) -> None:
    note = git(place, "hash-object", "-w", "--stdin", data=annotated("m").encode())
    files = "".join(f"100644 blob {note}\t{name}\n" for name in ("artifacts.yaml", "m", "m"))
    tag(place, item, 50, git(place, "commit-tree", _tree(place, files), "-m", "x"))


def _tree(place: Path, lines: str) -> str:
    """Write a tree, whatever git thinks of its names."""
    entries = b""
    for line in lines.splitlines():
        told, _, name = line.partition("\t")
        mode, _, oid = told.split(" ")
        entries += f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(oid)
    return git(place, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=entries)


def _climbing_manifest(place: Path, item: str) -> None:
    listed = json.dumps([{"md5": md5(b"x"), "relpath": "../../evil"}]).encode()
    found = keep(place / ".dvc/cache", listed, suffix=".dir")
    _damaged_commit({"artifacts.yaml": annotated("big"), "big.dvc": tracked("big", found)})(place, item)


def _damaged_manifest(place: Path, item: str) -> None:
    found = keep(place / ".dvc/cache", b"[]", suffix=".dir")
    (place / ".dvc/cache/files/md5" / found[:2] / found[2:]).write_bytes(b"[] ")
    _damaged_commit({"artifacts.yaml": annotated("big"), "big.dvc": tracked("big", found)})(place, item)


def _damaged_output(place: Path, item: str) -> None:
    found = keep(place / ".dvc/cache", b"whole")
    (place / ".dvc/cache/files/md5" / found[:2] / found[2:]).write_bytes(b"other")
    _damaged_commit({"artifacts.yaml": annotated("m.pkl"), "m.pkl.dvc": tracked("m.pkl", found)})(place, item)


def _cut_output(place: Path, item: str) -> None:
    found = keep(place / ".dvc/cache", b"cut")
    files = {"artifacts.yaml": annotated("m.pkl"), "m.pkl.dvc": tracked("m.pkl", found, size=9)}
    _damaged_commit(files)(place, item)


def _damaged_large(place: Path, item: str) -> None:
    sha256 = hashlib.sha256(b"large").hexdigest()
    path = place / ".git/lfs/objects" / sha256[:2] / sha256[2:4] / sha256
    path.parent.mkdir(parents=True)
    path.write_bytes(b"LARGE")
    _damaged_commit({"artifacts.yaml": annotated("m.pkl"), "m.pkl": LFS.format(sha256, 5)})(place, item)


def _damaged_object(place: Path, item: str) -> None:
    _damaged_commit({"artifacts.yaml": annotated("m.pkl"), "m.pkl": "spoilt"})(place, item)
    path = _object(place, "HEAD:m.pkl")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-3])


def _two_commits(place: Path, item: str) -> None:
    commit(place, {"x": "x"})
    tag(place, item, 50)
    commit(place, {"x": "y"})
    tag(place, f"{item}#7", 51)


def _build_metadata(place: Path, item: str) -> str:
    tag(place, f"{item}+b1", 50)
    return f"{item}+b1"


def _tag_of_a_file(place: Path, item: str) -> None:
    tag(place, item, 50, "HEAD:artifacts.yaml")


def _nobodys_tag(place: Path, item: str) -> None:
    head = git(place, "rev-parse", "HEAD")
    data = f"object {head}\ntype commit\ntag {item}\n\nx\n".encode()
    oid = git(place, "hash-object", "-t", "tag", "-w", "--stdin", "--literally", data=data)
    git(place, "update-ref", f"refs/tags/{item}", oid)


def _no_tag(place: Path, item: str) -> None:
    tag(place, item, 50)
    _object(place, item).unlink()


def _damaged_tag(place: Path, item: str) -> None:
    tag(place, item, 50)
    path = _object(place, item)
    path.chmod(0o644)
    path.write_bytes(b"spoilt")


def _no_tree(place: Path, item: str) -> None:
    commit(place, {"x/y": "only here"})
    tag(place, item, 50)
    _object(place, "HEAD:x").unlink()


def _object(place: Path, name: str) -> Path:
    oid = git(place, "rev-parse", name)
    return place / ".git/objects" / oid[:2] / oid[2:]


def _name_that_is_none(place: Path, item: str) -> str:
    tag(place, "us=churn@v1.0.0", 50)
    return "us:churn"


def _stage_of_no_version(place: Path, item: str) -> str:
    commit(place, {"x": "x"})
    tag(place, "churn#staging#9", 50)
    return "churn#staging#9"


def _annotations(**files: str) -> Damage:
    return _damaged_commit({name.replace("_", "."): text for name, text in files.items()})


DAMAGES: Mapping[str, Damage] = {
    "nothing at that path": _annotations(artifacts_yaml=annotated("nowhere.pkl")),
    "a path that climbs": _annotations(artifacts_yaml=annotated("../../etc/passwd")),
    "an absolute path": _annotations(artifacts_yaml=annotated("/etc/passwd")),
    "somewhere else": _annotations(artifacts_yaml=annotated("s3://user:secret@bucket/m.pkl")),
    "no path": _of_nobody("nobody: {type: model}\n"),
    "not annotated": _of_nobody("other: {path: m}\n"),
    "no document": _annotations(artifacts_yaml="churn: {path: [\n"),
    "not text": _damaged_commit({"artifacts.yaml": b"churn: \xff\n"}),
    "too large a document": _damaged_commit({"artifacts.yaml": b"#" * (2**20 + 1)}),
    "a damaged .dvc file": _annotations(artifacts_yaml=annotated("m.pkl"), m_pkl_dvc="outs: ["),
    "never hashed": _annotations(artifacts_yaml=annotated("m.pkl"), m_pkl_dvc='{"outs": [{"path": "m.pkl"}]}'),
    "not in the cache": _annotations(artifacts_yaml=annotated("m.pkl"), m_pkl_dvc=tracked("m.pkl", "0" * 32)),
    "a .dvc file among others": _annotations(artifacts_yaml=annotated("models"), **{"models/x_dvc": "{}"}),
    "not fetched by LFS": _annotations(artifacts_yaml=annotated("m.pkl"), m_pkl=LFS.format("0" * 64, 7)),
    **{
        damage.__name__: damage
        for damage in (
            *(_bomb, _link, _link_itself, _submodule, _climbing_tree, _climbing_manifest, _damaged_manifest),
            *(_damaged_output, _cut_output, _damaged_large, _damaged_object, _two_commits, _build_metadata),
            *(
                _two_of_a_name,
                _no_tag,
                _damaged_tag,
                _no_tree,
                _tag_of_a_file,
                _nobodys_tag,
                _name_that_is_none,
                _stage_of_no_version,
            ),
        )
    },
}


@cache
def _filled() -> bytes:
    """Return an archive of a repository with two models: one in git, one in a folder of its own that DVC tracks."""
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as archive:
        _fill(Path(folder))
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(folder, "")
        return archive.getvalue()


def _fill(place: Path) -> None:
    new_repository(place)
    commit(place, {"artifacts.yaml": annotated("models/churn.pkl"), "models/churn.pkl": "one"})
    tag(place, "churn@v1.0.0", 1, message="Registering\n\nfor a@b: https://ada:secret@example.org/x")
    tag(place, "churn#prod#1", 2, message="good enough")
    commit(
        place,
        {
            "models/churn.pkl": "two",
            "dvc.yaml": "metrics: [m.json]\nartifacts: {old: {path: models/churn.pkl}}\n",
            "m.json": '{"a": {"b": 1}, "c": true}',
        },
    )
    tag(place, "churn@v1.1.0", 3)
    tag(place, "churn#staging#2", 4)
    tag(place, "churn@v3.0.0", 5)
    tag(place, "churn@v3.0.0!", 6, message="worse\n\nby far")
    git(place, "tag", "churn@v8.0.0")  # lightweight: GTO takes no notice either
    tag(place, "v1.0", 5)
    for number, data in enumerate((b"a\n", b"bb\n")):
        keep(place / "eu/.dvc/cache", data)
        found = tracked("fraud.bin", md5(data), size=len(data))
        note = "artifacts: {fraud: {path: fraud.bin, desc: who cheats, meta: {owner: me}}}\n"
        commit(place, {"eu/dvc.yaml": note, "eu/fraud.bin.dvc": found, "eu/.dvc/config": "[core]\n"})
        tag(place, f"eu=fraud@v0.{number}.0", 10 + number)
    tag(place, "old@v1.0.0", 20)
    tag(place, "old#prod", 21)
    tag(place, "old@deprecated", 22, message="nobody wants it")


WORDS = {
    "_climbing_tree": "names the file '../authorized_keys'",
    "_climbing_manifest": "names the file '../../evil'",
    "_damaged_manifest": "DVC's list of the files of big is damaged",
    "_damaged_output": "its md5 is",
    "_damaged_large": "its sha256 is",
    "_cut_output": "has 3 bytes",
    "_two_of_a_name": "two files of one name",
    "_link": "is a symbolic link",
    "_link_itself": "is a symbolic link",
    "_submodule": "is a submodule",
    "_bomb": "aliases are not allowed",
    "a path that climbs": "outside of its folder",
    "an absolute path": "outside of its folder",
    "not in the cache": "neither in DVC's cache nor at its remote",
    "not fetched by LFS": "which has not fetched it",
}
"""What is said of some of them: what one check lets pass must not be caught by another one by chance."""


def _no_object(place: Path) -> str:
    _object(place, "churn@v1.0.0^{commit}:models/churn.pkl").unlink()
    return "churn@v1.0.0"


class TestGto(SourceContract):
    DAMAGES: ClassVar = {"an object is gone": _no_object}

    def fill(self, place: Path) -> None:
        with tarfile.open(fileobj=io.BytesIO(_filled())) as tar:
            tar.extractall(place, filter="fully_trusted")

    def made(self, place: Path, naming: Naming) -> GtoSource:
        naming._renamed = {"eu:fraud": ModelName("demo", "fraud")}  # as --map says it
        return GtoSource(str(place), naming)

    def name_of(self, model: ModelName) -> str:
        return {"fraud": "eu:fraud"}.get(model.model, model.model)

    def test_what_is_there_is_told(self, place: Path) -> None:
        found = self.survey(place)
        assert [(it.item, str(it.version), it.size, dict(it.metrics)) for it in found.versions] == [
            ("churn@v1.0.0", "1.0.0", 3, {}),
            ("churn@v1.1.0", "1.1.0", 3, {"a.b": 1}),
            ("churn@v3.0.0", "3.0.0", 3, {"a.b": 1}),
            ("eu:fraud@v0.0.0", "0.0.0", 2, {}),
            ("eu:fraud@v0.1.0", "0.1.0", 3, {}),
            ("old@v1.0.0", "1.0.0", 3, {"a.b": 1}),
        ]
        assert {it.item: it.withdrawn for it in found.versions if it.withdrawn} == {
            "churn@v3.0.0": "deregistered by churn@v3.0.0! (Ada Lovelace, 2026-02-03T04:06:00+01:00: worse)",
            "old@v1.0.0": "deprecated by old@deprecated (Ada Lovelace, 2026-02-03T04:22:00+01:00: nobody wants it)",
        }
        assert [(it.item, str(it.alias), str(it.version), it.why) for it in found.aliases] == [
            (
                "churn#prod#1",
                "prod",
                "1.0.0",
                "Ada Lovelace, 2026-02-03T04:02:00+01:00: good enough",
            ),
            ("churn#staging#2", "staging", "1.1.0", "Ada Lovelace, 2026-02-03T04:04:00+01:00: done"),
        ]
        run = dict(found.versions[0].run)
        assert [it["event"] for it in run.pop("events")] == ["register", "assign"]
        assert run == {
            "artifact": "churn",
            "tag": "churn@v1.0.0",
            "commit": git(place, "rev-list", "-1", "churn@v1.0.0"),
            "registered_at": "2026-02-03T04:01:00+01:00",
            "registered_by": "Ada Lovelace <ada@example.org>",
            "message": "Registering\n\nfor a@b: https://example.org/x",
            "type": "model",
            "labels": ["eu"],
            "description": "who leaves",
            "path": "models/churn.pkl",
            "held_by": "git",
            "oid": git(place, "rev-parse", "churn@v1.0.0^{commit}:models/churn.pkl"),
        }
        run = found.versions[4].run
        assert (run["held_by"], run["md5"], run["custom"]) == ("dvc", md5(b"bb\n"), {"owner": "me"})

    def test_whatever_is_wrong_with_one_version_keeps_no_other_from_coming(self, place: Path) -> None:
        whole = [it.item for it in self.survey(place).versions]
        expected, base = {}, git(place, "rev-list", "-1", "churn@v3.0.0")
        for number, (name, spoil) in enumerate(DAMAGES.items()):
            git(place, "reset", "--quiet", "--hard", base)
            item = f"churn@v9.0.{number}"
            expected[spoil(place, item) or item] = name
        with unwritten(place):
            result = self.brought(place, new_registry())
        assert {expected.get(it.item, it.item) for it in result.troubles} == set(expected.values())
        assert [it.item for it in result.imported] == whole
        messages = {expected.get(it.item, it.item): it.error.message for it in result.troubles}
        assert {name: words for name, words in WORDS.items() if words not in messages[name]} == {}
        assert all(
            it.error.code in {"invalid_input", "integrity", "not_found"} and it.error.hint for it in result.troubles
        )
        assert not [it.item for it in result.troubles if "secret@" in it.error.message]

    def test_a_bare_clone_says_the_same(self, place: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", "--mirror", str(place), "bare")
        git(tmp_path / "bare", "remote", "set-url", "origin", "https://ada:secret@example.org/repo.git")
        with unwritten(tmp_path / "bare"):
            bare = self.survey(tmp_path / "bare")
            assert fetched(tmp_path / "bare", bare.versions[0], tmp_path / "out") == {"model.pkl": b"one"}
        assert {it.item for it in bare.troubles} == {"eu:fraud@v0.0.0", "eu:fraud@v0.1.0"}
        assert "a bare clone has no cache" in bare.troubles[0].error.hint
        whole = [it for it in self.survey(place).versions if it.model.model != "fraud"]
        assert [it.fingerprint for it in bare.versions] == [it.fingerprint for it in whole]
        assert {it.run["repository"] for it in bare.versions} == {"https://example.org/repo.git"}


def survey(place: Path) -> Survey:
    return GtoSource(str(place), Naming("demo", {})).survey()


def fetched(place: Path, incoming: Incoming, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    GtoSource(str(place), Naming("demo", {})).fetch(incoming, folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def one(place: Path, files: Mapping[str, str | bytes]) -> Incoming:
    """Commit files to a new repository, register a version of them, and return it."""
    new_repository(place)
    commit(place, files)
    tag(place, "churn@v1.0.0", 1)
    found = survey(place)
    assert found.troubles == ()
    return found.versions[0]


def test_a_folder_in_git_comes_as_it_is_stored(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    files = {
        "artifacts.yaml": annotated("m"),
        "m/a.txt": "a\r\n$Id$\n",
        "m/b/c.bin": b"\0\1",
        ".gitattributes": "*.txt text ident eol=lf filter=evil\n",
    }
    new_repository(place)
    git(place, "config", "filter.evil.smudge", f"touch {tmp_path}/evil")
    git(place, "config", "core.autocrlf", "false")
    incoming = one(place, files)
    assert fetched(place, incoming, tmp_path / "out")["model/b/c.bin"] == b"\0\1"
    stored = git(place, "cat-file", "blob", "HEAD:m/a.txt")
    assert (tmp_path / "out/model/a.txt").read_bytes().decode().strip() == stored
    assert not (tmp_path / "evil").exists()


def test_what_head_says_holds_for_commits_that_say_nothing(tmp_path: Path) -> None:
    place = new_repository(tmp_path / "repository")
    first = commit(place, {"m.pkl": "old"})
    tag(place, "churn@v1.0.0", 1)
    commit(place, {"m.pkl": "new"})
    assert [it.error.code for it in survey(place).troubles] == ["not_found"]
    head = commit(place, {"dvc.yaml": "artifacts: {churn: {path: m.pkl}}\n"})
    incoming = survey(place).versions[0]
    assert (incoming.run["commit"], incoming.run["annotated_at"]) == (first, head)
    assert fetched(place, incoming, tmp_path / "out") == {"model.pkl": b"old"}


@pytest.mark.parametrize("kind", ["sha256", "worktree", ".git"])
def test_repositories_of_other_kinds_are_read(kind: str, tmp_path: Path) -> None:
    place = new_repository(tmp_path / "repository", *(["--object-format=sha256"] if kind == "sha256" else []))
    found = keep(place / ".dvc/cache", b"dvc")
    files = {"git.pkl": "git", "dvc.pkl.dvc": tracked("dvc.pkl", found)}
    for name in ("git", "dvc"):
        commit(place, {"artifacts.yaml": annotated(f"{name}.pkl", name), **files})
        tag(place, f"{name}@v1.0.0", 1)
    if kind == "worktree":
        git(place, "worktree", "add", "--quiet", str(tmp_path / "tree"))
        keep(tmp_path / "tree/.dvc/cache", b"dvc")
    where = {"worktree": tmp_path / "tree", ".git": place / ".git"}.get(kind, place)
    versions = {it.item: it for it in survey(where).versions}
    for name in ("git", "dvc"):
        assert fetched(where, versions[f"{name}@v1.0.0"], tmp_path / name) == {"model.pkl": name.encode()}


def test_what_lfs_keeps_is_taken_from_there(tmp_path: Path) -> None:
    place, data = tmp_path / "repository", b"large" * 1000
    sha256 = hashlib.sha256(data).hexdigest()
    incoming = one(place, {"artifacts.yaml": annotated("m.onnx"), "m.onnx": LFS.format(sha256, len(data))})
    assert (incoming.size, incoming.run["held_by"], incoming.run["sha256"]) == (5000, "git-lfs", sha256)
    path = place / ".git/lfs/objects" / sha256[:2] / sha256[2:4] / sha256
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert fetched(place, incoming, tmp_path / "out") == {"model.onnx": data}


@pytest.mark.parametrize("where", ["cache", "old cache", "cache dir", "remote", "absolute remote", "bare remote"])
def test_what_dvc_tracks_is_taken_from_wherever_it_is(where: str, tmp_path: Path) -> None:
    place, old = tmp_path / "repository", where == "old cache"
    store = {
        "cache": place / ".dvc/cache",
        "old cache": place / ".dvc/cache",
        "cache dir": tmp_path / "shared",
        "remote": tmp_path / "remote",
        "absolute remote": tmp_path / "remote",
        "bare remote": tmp_path / "remote",
    }[where]
    config = {
        "cache dir": f"[cache]\n    dir = {store}\n",
        "remote": "[core]\n    remote = there\n['remote \"there\"']\n    url = ../../remote\n",
        "absolute remote": f"[core]\n    remote = there\n['remote \"there\"']\n    url = {store}\n",
        "bare remote": f"[core]\n    remote = there\n['remote \"there\"']\n    url = {store}\n",
    }.get(where, "")
    listed = [{"md5": keep(store, b"a\n", old=old), "relpath": "a.bin"}]
    listed += [{"md5": keep(store, b"", old=old), "relpath": "deep/b.bin"}]
    found = keep(store, json.dumps(listed).encode(), suffix=".dir", old=old)
    files = {"artifacts.yaml": annotated("big"), "big.dvc": tracked("big", found, old=old), ".dvc/config": config}
    incoming = one(place, files)
    assert incoming.run["md5"] == found
    if where == "bare remote":
        git(tmp_path, "clone", "--quiet", "--mirror", str(place), "bare")
        place = tmp_path / "bare"
    with unwritten(place), unwritten(store):
        assert fetched(place, incoming, tmp_path / "out") == {"model/a.bin": b"a\n", "model/deep/b.bin": b""}


def test_a_part_of_what_dvc_tracks_can_be_the_model(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    listed = [{"md5": keep(place / ".dvc/cache", data), "relpath": name} for name, data in {"a/x.pkl": b"x"}.items()]
    found = keep(place / ".dvc/cache", json.dumps(listed).encode(), suffix=".dir")
    incoming = one(place, {"artifacts.yaml": annotated("big/a/x.pkl"), "big.dvc": tracked("big", found)})
    assert fetched(place, incoming, tmp_path / "out") == {"model.pkl": b"x"}


def test_the_output_of_a_stage_is_found_in_its_lock(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    found = keep(place / ".dvc/cache", b"m")
    scores = [{"s.yaml": {"cache": False}}, "t.json", "gone.json"]
    stages = {"train": {"cmd": "x", "wdir": "../out", "outs": ["m.pkl"], "metrics": scores}}
    lock = {"schema": "2.0", "stages": {"train": {"cmd": "x", "outs": [{"path": "m.pkl", "md5": found, "size": 1}]}}}
    pipeline = {"stages": stages, "artifacts": {"churn": {"path": "../out/m.pkl"}}}
    new_repository(place)
    commit(
        place,
        {
            "p/dvc.yaml": json.dumps(pipeline),
            "p/dvc.lock": json.dumps(lock),
            "p/s.yaml": "auc: 0.5\nn: .nan\nt: x\n",
            "p/t.json": '{"auc": 1, "b": 2}',
        },
    )
    tag(place, "p=churn@v1.0.0", 1)
    source = GtoSource(str(place), Naming("demo", NAMES | {"p:churn": ModelName("demo", "churn")}))
    incoming = source.survey().versions[0]
    assert (incoming.size, incoming.metrics) == (1, {"p/s.yaml:auc": 0.5, "p/t.json:auc": 1, "b": 2})
    assert fetched(place, incoming, tmp_path / "out") == {"model.pkl": b"m"}


def test_text_that_old_dvc_hashed_with_unix_line_ends_is_whole(tmp_path: Path) -> None:
    place, data = tmp_path / "repository", b"a\r\nb\r\n"
    found = md5(b"a\nb\n")
    path = place / ".dvc/cache" / found[:2] / found[2:]
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    incoming = one(place, {"artifacts.yaml": annotated("m.txt"), "m.txt.dvc": tracked("m.txt", found, old=True)})
    assert fetched(place, incoming, tmp_path / "out") == {"model.txt": data}


def test_what_is_damaged_in_the_cache_and_whole_at_the_remote_comes(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    found = keep(tmp_path / "remote", b"whole")
    config = "[core]\nremote = there\n['remote \"there\"']\nurl = ../../remote\n"
    files = {"artifacts.yaml": annotated("m"), "m.dvc": tracked("m", found), ".dvc/config": config}
    incoming = one(place, files)
    keep(place / ".dvc/cache", b"whole")
    (place / ".dvc/cache/files/md5" / found[:2] / found[2:]).write_bytes(b"other")
    assert fetched(place, incoming, tmp_path / "out") == {"model.bin": b"whole"}


def test_what_is_no_repository_of_gtos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        survey(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInput, match="is not a git repository"):
        survey(tmp_path / "folder")
    place = new_repository(tmp_path / "repository")
    commit(place, {"inner/x": "x"})
    with pytest.raises(InvalidInput, match="none of GTO's tags"):
        survey(place)
    with pytest.raises(InvalidInput, match="is not a git repository"):
        survey(place / "inner")  # and not the one that it lies in
    with pytest.raises(InvalidInput, match=r"https://example.org/x.git is not on this machine") as remote:
        GtoSource("https://ada:secret@example.org/x.git", Naming("demo", {}))
    assert "dvc fetch --all-tags" in remote.value.hint


def test_tags_of_odd_bytes_are_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    one(place, {"artifacts.yaml": annotated("m"), "m": "x"})
    head = git(place, "rev-parse", "churn@v1.0.0")
    with (place / ".git/packed-refs").open("wb") as packed:
        for name in (b"churn@v2.0.0\xff", b"\xe2\x80\xae@v1.0.0", b"-x@v1.0.0", b"--upload-pack=x@v1.0.0"):
            packed.write(head.encode() + b" refs/tags/" + name + b"\n")
    assert [it.item for it in survey(place).versions] == ["churn@v1.0.0"]


def test_what_does_not_print_is_recorded_and_hinders_nothing(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    one(place, {"artifacts.yaml": 'churn: {path: m, description: "\\e[2J\\ud800"}', "m": "x"})
    git(place, "tag", "-a", "-m", "a\x1b[2J\x07", "churn#prod#1", GIT_COMMITTER_NAME="E\x1b[31m\u202ee")
    registry, naming = new_registry(), Naming("demo", {})
    result = bring_all(registry, GtoSource(str(place), naming), naming)
    assert ([str(it.alias) for it in result.aliases], result.troubles) == (["prod"], ())
    head = find_head(registry, ModelName("demo", "churn"), Alias("prod"))
    assert head is not None
    assert "E\x1b[31m\u202ee" in head.record.why
    run = survey(place).versions[0].run
    assert (run["description"], run["events"][0]["message"]) == ("\x1b[2J\ud800", "a\x1b[2J\x07")


def test_a_repository_that_names_programs_runs_none(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    incoming = one(place, {"artifacts.yaml": annotated("m"), "m": "x"})
    evil = tmp_path / "evil"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {evil}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "gpg.program", "diff.external"):
        git(place, "config", name, str(program))
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (place / ".git/hooks").mkdir(exist_ok=True)
        (place / ".git/hooks" / hook).symlink_to(program)
    with unwritten(place):
        assert [it.item for it in survey(place).versions] == ["churn@v1.0.0"]
        assert fetched(place, incoming, tmp_path / "out") == {"model.bin": b"x"}
    assert not evil.exists()


def test_a_partial_clone_fetches_nothing(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    one(place, {"artifacts.yaml": annotated("m"), "m": "x"})
    git(place, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{place}", "partial")
    with unwritten(tmp_path / "partial"):
        found = survey(tmp_path / "partial")
    assert [(it.item, it.error.code) for it in found.troubles] == [("churn@v1.0.0", "integrity")]
    assert "partial clone" in found.troubles[0].error.hint


@pytest.mark.parametrize("data", [b"", b"\0" * 300_000])
def test_files_of_all_sizes_come(data: bytes, tmp_path: Path) -> None:
    place = tmp_path / "repository"
    incoming = one(place, {"artifacts.yaml": annotated("m.bin"), "m.bin": data})
    assert fetched(place, incoming, tmp_path / "out") == {"model.bin": data}


def test_what_is_fetched_is_what_git_says_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "repository"
    incoming = one(place, {"artifacts.yaml": annotated("m.bin"), "m.bin": "x" * 2000})
    from artreg.importing.gto_git import Repository

    pieces = Repository.pieces

    def altered(self: Repository, oid: str):
        for piece in pieces(self, oid):
            yield piece.replace(b"xx", b"xy")

    monkeypatch.setattr(Repository, "pieces", altered)
    with pytest.raises(ArtregError, match="sha1") as caught:
        fetched(place, incoming, tmp_path / "out")
    assert isinstance(caught.value, IntegrityError)


def test_somebody_elses_repository_is_read_only_if_the_user_says_so(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    place = tmp_path / "repository"
    one(place, {"artifacts.yaml": annotated("m"), "m": "x"})
    for path in (place, place / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(InvalidInput, match="belongs to somebody else") as caught:
        survey(place)
    assert f"safe.directory {place}" in caught.value.hint


def test_the_newest_of_two_stages_that_become_one_alias_holds(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    one(place, {"artifacts.yaml": annotated("m"), "m": "x"})
    tag(place, "churn#prod#1", 2)
    commit(place, {"m": "y"})
    tag(place, "churn@v1.1.0", 3)
    tag(place, "churn#prod#2", 4)
    naming = Naming("demo", {})
    result = bring_all(new_registry(), GtoSource(str(place), naming), naming)
    assert [(str(it.alias), str(it.version)) for it in result.aliases] == [("prod", "1.1.0")]
