"""A repository for the Hugging Face Hub, looked at with the hub's own library, git and sha256sum."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from artreg.exporting import huggingface
from artreg.exporting.folder import Exported
from artreg.exporting.huggingface import SUMS, export_huggingface
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from exporting.made import METRICS, RUN, V, meant, published, registry_on, trained

OWN = "---\nlicense: mit\n---\n\n# Ours\n"


def checked(folder: Path, sums: str) -> str:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", sums], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def attributes(folder: Path, what: str, names: list[str]) -> dict[str, str]:
    """Return what git takes an attribute of files in a folder for."""
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    words = ["git", "check-attr", "-z", what, *names]
    told = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.split("\0")
    return dict(zip(told[::3], told[2::3], strict=False))


def exported(store: LocalStore, tmp_path: Path, files: dict[str, Any], run: Any = RUN) -> Exported:
    registry = registry_on(store)
    published(registry, tmp_path / "made", files, run=run)
    return export_huggingface(registry, meant(registry), tmp_path / "out")


def test_the_card_is_one_that_the_hub_reads(registry: Registry, tmp_path: Path) -> None:
    done = export_huggingface(registry, meant(registry), tmp_path / "out")
    card = ModelCard.load(tmp_path / "out/README.md")
    data = card.data.to_dict()
    assert (data["library_name"], data["pipeline_tag"]) == ("sklearn", "tabular-classification")
    assert {result.metric_type: result.metric_value for result in card.data.eval_results} == {
        key: value for key, value in METRICS.items() if isinstance(value, float)
    }
    again = ModelCard(str(card))
    assert again.data.to_dict() == data
    assert done.details == {"blanks": 4}
    assert done.notes == ("README.md has 4 places that somebody must fill in",)


def test_the_checksums_of_the_version_still_fit(registry: Registry, tmp_path: Path) -> None:
    export_huggingface(registry, meant(registry), tmp_path / "out")
    out, version = tmp_path / "out", tmp_path / "registry/demo/churn" / str(V)
    assert checked(out, "checksum.txt") == ""
    assert (out / "checksum.txt").read_bytes() == (version / "checksum.txt").read_bytes()
    added = {path.name for path in out.iterdir()} - {path.name for path in version.iterdir()}
    assert added == {"README.md", "config.json", ".gitattributes"}


def test_scikit_learn_is_told_as_skops_tells_it(registry: Registry, tmp_path: Path) -> None:
    export_huggingface(registry, meant(registry), tmp_path / "out")
    config = json.loads((tmp_path / "out/config.json").read_bytes())
    assert config == {
        "sklearn": {
            "columns": ["plan", "age"],
            "environment": ["scikit-learn=1.9.1", "skops=0.16.0", "numpy=2.4.6"],
            "example_input": {"age": [31, None, 44], "plan": ["basic", "extra", "extra"]},
            "model": {"file": "model.skops"},
            "model_format": "skops",
            "task": "tabular-classification",
            "use_intelex": False,
        }
    }


@pytest.mark.parametrize("sample", ["3", '{"rows": 1, "numeric": [2], "categorical": "x"}', '{"rows": [[1], 2]}', "{"])
def test_a_sample_that_is_none_is_left_out(local_store: LocalStore, tmp_path: Path, sample: str) -> None:
    exported(local_store, tmp_path, trained(**{"sample.json": sample}))
    assert "example_input" not in json.loads((tmp_path / "out/config.json").read_bytes())["sklearn"]


def test_a_folder_goes_to_the_top(local_store: LocalStore, tmp_path: Path) -> None:
    files = {"model/config.json": "{}", "model/sub/w.safetensors": b"w", "model/.gitattributes": "mine\n"}
    done = exported(local_store, tmp_path, files, run=None)
    out = tmp_path / "out"
    assert (out / "sub/w.safetensors").read_bytes() == b"w"
    assert (out / "config.json").read_text() == "{}"
    assert (out / ".gitattributes").read_text() == "mine\n"
    assert checked(out, SUMS) == ""
    assert len((out / SUMS).read_text().splitlines()) == done.files - 1
    assert SUMS in done.notes[-1]
    assert len(done.notes) == 2


def test_the_versions_own_checksums_are_not_overwritten(local_store: LocalStore, tmp_path: Path) -> None:
    done = exported(local_store, tmp_path, {"model/w.bin": "w", f"model/{SUMS}": "mine\n"}, run=None)
    assert (tmp_path / "out" / SUMS).read_text() == "mine\n"
    assert f"artreg-{SUMS}" in done.notes[-1]
    assert checked(tmp_path / "out", f"artreg-{SUMS}") == ""


@pytest.mark.parametrize("own", ["", " \n\n"])
def test_an_empty_card_is_none(local_store: LocalStore, tmp_path: Path, own: str) -> None:
    done = exported(local_store, tmp_path, trained(**{"README.md": own}))
    assert done.details == {"blanks": 4}
    assert checked(tmp_path / "out", SUMS) == ""


def test_a_folder_stays_where_its_names_are_taken(local_store: LocalStore, tmp_path: Path) -> None:
    files = {"model/README.md": "inner", "model/w.bin": "w", "README.md": OWN}
    done = exported(local_store, tmp_path, files, run=None)
    assert [note.partition(",")[0] for note in done.notes] == ["model/ stays a folder"]
    assert (tmp_path / "out/model/README.md").read_text() == "inner"
    assert checked(tmp_path / "out", "checksum.txt") == ""
    assert not (tmp_path / "out" / SUMS).exists()


@pytest.mark.parametrize("own", [OWN, OWN.replace("\n", "\r\n"), f"\ufeff\n{OWN}", "---\n---\n"])
def test_the_card_of_the_version_is_kept_to_the_byte(local_store: LocalStore, tmp_path: Path, own: str) -> None:
    done = exported(local_store, tmp_path, trained(**{"README.md": own.encode()}))
    assert (tmp_path / "out/README.md").read_bytes() == own.encode()
    assert done.notes == ()
    assert checked(tmp_path / "out", "checksum.txt") == ""


def test_the_card_inside_a_folder_is_the_card(local_store: LocalStore, tmp_path: Path) -> None:
    exported(local_store, tmp_path, {"model/README.md": OWN, "model/w.bin": "w"}, run=None)
    assert (tmp_path / "out/README.md").read_text() == OWN


def test_a_card_without_a_front_matter_gets_one(local_store: LocalStore, tmp_path: Path) -> None:
    exported(local_store, tmp_path, trained(**{"README.md": "# Ours\n"}))
    card = ModelCard.load(tmp_path / "out/README.md")
    assert card.data.library_name == "sklearn"
    assert card.text == "\n# Ours\n"
    assert "README.md: FAILED" in checked(tmp_path / "out", "checksum.txt")
    assert checked(tmp_path / "out", SUMS) == ""


def test_a_front_matter_that_cannot_be_read_is_named(local_store: LocalStore, tmp_path: Path) -> None:
    done = exported(local_store, tmp_path, trained(**{"README.md": "---\na: [\n---\n"}))
    assert done.notes[0].startswith("the hub may refuse README.md: the front matter of the card, line 2")


@pytest.mark.parametrize(("name", "fits"), [("mit", True), ("[mit, llama3.1]", True), ("Apache License 2.0", False)])
def test_a_license_that_the_hub_does_not_take_is_named(
    local_store: LocalStore, tmp_path: Path, name: str, fits: bool
) -> None:
    done = exported(local_store, tmp_path, trained(**{"README.md": f"---\nlicense: {name}\n---\n# It\n"}))
    assert ("its license is no identifier" in "".join(done.notes)) != fits


def test_large_files_go_to_lfs(local_store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "_LARGE", 99)
    names = ["model.skops", "odd [1]*.x", 'quoted " name', "é.y", "#hash", "!not"]
    files = dict.fromkeys(names, b"." * 100) | {"small.x": b".", "odd 1a.x": b"."}
    exported(local_store, tmp_path, files)
    every = [str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()]
    kept = {name for name, value in attributes(tmp_path / "out", "filter", every).items() if value == "lfs"}
    assert kept >= set(names)
    assert not kept & {"small.x", "odd 1a.x", "README.md", "config.json"}
    assert set(attributes(tmp_path / "out", "text", every).values()) == {"unset"}, "git may alter their lines"


def test_the_card_can_be_written_to(registry: Registry, tmp_path: Path) -> None:
    export_huggingface(registry, meant(registry), tmp_path / "out")
    assert (tmp_path / "out/README.md").stat().st_mode & 0o200
