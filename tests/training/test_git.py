from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from artreg.training import git
from artreg.training.git import code_state


def run(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    run(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitignore").write_text("ignored\n")
    (tmp_path / "code.py").write_text("1\n")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "one")
    run(tmp_path, "remote", "add", "origin", "https://me:hunter2@example.org/r.git?token=hunter2")
    return tmp_path


def test_a_clean_checkout(checkout: Path) -> None:
    (checkout / "ignored").touch()
    found = code_state(checkout)
    assert found.commit == run(checkout, "rev-parse", "HEAD")
    assert (found.dirty, found.branch) == (False, "main")
    assert found.remote == "https://example.org/r.git"


@pytest.mark.parametrize("change", ["edited", "untracked", "staged", "deleted"])
def test_a_changed_one_is_dirty(checkout: Path, change: str) -> None:
    if change == "edited":
        (checkout / "code.py").write_text("2\n")
    elif change == "deleted":
        (checkout / "code.py").unlink()
    else:
        (checkout / "new.py").touch()
        run(checkout, *(["add", "new.py"] if change == "staged" else ["status"]))
    assert code_state(checkout).dirty is True


def test_a_folder_inside_the_checkout_and_a_detached_head(checkout: Path) -> None:
    run(checkout, "checkout", "-q", "--detach")
    (checkout / "sub").mkdir()
    found = code_state(checkout / "sub")
    assert found.commit == run(checkout, "rev-parse", "HEAD")
    assert found.branch is None


def test_the_variables_of_a_hook_do_not_mislead(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = run(checkout, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", "/")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    found = code_state(checkout)
    assert (found.commit, found.dirty) == (commit, False)


def test_outside_a_checkout_nothing_is_known(tmp_path: Path) -> None:
    unknown = {"commit": "unknown", "dirty": None, "branch": None, "remote": None, "folder": ""}
    assert code_state(tmp_path).to_document() == unknown
    run(tmp_path, "init", "-q")  # no commit yet
    assert code_state(tmp_path).to_document() == unknown
    assert code_state(tmp_path / "missing").to_document() == unknown


def test_without_git_nothing_is_known(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert code_state(checkout).commit == "unknown"


def test_a_git_that_hangs_is_given_up(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(git, "_TIMEOUT_S", 0.1)
    assert code_state(checkout).commit == "unknown"
