"""`artreg drift`: the data of two versions, compared from what their manifests keep."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from artreg.cli.commands import comparing
from artreg.cli.commands.comparing import bar, word
from artreg.core import canonical
from artreg.core.config import DataConfig
from artreg.training.data import load_dataset, read_data
from artreg.training.data_manifest import data_manifest
from cli.conftest import Shell


def profiled(shell: Shell, version: str, *, shift: float = 0, plans: str = "ab", extra: str = "") -> None:
    chance = random.Random(5)
    rows = [
        f"u{n:03d},{chance.gauss(50, 10) + shift:.2f},{chance.choice(plans)},{n % 2}{',7' if extra else ''}\n"
        for n in range(400)
    ]
    header = f"id,age,plan,churned{',' + extra if extra else ''}\n"
    (shell.folder / "t.csv").write_text(header + "".join(rows))
    config = DataConfig(path="t.csv", id_column="id", target="churned", salt="s")
    folder = shell.made(f"made-{version}")
    manifest = data_manifest(config, load_dataset(config, read_data(config, shell.folder)))
    (folder / "data_manifest.json").write_bytes(canonical.dumps(manifest))
    assert shell.run("publish", str(folder), "--model", "churn", "--version", version).code == 0


def test_the_table_names_the_drifted_columns_first(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    profiled(shell, "1.1.0", shift=12, plans="abc", extra="since")
    ran = shell.run("drift", "churn@1.0.0", "churn@1.1.0")
    assert ran.code == 0
    title, heading, first, *rest = ran.out.splitlines()
    assert title == "demo/churn@1.0.0 → demo/churn@1.1.0"
    assert heading.split() == ["column", "psi", "chance", "distance", "missing"]
    assert first.split()[0] == "plan"
    assert "##########  drifted" in first
    assert rest[0].split()[0] == "age"
    assert "drifted" in rest[0]
    assert rest[1].startswith("churned (target)")
    assert "stable" in rest[1]
    assert rest[2:] == [
        "schema: plan: category 'c' is new",
        "schema: since: new",
        "2 of 3 columns drifted, 2 schema changes",
    ]


def test_the_same_data_are_stable(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    ran = shell.run("drift", "churn@1.0.0", "churn@1.0.0")
    assert ran.out.splitlines()[-1] == "0 of 3 columns drifted"
    assert "#" not in ran.out


def test_json_has_the_promised_keys(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    profiled(shell, "1.1.0", shift=3, extra="since")
    document = shell.run("drift", "churn@1.0.0", "churn@1.1.0", "--json").json
    assert set(document) >= {"reference", "candidate", "columns", "schema_changes"}
    assert (document["reference"]["version"], document["candidate"]["version"]) == ("1.0.0", "1.1.0")
    age = document["columns"][0]
    assert (age["column"], age["kind"], age["measure"], age["target"]) == ("age", "numeric", "ks", False)
    assert age["psi_range"][0] <= age["psi"] <= age["psi_range"][1]
    assert age["distance_range"][0] <= age["distance"] <= age["distance_range"][1]
    assert (age["missing_before"], age["missing_after"]) == (0.0, 0.0)
    assert document["schema_changes"] == [{"column": "since", "change": "new", "kind": "new", "detail": ""}]


def test_aliases_and_ignored_columns(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    profiled(shell, "1.1.0", shift=12, extra="since")
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 0
    words = ("drift", "churn@staging", "churn@1.1.0", "--ignore", "age", "--ignore", "since", "--json")
    document = shell.run(*words).json
    assert {column["column"] for column in document["columns"]} == {"plan", "churned"}
    assert document["schema_changes"] == []


def test_a_version_without_profiles_is_not_found(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    shell.publish("1.1.0")
    ran = shell.run("drift", "churn@1.0.0", "churn@1.1.0", "--json")
    assert ran.code == 5
    assert ran.json["error"]["message"].startswith("demo/churn@1.1.0 has no data_manifest.json")
    assert "artreg train" in ran.json["error"]["hint"]


def test_an_alias_stands_for_the_very_bytes_that_it_was_set_to(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    assert shell.run("promote", "churn", "1.0.0", "--to", "staging").code == 0
    sums = manifest_of(shell).with_name("checksum.txt")
    sums.chmod(0o600)
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "model.bin" not in line))
    assert shell.run("drift", "churn@staging", "churn@1.0.0").code == 4


def manifest_of(shell: Shell) -> Path:
    return shell.folder / "registry/demo/churn/1.0.0/data_manifest.json"


def test_a_changed_manifest_is_an_integrity_error(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    manifest_of(shell).chmod(0o600)
    manifest_of(shell).write_bytes(manifest_of(shell).read_bytes().replace(b'"count": 400', b'"count": 399', 1))
    ran = shell.run("drift", "churn@1.0.0", "churn@1.0.0", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "integrity")


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"profile": {"a\\u001b[31m": 3}}'])
def test_a_manifest_of_somebody_else_is_an_integrity_error(shell: Shell, text: str) -> None:
    folder = shell.made("theirs")
    (folder / "data_manifest.json").write_text(text)
    assert shell.run("publish", str(folder), "--model", "churn", "--version", "1.0.0").code == 0
    ran = shell.run("drift", "churn@1.0.0", "churn@1.0.0")
    assert ran.code == 4
    assert "\x1b" not in ran.err


def test_names_from_the_registry_are_made_printable(shell: Shell) -> None:
    profiled(shell, "1.0.0")
    document = json.loads(manifest_of(shell).read_bytes())
    document["profile"]["a\x1b[31m"] = document["profile"]["age"]
    folder = shell.made("theirs")
    (folder / "data_manifest.json").write_text(json.dumps(document))
    assert shell.run("publish", str(folder), "--model", "churn", "--version", "2.0.0").code == 0
    ran = shell.run("drift", "churn@1.0.0", "churn@2.0.0")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "a\\x1b[31m: new" in ran.out


def test_bars() -> None:
    assert [bar(psi, blocks=False) for psi in (0, 0.02, 0.1, 0.25, 0.5, 99)] == ["", "", "##", "#####", *["#" * 10] * 2]
    assert [bar(psi, blocks=True) for psi in (0, 0.02, 0.1, 0.26, 99)] == ["", "▍", "██", "█████▎", "█" * 10]


@pytest.mark.parametrize(
    ("psi", "said"),
    [(None, "not compared"), (0.0999, "stable"), (0.1, "shifted"), (0.2499, "shifted"), (0.25, "drifted")],
)
def test_what_a_psi_is_called(psi: float | None, said: str) -> None:
    assert word(psi) == said


@pytest.mark.parametrize(
    ("encoding", "terminal", "blocks"), [("utf-8", True, True), ("ascii", True, False), ("utf-8", False, False)]
)
def test_block_characters_need_a_terminal_that_has_them(
    *, monkeypatch: pytest.MonkeyPatch, encoding: str, terminal: bool, blocks: bool
) -> None:
    class Stream:
        def isatty(self) -> bool:
            return terminal

    Stream.encoding = encoding
    monkeypatch.setattr(comparing.sys, "stdout", Stream())
    assert comparing._shows_blocks() is blocks
