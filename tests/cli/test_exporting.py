"""`artreg export` and `artreg card`: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Shell


@pytest.fixture
def published(shell: Shell) -> Shell:
    shell.publish("1.2.1")
    return shell


def test_a_folder_is_told_as_json(published: Shell) -> None:
    ran = published.run("export", "churn@1.2.1", "--to", "oci", "-o", "out", "--json")
    assert ran.code == 0
    assert ran.json["manifest_digest"].startswith("sha256:")
    assert {key: ran.json[key] for key in ("model", "version", "path", "format", "tag", "notes")} == {
        "model": "churn",
        "version": "1.2.1",
        "path": "out",
        "format": "oci",
        "tag": "1.2.1",
        "notes": [],
    }
    assert ran.json["files"] == len([path for path in (published.folder / "out").rglob("*") if path.is_file()])


def test_a_yanked_version_is_exported_with_a_warning(published: Shell) -> None:
    published.run("yank", "churn@1.2.1", "--reason", "leaks")
    ran = published.run("export", "churn@1.2.1", "--to", "huggingface", "-o", "out")
    assert ran.code == 0
    assert "warning: demo/churn@1.2.1 was yanked" in ran.err
    assert "README.md has 4 places that somebody must fill in" in ran.err
    assert "written to out as huggingface" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ("export churn@1.2.1 --to oci", 2, "--out DIR"),
        ("export churn@1.2.1 --to oci --out out --tracking-uri http://x", 2, "leave them out"),
        ("export churn@1.2.1 --to mlflow --out out --registered-name x", 2, "--tracking-uri"),
        ("export churn@9.9.9 --to oci --out out", 5, ""),
        ("export churn@1.2.1 --to croissant", 5, "artreg train"),
        ("export churn@1.2.1 --to cyclonedx -o made-churn-1.2.1", 7, "another file"),
        ("export churn@1.2.1 --to cyclonedx -o nowhere/x.json", 8, "name a file that can be"),
        ("export churn@1.2.1 --to oci -o made-churn-1.2.1", 7, "not there yet, or is empty"),
        ("card churn@9.9.9", 5, ""),
        ("card churn@1.2.1 -o made-churn-1.2.1", 7, "another file"),
        ("card churn@1.2.1 -o .", 2, "not there yet"),
        ("card churn@1.2.1 -o registry/demo/churn/1.2.1/README.md", 2, "outside of it"),
        ("export churn@1.2.1 --to cyclonedx -o registry/demo/churn/bom.json", 2, "outside of it"),
        ("export churn@1.2.1 --to huggingface -o registry/demo/churn/2.0.0", 2, "outside of it"),
        ("export churn@1.2.1 --to oci -o made-churn-1.2.1/../registry/new", 2, "outside of it"),
        (
            "export churn@1.2.1 --to mlflow -o link/demo/churn/2.0.0 --tracking-uri http://127.0.0.1:9",
            2,
            "outside of it",
        ),
        ("pull churn@1.2.1 -o registry/demo/churn/2.0.0", 2, "outside of it"),
        ("data pull churn -o registry/churn.csv", 2, "outside of it"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(published: Shell, words: str, code: int, hint: str) -> None:
    (published.folder / "link").symlink_to("registry")
    before = sorted(published.folder.rglob("*"))
    ran = published.run(*words.split(), "--json")
    assert ran.code == code, ran.out
    assert hint in ran.json["error"]["hint"]
    assert sorted(published.folder.rglob("*")) == before


def test_a_document_becomes_a_file_whole(published: Shell) -> None:
    assert published.run("export", "churn@1.2.1", "--to", "cyclonedx", "-o", "bom.json").code == 0
    printed = published.run("export", "churn@1.2.1", "--to", "cyclonedx").json
    assert json.loads((published.folder / "bom.json").read_text()) == printed
    assert [path.name for path in published.folder.iterdir() if path.name.startswith(".artreg-tmp")] == []


def test_a_draft_is_printed_and_written(published: Shell) -> None:
    printed = published.run("card", "churn@1.2.1")
    told = published.run("card", "churn@1.2.1", "--json").json
    written = published.run("card", "churn@1.2.1", "-o", "README.md")
    assert printed.out == told["card"] == (published.folder / "README.md").read_text()
    assert (told["own"], told["blanks"]) == (False, 4)
    assert "a draft with 4 places to fill in" in written.out


def test_its_own_card_is_kept_to_the_byte_and_shown_safely(shell: Shell) -> None:
    own = "# Ours\r\n\x1b[31mred\u202e\n\n<script>\tx</script>".encode() + b"\xff"
    folder = shell.made()
    (folder / "README.md").write_bytes(own)
    shell.run("publish", str(folder), "--model", "churn", "--version", "1.0.0")
    printed = shell.run("card", "churn@1.0.0")
    assert "\x1b" not in printed.out
    assert "\u202e" not in printed.out
    assert shell.run("card", "churn@1.0.0", "-o", "out.md").code == 0
    assert (shell.folder / "out.md").read_bytes() == own
    assert shell.run("card", "churn@1.0.0", "--json").json["own"]
    drafted = shell.run("card", "churn@1.0.0", "--draft", "--json").json
    assert (drafted["own"], drafted["blanks"]) == (False, 4)


def test_a_draft_keeps_what_people_wrote_into_the_versions_own(published: Shell) -> None:
    published.run("card", "churn@1.2.1", "-o", "draft.md")
    card = (published.folder / "draft.md").read_text().replace("[More Information Needed]", "We know.")
    folder = published.made("next", roc_auc=0.5)
    (folder / "README.md").write_text(card)
    published.run("publish", str(folder), "--model", "churn", "--version", "2.0.0")
    assert published.run("card", "churn@2.0.0", "--json").json["card"] == card
    again = published.run("card", "churn@2.0.0", "--draft", "--json").json
    assert again["blanks"] == 0
    assert again["card"].count("We know.") == 4
    assert "| version | `2.0.0` |" in again["card"]
    assert "| `roc_auc` | 0.5 |" in again["card"]


def test_a_published_card_passes_the_gate_once_people_have_written(published: Shell) -> None:
    policy = {"aliases": {"free": {"gates": [{"gate": "model_card", "sections": ["Intended use", "Limits"]}]}}}
    (published.folder / "policy.yaml").write_text(json.dumps(policy))
    published.run("card", "churn@1.2.1", "-o", "draft.md")
    draft = (published.folder / "draft.md").read_text()
    for version, card in (("2.0.0", draft), ("2.1.0", draft.replace("[More Information Needed]", "We know."))):
        folder: Path = published.made(f"next-{version}")
        (folder / "README.md").write_text(card)
        published.run("publish", str(folder), "--model", "churn", "--version", version)
    promote = [
        published.run("promote", "churn", v, "--to", "free", "--policy", "policy.yaml") for v in ("2.0.0", "2.1.0")
    ]
    assert [ran.code for ran in promote] == [3, 0], promote
