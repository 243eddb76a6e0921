"""`import huggingface`: what the hub's own library has downloaded."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import ArtregError, InvalidInput, NotFound
from artreg.importing.huggingface import HuggingFaceSource
from artreg.importing.model_card import claimed_metrics, front_matter
from artreg.importing.naming import Naming
from artreg.importing.source import Survey
from importing import hub
from importing.contract import SourceContract, bring_all, new_registry

REPOSITORY = "cache/models--acme--churn"
ONE = Version(1, 0, 0)


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the library has filled: its cache, and a download of its own."""
    folder = tmp_path_factory.mktemp("hub")
    subprocess.run([sys.executable, hub.__file__, str(folder)], check=True, capture_output=True, timeout=600)
    return folder


@pytest.fixture
def world(hub_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(hub_folder, tmp_path / "world", symlinks=True)
    return tmp_path / "world"


def snapshot(place: Path, tag: str) -> Path:
    return place / "snapshots" / hub.REVISIONS[tag]


def blob(place: Path, tag: str, name: str) -> Path:
    return (snapshot(place, tag) / name).resolve()


def _flipped(place: Path) -> str:
    path = blob(place, "v1.0.0", "model.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return "acme/churn@v1.0.0"


def _flipped_small(place: Path) -> str:
    path = blob(place, "v1.1.0", "onnx/x.onnx")
    path.write_bytes(b"y")
    return "acme/churn@v1.1.0"


def _lost_blob(place: Path) -> str:
    blob(place, "v1.0.0", "model.safetensors").unlink()
    return "acme/churn@v1.0.0"


def _lost_part(place: Path) -> str:
    (snapshot(place, "v1.1.0") / "model-00002-of-00002.safetensors").unlink()
    return "acme/churn@v1.1.0"


def _lost_snapshot(place: Path) -> str:
    shutil.rmtree(snapshot(place, "v1.1.0"))
    return "acme/churn@v1.1.0"


def _strange_ref(place: Path) -> str:
    (place / "refs/v1.1.0").write_text("../../../etc")
    return "acme/churn@v1.1.0"


def _link_out(place: Path) -> str:
    (snapshot(place, "v1.0.0") / "secret").symlink_to("/etc/passwd")
    return "acme/churn@v1.0.0"


def _link_up(place: Path) -> str:
    digest = hashlib.sha256(b"secret").hexdigest()  # it would pass for a blob
    (place.parent / digest).write_text("secret")
    (snapshot(place, "v1.0.0") / "secret").symlink_to(f"../../../{digest}")
    return "acme/churn@v1.0.0"


def _blob_that_is_a_link(place: Path) -> str:
    path = blob(place, "v1.0.0", "model.safetensors")
    path.unlink()
    path.symlink_to("/etc/passwd")
    return "acme/churn@v1.0.0"


def _fifo(place: Path) -> str:
    path = blob(place, "v1.0.0", "model.safetensors")
    path.unlink()
    os.mkfifo(path)
    return "acme/churn@v1.0.0"


def _pointer(place: Path) -> str:
    path = snapshot(place, "v1.0.0") / "big.bin"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    return "acme/churn@v1.0.0"


class TestCache(SourceContract):
    MODELS: ClassVar[int] = 1
    ALIASES: ClassVar[bool] = False
    DAMAGES: ClassVar[Mapping[str, Callable[[Path], str]]] = {
        damage.__name__: damage
        for damage in (
            *(_flipped, _flipped_small, _lost_blob, _lost_part, _lost_snapshot, _strange_ref, _link_out, _link_up),
            *(_blob_that_is_a_link, _fifo, _pointer),
        )
    }

    @pytest.fixture(autouse=True)
    def downloaded(self, hub_folder: Path) -> None:
        self.template = hub_folder / REPOSITORY

    def fill(self, place: Path) -> None:
        shutil.copytree(self.template, place / "models--acme--churn", symlinks=True)

    def made(self, place: Path, naming: Naming) -> HuggingFaceSource:
        return HuggingFaceSource(str(place / "models--acme--churn"), naming)

    def spoil(self, place: Path, damage: Callable[[Path], str]) -> str:
        return damage(place / "models--acme--churn")


def survey(place: Path, **options: object) -> Survey:
    return HuggingFaceSource(str(place), Naming("demo", {}), **options).survey()


def brought(place: Path, folder: Path, **options: object) -> dict[str, str]:
    folder.mkdir()
    source = HuggingFaceSource(str(place), Naming("demo", {}), **options)
    found = source.survey()
    assert found.troubles == ()
    source.fetch(found.versions[0], folder)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_tags_that_are_versions_come_from_the_cache(world: Path, tmp_path: Path) -> None:
    found = survey(world / REPOSITORY)
    assert [(it.item, f"{it.model}@{it.version}") for it in found.versions] == [
        ("acme/churn@v1.0.0", "demo/churn@1.0.0"),
        ("acme/churn@v1.1.0", "demo/churn@1.1.0"),
    ]
    one = found.versions[0]
    assert one.metrics == {"roc_auc": 0.15}
    assert (one.run["revision"], one.run["repository"]) == (hub.REVISIONS["v1.0.0"], "acme/churn")
    assert one.run["card"]["license"] == "mit"
    assert set(brought(world / REPOSITORY, tmp_path / "one", revision="v1.0.0")) == {
        *("model.safetensors", "README.md", "config.json")
    }


def test_a_model_of_several_parts_goes_below_model(world: Path, tmp_path: Path) -> None:
    files = brought(world / REPOSITORY, tmp_path / "two", revision="v1.1.0")
    assert set(files) == {
        "README.md",
        *(
            f"model/{name}"
            for name in hub.files(hub.REVISIONS["v1.1.0"])
            if name not in {"README.md", ".gitattributes"}
        ),
    }


def test_a_branch_and_a_commit_can_be_meant(world: Path) -> None:
    place = world / REPOSITORY
    assert [(it.item, it.version) for it in survey(place, version=ONE).versions] == [("acme/churn@main", ONE)]
    commit = hub.REVISIONS["v1.1.0"]
    assert [it.item for it in survey(place, version=ONE, revision=commit).versions] == [f"acme/churn@{commit}"]
    gone = survey(place, version=ONE, revision="0" * 40)
    assert [(it.item, it.error.code) for it in gone.troubles] == [(f"acme/churn@{'0' * 40}", "not_found")]
    for tag in ("v1.0.0", "v1.1.0"):
        (place / "refs" / tag).unlink()
    with pytest.raises(InvalidInput, match=r"no branch or tag .* is a version: main"):
        survey(place)


def test_a_folder_of_the_cache_that_the_library_returns_is_known(world: Path) -> None:
    place = world / REPOSITORY
    source = HuggingFaceSource(str(snapshot(place, "v1.1.0")), Naming("demo", {}))
    assert (source.location, [it.item for it in source.survey().versions]) == (str(place), ["acme/churn@v1.1.0"])
    with pytest.raises(InvalidInput, match="is a version: main"):
        survey(snapshot(place, "main"))
    [one] = survey(snapshot(place, "main"), version=ONE).versions
    assert one.run["revision"] == hub.REVISIONS["main"]


def test_a_download_is_what_the_library_noted(world: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing in"):
        survey(world / "churn")
    [one] = survey(world / "churn", version=ONE).versions
    assert (one.item, one.run["revision"]) == ("churn", hub.REVISIONS["main"])
    assert "lacking" not in one.run
    assert set(brought(world / "churn", tmp_path / "x", version=ONE)) == {
        *("model.safetensors", "README.md", "config.json")
    }
    [some] = survey(world / "some", version=ONE).versions
    assert some.run["lacking"] == ["config.json"]


def test_a_download_that_is_not_whole_is_named(world: Path) -> None:
    naming = Naming("demo", {})
    model = world / "churn/model.safetensors"
    before = model.stat()
    model.write_bytes(b"x" * before.st_size)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    registry = new_registry()
    result = bring_all(registry, HuggingFaceSource(str(world / "churn"), naming, version=ONE), naming)
    assert [(it.item, it.error.code) for it in result.troubles] == [("churn", "integrity")]
    partial = world / "churn/.cache/huggingface/download/abc.etag.incomplete"
    partial.touch()
    assert "cut off" in survey(world / "churn", version=ONE).troubles[0].error.message
    partial.unlink()
    note = world / "churn/.cache/huggingface/download/config.json.metadata"
    note.write_text(note.read_text().replace("3" * 40, "4" * 40))
    assert "2 revisions" in survey(world / "churn", version=ONE).troubles[0].error.message


def test_what_somebody_changed_afterwards_comes_as_it_is(world: Path, tmp_path: Path) -> None:
    card = world / "churn/README.md"
    card.write_text("# Mine")
    os.utime(card, (2e9, 2e9))
    assert brought(world / "churn", tmp_path / "x", version=ONE)["README.md"] == "# Mine"


def test_a_clone_is_known_by_its_tag(tmp_path: Path) -> None:
    clone = tmp_path / "Churn Small"
    clone.mkdir()
    (clone / "model.onnx").write_text("m")

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=clone, check=True, capture_output=True)

    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "one")
    git("tag", "v2.1.0")
    found = survey(clone)
    assert [f"{it.model}@{it.version}" for it in found.versions] == ["demo/churn-small@2.1.0"]
    git("tag", "-d", "v2.1.0")
    git("tag", "-a", "v3.0.0", "-m", "three")
    git("pack-refs", "--all")
    [one] = survey(clone).versions
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, check=True, capture_output=True, text=True)
    assert (str(one.version), one.run["revision"]) == ("3.0.0", head.stdout.strip())


