"""Where settings come from: told of every one, and never otherwise than every command takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.cli.origins import find_origins
from artreg.cli.settings import Settings, load_settings
from artreg.errors import InvalidInput
from cli.conftest import Shell

names = st.sampled_from(["registry", "project", "policy", "seen", "nope", "registy"])
values = st.sampled_from(["a", "s3://b/p", "'quoted'", "a b", "3", "null", "''", "{a: b}", "[", "yes", "../up", "€"])
files = st.lists(st.builds("{}: {}".format, names, values) | st.sampled_from(["# a comment", "", "- x"]), max_size=4)
told = st.dictionaries(st.sampled_from(["registry", "project", "policy", "actor"]), st.sampled_from(["", "x", "y"]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "configs").mkdir()
    return folder


@settings(derandomize=True, deadline=None, database=None, max_examples=200)
@given(files, told, told)
def test_what_is_told_is_what_holds(folder: Path, lines: list[str], said: dict, given: dict) -> None:
    (folder / "configs" / "artreg.yaml").write_text("\n".join(lines))
    environment = {f"ARTREG_{name.upper()}": value for name, value in said.items()}
    found = find_origins(given, environment, str(folder))
    wrong = [fault for fault in found.faults if fault.fatal]
    try:
        held = load_settings(given, environment, str(folder))
    except InvalidInput:
        assert wrong
        return
    assert not wrong
    assert {one.name: one.value for one in found.settings} == {
        name: getattr(held, name) for name in Settings.__match_args__
    }
    for one in found.settings:
        if one.source == "file":
            assert one.line is not None
            assert lines[one.line - 1].startswith(f"{one.name}: ")


def test_each_setting_is_shown_with_its_source(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs" / "artreg.yaml").write_text("# mine\n\nproject: sales\nregistry: registry\n")
    monkeypatch.setenv("ARTREG_SEEN", "auto")
    ran = shell.run("config", "show", "--registry", "other")
    assert ran.code == 0
    shown = {words[0]: words[1:] for line in ran.out.splitlines() if (words := line.split())}
    assert shown["registry"] == ["other", "--registry"]
    assert f"{shell.folder / 'other'}, which is not there" in ran.out
    assert shown["project"] == ["sales", "configs/artreg.yaml,", "line", "3"]
    assert shown["seen"] == ["auto", "ARTREG_SEEN"]
    assert shown["actor"] == ["ada", "ARTREG_ACTOR"]
    assert shown["model"] == ["-", "default"]
    document = shell.run("config", "show", "--json").json
    assert document["file"] == {"path": str(shell.folder / "configs/artreg.yaml"), "found": True}
    assert document["registry"] == {"root": str(shell.folder / "registry"), "found": True}
    assert {"name": "project", "value": "sales", "source": "file", "place": "configs/artreg.yaml", "line": 3} in (
        document["settings"]
    )


def test_without_a_file_it_says_so(shell: Shell) -> None:
    document = shell.run("config", "show", "--json").json
    assert document["file"]["found"] is False
    assert document["problems"] == []


def test_a_broken_file_is_explained_and_the_rest_is_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs" / "artreg.yaml").write_text("project: sales\nregisty: x\nactor: 3\n")
    monkeypatch.setenv("ARTREG_PROJEKT", "x")
    ran = shell.run("config", "show", "--json")
    assert ran.code == 2
    assert ran.json["error"]["suggestions"] == ["registry"]
    assert [problem["suggestions"] for problem in ran.json["problems"]] == [["registry"], [], ["ARTREG_PROJECT"]]
    assert "line 2" in ran.json["problems"][0]["message"]
    assert [one["value"] for one in ran.json["settings"] if one["name"] == "project"] == ["sales"]
    assert "hint: did you mean ARTREG_PROJECT?" in shell.run("config", "show").out
    assert shell.run("list").code == 2


@pytest.mark.parametrize("text", [b"registry: [", b"\xff", b"- x"])
def test_no_file_is_so_broken_that_nothing_is_shown(text: bytes, shell: Shell) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs" / "artreg.yaml").write_bytes(text)
    ran = shell.run("config", "show", "--json")
    assert ran.code == 2
    assert len(ran.json["settings"]) == len(Settings.__match_args__)


def test_no_secret_is_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTREG_ENDPOINT_URL", "https://user:hunter2@s3.example.org")
    monkeypatch.setenv("ARTREG_REGISTRY", "s3://key:hunter2@bucket/prefix")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_NEW_THING", "hunter2")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    for words in (("config", "show"), ("config", "show", "--json")):
        ran = shell.run(*words)
        assert ran.code == 0
        assert "hunter2" not in ran.out + ran.err
        assert "eu-north-1" in ran.out
        assert "s3.example.org" in ran.out
