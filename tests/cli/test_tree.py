"""`tree`: everything is in it once, at every depth."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Shell


@pytest.fixture
def grown(shell: Shell) -> Shell:
    for version in ("1.0.0", "1.1.0"):
        shell.publish(version)
    shell.publish("0.1.0", model="fraud")
    made = shell.made("price", extra=1)
    assert shell.run("publish", str(made), "--model", "other/price", "--version", "2.0.0").code == 0
    for alias in ("staging", "prod"):
        assert shell.run("promote", "churn", "1.0.0", "--to", alias).code == 0
    shell.run("yank", "churn@1.1.0", "--reason", "leaks \x1b[31m")
    return shell


def test_it_is_drawn_with_all_that_there_is(grown: Shell) -> None:
    shown = grown.run("tree", "churn").out
    sizes = {path.name: path.stat().st_size for path in Path("registry/demo/churn/1.0.0").iterdir()}
    lines = shown.splitlines()
    assert lines[:3] == ["registry", "└─ demo", f"   └─ churn  2 versions, {lines[-1].rpartition(', ')[2]}"]
    assert [line[6:14].split()[0] for line in lines[3:-1]] == ["├─", *"││││", "└─", "├─", "├─", "├─", "└─"]
    for name, size in sizes.items():
        assert f"─ {name}  {size} B" in shown
    assert r"1.1.0  " in shown
    assert r"yanked: leaks \x1b[31m" in shown
    assert " B  @prod  @staging\n" in shown


def test_it_goes_as_deep_as_is_asked(grown: Shell) -> None:
    for depth, lines in ((1, 2), (2, 5), (3, 9), (4, 9 + 16)):
        see_depth(grown, depth, lines)
    shown = grown.run("tree", "-d", "2").out
    assert "churn  2 versions" in shown
    assert "@prod 1.0.0  @staging 1.0.0" in shown


def see_depth(grown: Shell, depth: int, lines: int) -> None:
    assert len(grown.run("tree", "--depth", str(depth)).out.splitlines()) == 2 + lines
    document = grown.run("tree", "--depth", str(depth), "--json").json
    level, found = document["projects"], []
    for name in ("models", "versions", "files"):
        found.append(len(level))
        level = [below for one in level for below in one.get(name, ())]
    assert [*found, len(level)] == [2, *[number if place < depth else 0 for place, number in enumerate((3, 4, 16), 1)]]
    assert grown.run("tree", "-d", str(depth)).out.splitlines()[-1].startswith("3 models, 4 versions, ")


def test_what_is_damaged_or_unfinished_is_marked(grown: Shell) -> None:
    model = Path("registry/demo/churn")
    (model / "1.0.0/model.bin").chmod(0o600)
    (model / "1.0.0/model.bin").write_text("damaged")
    assert "DAMAGED" not in grown.run("tree").out
    assert grown.run("verify", "churn", "--record").code == 4
    (model / "1.2.0").mkdir()
    (model / "1.2.0/model.bin").write_text("x")
    shown = grown.run("tree").out
    assert [line for line in shown.splitlines() if "DAMAGED" in line] == [
        line for line in shown.splitlines() if " 1.0.0" in line
    ]
    assert "1.2.0  unfinished" in shown
    churn = grown.run("tree", "churn", "--json").json["projects"][0]["models"][0]
    assert (churn["unfinished"], [bool(it["damaged"]) for it in churn["versions"]]) == (["1.2.0"], [False, True])


def test_what_there_is_not_cannot_be_drawn(grown: Shell) -> None:
    assert grown.run("tree", "nope").code == 5
    assert grown.run("tree", "--depth", "5").code == 2
    assert grown.run("tree", "--depth", "0").code == 2
    Path("empty").mkdir()
    assert grown.run("tree", "-r", "empty").out == "empty\n0 models, 0 versions, 0 B\n"