HOSTILE = (
    b"",
    b"\xff\xfe",
    b"\0" * 9,
    b"{}",
    b"[" * 100_000,
    b'{"files": {"a": 3, "b": {"blob_id": []}}}',
    b"../" * 50,
)


@pytest.mark.parametrize("place", [REPOSITORY, "churn"])
def test_whatever_stands_in_what_the_library_notes_is_no_bug(world: Path, place: str) -> None:
    folder = world / place
    notes = [*folder.glob("refs/*"), *folder.glob("trees/*"), *folder.glob(".cache/huggingface/*/*.[mj]*")]
    assert len(notes) > 3
    for note in notes:
        before = note.read_bytes()
        for content in HOSTILE:
            note.write_bytes(content)
            naming = Naming("demo", {})
            try:
                result = bring_all(new_registry(), HuggingFaceSource(str(folder), naming, version=ONE), naming)
            except ArtregError:
                continue
            assert len(result.imported) + len(result.troubles) == 1
        note.write_bytes(before)


def test_what_is_no_repository_is_said(world: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as missing:
        survey(tmp_path / "nowhere")
    assert "hf download" in missing.value.hint
    (world / REPOSITORY).rename(world / "datasets--acme--churn")
    with pytest.raises(InvalidInput, match="no repository of a model"):
        survey(world / "datasets--acme--churn")
    (world / REPOSITORY).parent.joinpath("models--acme--other").mkdir()
    with pytest.raises(InvalidInput) as error:
        survey(world / "cache")
    assert error.value.hint == "name a repository in it: models--acme--other"
    assert survey(world / "churn", model=ModelName("risk", "score"), version=ONE).versions[0].model.model == "score"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("# No head", {}),
        ("---\n---\n# Empty", {}),
        ("---\r\nlicense: mit\r\n---\r\n", {"license": "mit"}),
        ("---\n1: {2.5: .inf}\n---\n", {"1": {"2.5": "inf"}}),
        ("---\nlicense: mit\n", {}),
    ],
)
def test_the_head_of_a_card_is_read(text: str, head: dict[str, object]) -> None:
    assert front_matter(text) == head


