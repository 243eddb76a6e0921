"""The whole promise, from a fresh clone with an empty environment: needs uv, a package index, and minutes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reproduction.conftest import Project, Ran, told

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
OTHER_SCIKIT_LEARN = "1.8.0"


def run(folder: Path, *command: str, **variables: str) -> None:
    done = subprocess.run(command, cwd=folder, env={**bare(), **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "VIRTUAL_ENV"))}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A fresh clone with three trained versions, and a commit after them."""
    folder = tmp_path_factory.mktemp("clone") / "artreg"
    run(ROOT, "git", "clone", "--quiet", str(ROOT), str(folder))
    run(folder, UV, "sync", "--frozen", "--quiet", "--no-dev", "--extra", "torch")
    made = Project(folder, folder / ".venv" / "bin" / "python")
    made.done("data", "churn")
    for config in ("default", "breast_cancer", "digits"):
        made.done("train", "--config", f"configs/{config}.yaml", "--version", "1.0.0")
    (folder / "README.md").write_text("Another README.\n")
    made.git("commit", "--quiet", "--all", "--message", "say it anew")
    return made


@pytest.fixture
def put_back(clone: Project) -> Iterator[Project]:
    """The clone, whose files are put back afterwards."""
    data = clone.folder / "data" / "churn.csv"
    whole = data.read_bytes()
    yield clone
    data.write_bytes(whole)
    clone.git("checkout", "--quiet", "--", ".")


@pytest.mark.parametrize("model", ["churn", "breast-cancer", "digits"])
def test_a_version_of_an_older_commit_comes_out_the_same_in_a_rebuilt_environment(clone: Project, model: str) -> None:
    ran = clone.run("reproduce", f"{model}@1.0.0", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert {axis["axis"]: axis["likeness"] for axis in ran.json["axes"]} == dict.fromkeys(
        ("code", "environment", "config", "data"), "same"
    )
    assert ran.json["same_bytes"]
    assert ran.json["proof"] == 1
    assert clone.run("verify", model).code == 0


def test_from_another_folder_and_without_the_data_beside(clone: Project, tmp_path: Path) -> None:
    away = Project(tmp_path, clone.python)
    root = str(clone.folder / "registry")
    ran = away.run("reproduce", "churn@1.0.0", "-r", root, "--remote", str(clone.folder), "--json")
    assert ran.code == 0, ran.out + ran.err


def broken(ran: Ran, axis: str) -> list[str]:
    assert ran.code == 9, ran.out + ran.err
    differing = [each["axis"] for each in ran.json["axes"] if each["likeness"] == "different"]
    assert differing == [axis], ran.out
    return told(ran.json, axis)


def test_a_changed_line_of_code_is_named(put_back: Project) -> None:
    code = put_back.folder / "src/artreg/training/trainers/hist_gradient_boosting.py"
    text = code.read_text()
    assert "max_bins=params.max_bins" in text
    code.write_text(text.replace("max_bins=params.max_bins", "max_bins=params.max_bins - 100"))
    ran = put_back.run("reproduce", "churn@1.0.0", "--here", "--json")
    assert "src/artreg/training/trainers/hist_gradient_boosting.py" in broken(ran, "code")


def test_another_scikit_learn_is_named(clone: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(clone.folder, UV, "sync", "--frozen", "--quiet", "--no-dev", UV_PROJECT_ENVIRONMENT=str(other))
    python = other / "bin" / "python"
    run(clone.folder, UV, "pip", "install", "--quiet", "--python", str(python), f"scikit-learn=={OTHER_SCIKIT_LEARN}")
    clone.git("checkout", "--quiet", "--detach", "HEAD~1")
    ran = Project(clone.folder, python).run("reproduce", "churn@1.0.0", "--here", "--json")
    clone.git("checkout", "--quiet", "-")
    assert broken(ran, "environment")[0] == "scikit-learn"


def test_another_learning_rate_is_named(clone: Project) -> None:
    clone.git("checkout", "--quiet", "--detach", "HEAD~1")
    ran = clone.run("reproduce", "churn@1.0.0", "--here", "--set", "model.learning_rate=0.2", "--json")
    clone.git("checkout", "--quiet", "-")
    assert broken(ran, "config") == ["model.learning_rate"]


def test_one_changed_row_is_named(put_back: Project) -> None:
    data = put_back.folder / "data" / "churn.csv"
    lines = data.read_text().splitlines()
    cells = lines[4000].split(",")
    cells[2] = str(int(cells[2]) + 1)
    data.write_text("\n".join([*lines[:4000], ",".join(cells), *lines[4001:], ""]))
    put_back.git("checkout", "--quiet", "--detach", "HEAD~1")
    ran = put_back.run("reproduce", "churn@1.0.0", "--here", "--json")
    put_back.git("checkout", "--quiet", "-")
    assert broken(ran, "data")[0] == "1 row changed"
    assert "C0004000" in ran.out


def test_another_number_of_threads_changes_nothing(clone: Project) -> None:
    ran = clone.run("reproduce", "churn@1.0.0", "--json", OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert ran.code == 0, ran.out + ran.err
    assert set(told(ran.json, "environment")) == {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
