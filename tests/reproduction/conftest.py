"""A project of a user's own: a repository with a config, data, and a version that was trained in it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artreg.cli.main import main
from artreg.training.churn import write_churn
from cli.conftest import Ran

CONFIG = """
name: churn
trainer: logistic_regression
seed: 7
data: {path: data/churn.csv, id_column: customer_id, target: churned, salt: s}
model: {C: 0.5}
"""


@dataclass(frozen=True)
class Project:
    """A repository that commands are run in: each in a process of its own, as people do, or `here`."""

    folder: Path
    python: Path = Path(sys.executable)

    def run(self, *words: str, **variables: str) -> Ran:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ARTREG_")}
        environment |= {"ARTREG_ACTOR": "ada", **variables}
        command = [str(self.python), "-m", "artreg", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def here(self, *words: str, **variables: str) -> Ran:
        """Run a command in this process, which need not load everything again."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.chdir(self.folder)
            patch.syspath_prepend(self.folder)
            for name in [name for name in os.environ if name.startswith("ARTREG_")]:
                patch.delenv(name)
            for name, value in {"ARTREG_ACTOR": "ada", **variables}.items():
                patch.setenv(name, value)
            code = main(words)
        return Ran(code, out.getvalue(), err.getvalue())

    def done(self, *words: str) -> None:
        ran = self.run(*words)
        assert ran.code == 0, ran.out + ran.err

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def told(document: Any, axis: str) -> list[str]:
    """Return what an axis of a document of `reproduce` or `diff` says that differs."""
    (found,) = (each for each in document["axes"] if each["axis"] == axis)
    return [difference["what"] for difference in found["differences"]]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with version 1.0.0 of its model; nobody changes it but by what is put back."""
    folder = tmp_path_factory.mktemp("project")
    made = Project(folder)
    (folder / "configs").mkdir()
    (folder / "configs" / "default.yaml").write_text(CONFIG)
    (folder / ".gitignore").write_text("data/\nregistry/\n")
    (folder / "features.py").write_text("LIMIT = 1\n")
    (folder / "registry").mkdir()
    write_churn(folder / "data" / "churn.csv", 600)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", ".")
    made.git("commit", "--quiet", "--message", "a first model")
    assert made.here("train").code == 0
    return made