@pytest.mark.parametrize(
    "text", ["---\n" + "a" * 300_000 + "\n---\n", "---\n[a\n---\n", "---\n- a\n---\n", "---\na: &x [b]\nc: *x\n---\n"]
)
def test_a_head_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        front_matter(text)


def test_a_card_without_a_head_that_can_be_read_keeps_no_model_from_coming(world: Path) -> None:
    card = world / "churn/README.md"
    card.write_text("---\n[a\n---\n")
    [one] = survey(world / "churn", version=ONE).versions
    assert "card_problem" in one.run


def test_claims_are_told_apart_by_their_data() -> None:
    def result(name: str, *metrics: object) -> dict[str, object]:
        return {"dataset": {"name": name, "split": "test"}, "metrics": list(metrics)}

    auc, odd = {"type": "ROC-AUC", "value": 0.9}, {"type": "f1", "value": "n/a"}
    one = {
        "model-index": [{"results": [result("a", auc, odd, {"type": "acc", "value": 1}), "x", {"metrics": 3}]}, None]
    }
    assert claimed_metrics(one) == {"roc_auc": 0.9, "acc": 1}
    two = {"model-index": [{"results": [result("A b", auc), result("c", auc)]}]}
    assert claimed_metrics(two) == {"a_b_test_roc_auc": 0.9, "c_test_roc_auc": 0.9}
    assert json.dumps(claimed_metrics({"model-index": "x"})) == "{}"
