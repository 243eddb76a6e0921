"""`artreg inspect`: what it prints of good and bad files, and that nothing of them reaches the terminal or is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from artreg.inspection import second_opinion
from cli.conftest import Shell
from inspection import bombs
from loading.artifacts import Command, as_joblib, as_skops, canary_command, estimator

EVIL = "\x1b[2Jgone \u202e[link=http://evil]x[/foo]"


def put(shell: Shell, name: str, data: bytes) -> None:
    folder = shell.folder / f"made-{name}"
    folder.mkdir()
    (folder / name).write_bytes(data)
    assert shell.run("publish", str(folder), "--model", "churn", "--version", "1.0.0").code == 0


def test_a_version_that_loads_as_data(shell: Shell) -> None:
    put(shell, "model.skops", as_skops(estimator()))
    ran = shell.run("inspect", "churn@1.0.0")
    assert ran.code == 0
    assert "demo/churn@1.0.0\nmodel.skops: skops, " in ran.out
    assert "; loads as data" in ran.out
    assert "sklearn.linear_model._logistic.LogisticRegression  trusted by skops" in ran.out
    document = shell.run("inspect", "churn@1.0.0", "--json").json
    assert (document["version"], document["danger"], document["files"][0]["format"]) == ("1.0.0", "none", "skops")


def test_a_version_that_runs_code(shell: Shell, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    put(shell, "model.joblib", as_joblib(canary_command(canary)))
    ran = shell.run("inspect", "churn@1.0.0")
    assert "; runs code when loaded" in ran.out
    assert "posix.system" in ran.out
    assert "touch" in ran.out
    document = shell.run("inspect", "models:/churn/1.0.0", "--json").json
    (finding,) = document["files"][0]["findings"]
    assert (document["danger"], finding["danger"], finding["what"]) == ("runs", "runs", "posix.system")
    assert not canary.exists()


def test_a_file_that_lies_in_no_registry(shell: Shell) -> None:
    (shell.folder / "m.skops").write_bytes(as_skops(Own()))
    ran = shell.run("inspect", "m.skops")
    assert "needs types that nobody here trusts" in ran.out
    ran = shell.run("inspect", "./m.skops", "--type", f"{Own.__module__}.Own", "--json")
    assert ran.json["danger"] == "none"


class Own:
    def __init__(self) -> None:
        self.x = 1


def hostile_files() -> dict[str, bytes]:
    node = {"__class__": EVIL, "__module__": EVIL, "__loader__": "ObjectNode", "content": None, "protocol": 2}
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    name = EVIL.encode()
    return {
        "m.skops": bombs.skops(node),
        "m.safetensors": bombs.safetensors({EVIL: entry}, bytes(4)),
        "m.pkl": b"\x80\x04X" + len(name).to_bytes(4, "little") + name + b"\x8c\x01x\x93)R.",
        "m.joblib": pickle.dumps(Command(EVIL)),
        "m.npz": bombs.archive({EVIL: b"x"}),
    }


@pytest.mark.parametrize("name", hostile_files())
def test_nothing_of_a_file_reaches_the_terminal_as_it_is(shell: Shell, name: str) -> None:
    (shell.folder / name).write_bytes(hostile_files()[name])
    ran = shell.run("inspect", name)
    assert ran.code == 0
    assert not {"\x1b", "\u202e"} & {*ran.out, *ran.err}
    assert "gone" in ran.out
    assert shell.run("inspect", name, "--json").code == 0


def test_fickling_is_asked_where_it_is_wanted(shell: Shell, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (shell.folder / "m.pkl").write_bytes(pickle.dumps(canary_command(canary)))
    assert "fickling says" not in shell.run("inspect", "m.pkl").out
    assert "fickling says: OVERTLY_MALICIOUS" in shell.run("inspect", "m.pkl", "--fickling").out.replace("LIKELY_", "")
    document = shell.run("inspect", "m.pkl", "--fickling", "--json").json
    assert "system" in document["files"][0]["opinion"]
    (shell.folder / "m.pkl").write_bytes(b"\x80\x04rubbish")
    assert shell.run("inspect", "m.pkl", "--fickling", "--json").json["danger"] == "unreadable"
    assert not canary.exists()


def test_where_fickling_is_not_installed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "find_spec", lambda name: None)
    (shell.folder / "m.pkl").write_bytes(b"N.")
    ran = shell.run("inspect", "m.pkl", "--fickling")
    assert (ran.code, "artreg[inspect]" in ran.err) == (2, True)


def test_what_cannot_be_inspected(shell: Shell) -> None:
    assert shell.run("inspect", "nothing.pkl").code == 5
    assert shell.run("inspect", "registry").code == 2
    os.mkfifo(shell.folder / "pipe")
    assert shell.run("inspect", "pipe").code == 2
    assert shell.run("inspect", "churn@1.0.0").code == 5
    put(shell, "model.skops", as_skops(estimator()))
    (path,) = shell.folder.glob("registry/demo/churn/1.0.0/model.skops")
    path.chmod(0o644)
    path.write_bytes(b"other")
    assert shell.run("inspect", "churn@1.0.0").code == 4
