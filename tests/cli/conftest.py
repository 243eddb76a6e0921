"""The command line, run in this process in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artreg.cli.main import main
from artreg.cli.settings import Settings


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs commands in a folder."""

    folder: Path
    run: Callable[..., Ran]

    def made(self, name: str = "made", **metrics: Any) -> Path:
        folder = self.folder / name
        folder.mkdir()
        (folder / "model.bin").write_text(name)
        (folder / "metrics.json").write_text(json.dumps({"roc_auc": 0.9, **metrics}))
        return folder

    def publish(self, version: str, model: str = "churn", **metrics: Any) -> None:
        folder = self.made(f"made-{model}-{version}", **metrics)
        assert self.run("publish", str(folder), "--model", model, "--version", version).code == 0


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in Settings.__match_args__:
        monkeypatch.delenv(f"ARTREG_{name.upper()}", raising=False)
    monkeypatch.setenv("ARTREG_ACTOR", "ada")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    def run(*words: str) -> Ran:
        code = main(words)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    (tmp_path / "registry").mkdir()
    return Shell(tmp_path, run)
