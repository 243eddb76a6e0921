"""`import dir`: folders that people have."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import InvalidInput, NotFound
from artreg.importing.folder import FolderSource
from artreg.importing.naming import Naming
from artreg.importing.source import Incoming
from importing.contract import SourceContract, bring_all, new_registry

CHURN = ModelName("demo", "churn")


def write(place: Path, **files: str) -> Path:
    """Write files into a folder; `__` stands for a slash, and `_` for the dot before a suffix."""
    for name, text in files.items():
        path = place / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def _unlisted(place: Path) -> str:
    (place / "churn/v1.3.0/checksum.txt").write_text(f"{'0' * 64}  forest.joblib\n")
    return "churn/v1.3.0"


def _no_listing(place: Path) -> str:
    (place / "churn/v1.3.0/checksum.txt").write_text("forest.joblib is fine\n")
    return "churn/v1.3.0"


def _lacking(place: Path) -> str:
    (place / "churn/v1.3.0/checksum.txt").write_text(f"{'0' * 64}  lost.joblib\n")
    return "churn/v1.3.0"


def _link(place: Path) -> str:
    (place / "churn/1.2.0/secret").symlink_to("/etc/passwd")
    return "churn/1.2.0"


def _folder_link(place: Path) -> str:
    (place / "churn/1.2.0/more").symlink_to("../v1.3.0")
    return "churn/1.2.0"


def _fifo(place: Path) -> str:
    os.mkfifo(place / "churn/1.2.0/pipe")
    return "churn/1.2.0"


def _bad_metrics(place: Path) -> str:
    (place / "churn/1.2.0/metrics.json").write_text('{"roc_auc": NaN}')
    return "churn/1.2.0"


def _bad_run(place: Path) -> str:
    (place / "churn/1.2.0/run.json").write_bytes(b'{"a": "\xff"}')
    return "churn/1.2.0"


def _bad_name(place: Path) -> str:
    (place / "churn/1.2.0/a\x1b[31mb").write_text("x")
    return "churn/1.2.0"


def _empty(place: Path) -> str:
    (place / "churn/9").mkdir()
    return "churn/9"


def _no_version(place: Path) -> str:
    write(place / "churn/final-2", model_pkl="m")
    return "churn/final-2"


def _no_model_name(place: Path) -> str:
    write(place / "Überwachung!/1", model_pkl="m")
    return "Überwachung!"


def _stray(place: Path) -> str:
    write(place / "fraud", model_pkl="m")
    return "fraud/model.pkl"


def _elsewhere(place: Path) -> str:
    (place / "churn/old").symlink_to("../fraud/3")
    return "churn/old"


class TestFolder(SourceContract):
    DAMAGES: ClassVar[Mapping[str, Callable[[Path], str]]] = {
        damage.__name__: damage
        for damage in (
            *(_unlisted, _no_listing, _lacking, _link, _folder_link, _fifo, _bad_metrics, _bad_run, _bad_name),
            *(_empty, _no_version, _no_model_name, _stray, _elsewhere),
        )
    }

    def fill(self, place: Path) -> None:
        write(place / "churn/1.2.0", forest_joblib="12", metrics_json='{"roc_auc": 0.9}', README_md="# Churn")
        write(place / "churn/v1.3.0", forest_joblib="13", notes_txt="n", run_json='{"commit": "abc"}')
        write(place / "fraud/2", model__a_bin="a", model__b_bin="b")
        write(place / "fraud/3", config_json="{}", weights_bin="w", deep__er__x_bin="x")
        write(place, README_md="by the way", _git__config="x")
        (place / "churn/prod").symlink_to("1.2.0")

    def made(self, place: Path, naming: Naming) -> FolderSource:
        return FolderSource(str(place), naming)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    TestFolder().fill(place)
    return place


def survey(place: Path, **options: object) -> dict[str, Incoming]:
    found = FolderSource(str(place), Naming("demo", {}), **options).survey()
    assert found.troubles == ()
    return {it.item: it for it in found.versions}


def fetched(place: Path, item: str, folder: Path, **options: object) -> dict[str, str]:
    source = FolderSource(str(place), Naming("demo", {}), **options)
    folder.mkdir()
    source.fetch({it.item: it for it in source.survey().versions}[item], folder)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_folders_become_versions(place: Path) -> None:
    found = survey(place)
    assert {item: f"{it.model}@{it.version}" for item, it in found.items()} == {
        "churn/1.2.0": "demo/churn@1.2.0",
        "churn/v1.3.0": "demo/churn@1.3.0",
        "fraud/2": "demo/fraud@2.0.0",
        "fraud/3": "demo/fraud@3.0.0",
    }
    assert found["churn/1.2.0"].metrics == {"roc_auc": 0.9}
    assert found["churn/v1.3.0"].run["run"] == {"commit": "abc"}
    assert found["churn/v1.3.0"].run["renamed"] == {"forest.joblib": "model.joblib"}


def test_the_one_model_is_called_so_and_else_all_goes_below_model(place: Path, tmp_path: Path) -> None:
    assert fetched(place, "churn/1.2.0", tmp_path / "a") == {"model.joblib": "12", "README.md": "# Churn"}
    assert fetched(place, "churn/v1.3.0", tmp_path / "b") == {"model.joblib": "13", "notes.txt": "n"}
    assert fetched(place, "fraud/2", tmp_path / "c") == {"model/a.bin": "a", "model/b.bin": "b"}
    everything = {"model/config.json": "{}", "model/weights.bin": "w", "model/deep/er/x.bin": "x"}
    assert fetched(place, "fraud/3", tmp_path / "d") == everything


def test_one_folder_can_be_one_model_or_one_version(place: Path, tmp_path: Path) -> None:
    assert [str(it.version) for it in survey(place / "churn", model=CHURN).values()] == ["1.2.0", "1.3.0"]
    one = survey(place / "fraud/3", model=ModelName("risk", "score"), version=Version(1, 0, 0))
    assert [f"{it.model}@{it.version}" for it in one.values()] == ["risk/score@1.0.0"]
    named = survey(place / "churn/1.2.0", version=Version(1, 0, 0), model=CHURN)
    assert list(named) == ["1.2.0"]
    with pytest.raises(InvalidInput, match="holds no folders"):
        FolderSource(str(place / "churn/1.2.0"), Naming("demo", {})).survey()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FolderSource(str(tmp_path / "nowhere"), Naming("demo", {})).survey()
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput):
        FolderSource(str(tmp_path / "file"), Naming("demo", {})).survey()


def test_a_listing_of_checksums_is_checked_and_left_out(place: Path, tmp_path: Path) -> None:
    folder = place / "churn/1.2.0"
    os.system(f"cd {folder} && sha256sum forest.joblib ./README.md metrics.json > sums && mv sums checksum.txt")
    assert "checksum.txt" not in fetched(place, "churn/1.2.0", tmp_path / "a")


def test_a_version_that_was_written_to_is_looked_at_again(place: Path) -> None:
    registry, naming = new_registry(), Naming("demo", {})
    bring_all(registry, FolderSource(str(place), naming), naming)
    model = place / "churn/1.2.0/forest.joblib"
    os.utime(model, ns=(1, 1))
    again = bring_all(registry, FolderSource(str(place), naming), naming)
    assert (again.troubles, len(again.present)) == ((), 4)
    model.write_text("other")
    told = bring_all(registry, FolderSource(str(place), naming), naming, dry_run=True)
    assert [it.to_compare for it in told.imported] == [True]
    changed = bring_all(registry, FolderSource(str(place), naming), naming)
    codes = {it.item: it.error.code for it in changed.troubles}
    assert codes == {"churn/1.2.0": "already_exists", "churn/prod": "already_exists"}
    assert "--map 'churn=" in changed.troubles[0].error.hint
    assert str(place) in changed.troubles[0].error.message


def test_a_file_that_is_written_to_meanwhile_is_not_taken(place: Path, tmp_path: Path) -> None:
    source = FolderSource(str(place), Naming("demo", {}))
    incoming = source.survey().versions[0]
    with (place / "churn/1.2.0/forest.joblib").open("a") as file:
        file.write("more")
    result = bring_all(new_registry(), _Surveyed(source, incoming), Naming("demo", {}))
    assert [(it.item, it.error.code) for it in result.troubles] == [("churn/1.2.0", "integrity")]


class _Surveyed(FolderSource):
    """A source that has looked before somebody wrote."""

    def __init__(self, source: FolderSource, incoming: Incoming) -> None:
        self.__dict__ |= vars(source)
        self._incoming = incoming

    def survey(self):
        from artreg.importing.source import Survey

        return Survey((self._incoming,))


def test_a_link_to_a_version_is_an_alias(place: Path) -> None:
    (place / "churn/latest").symlink_to("./v1.3.0/")
    (place / "churn/gone").symlink_to("7")
    source = FolderSource(str(place), Naming("demo", {}))
    found = {it.name: (it.alias and it.alias.name, str(it.version)) for it in source.survey().aliases}
    assert found == {"latest": (None, "1.3.0"), "prod": ("prod", "1.2.0"), "gone": ("gone", "7.0.0")}
    naming = Naming("demo", {})
    result = bring_all(new_registry(), FolderSource(str(place), naming), naming)
    codes = {it.item: it.error.code for it in result.troubles}
    assert codes == {"churn/gone": "invalid_input", "churn/latest": "invalid_input"}


def test_very_deep_folders_are_no_bug(place: Path) -> None:
    folders = [place / "churn/5"]
    for _ in range(1100):
        folders.append(folders[-1] / "d")
    for folder in folders:
        folder.mkdir()
    (folders[-1] / "x.pkl").write_text("x")
    naming = Naming("demo", {})
    result = bring_all(new_registry(), FolderSource(str(place), naming), naming)
    (folders[-1] / "x.pkl").unlink()
    for folder in reversed(folders):  # what tidies up after the tests goes down step by step
        folder.rmdir()
    assert [(it.item, it.error.code) for it in result.troubles] == [("churn/5", "invalid_input")]
