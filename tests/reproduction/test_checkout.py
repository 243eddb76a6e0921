"""Git is asked for code: what it gives, and what is said where it cannot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from artreg.errors import NotFound, StorageError
from artreg.reproduction.checkout import changed_files, check_out, commits_between, is_commit


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "project").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for text in ("one", "two"):
        (folder / "project" / "code.py").write_text(f"{text}\n")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", f"say {text}")
    return folder


def commit(repository: Path, name: str = "HEAD") -> str:
    return git(repository, "rev-parse", name)


def test_an_older_commit_is_checked_out_from_below_its_top(repository: Path, tmp_path: Path) -> None:
    check_out(commit(repository, "HEAD~1"), tmp_path / "out", here=repository / "project")
    assert (tmp_path / "out" / "project" / "code.py").read_text() == "one\n"
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_commit_that_no_branch_leads_to_is_found_at_a_remote(repository: Path, tmp_path: Path) -> None:
    lost = commit(repository)
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    check_out(lost, tmp_path / "out", here=tmp_path, remote=f"file://{repository}")
    assert (tmp_path / "out" / "project" / "code.py").read_text() == "two\n"


def test_a_commit_that_is_nowhere_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"commit 0{40} is not in this repository") as caught:
        check_out("0" * 40, tmp_path / "out", here=repository)
    assert "--remote" in caught.value.hint


def test_without_a_repository_or_with_a_wrong_remote(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="lies in no git repository"):
        check_out(commit(repository), tmp_path / "out", here=tmp_path)
    with pytest.raises(StorageError, match="the remote cannot be cloned"):
        check_out(commit(repository), tmp_path / "out", here=tmp_path, remote=str(tmp_path / "nothing"))


@pytest.mark.parametrize("text", [None, 1, "", "HEAD", "--output=x", "a" * 39, "A" * 40, f"{'a' * 40}\n"])
def test_only_a_full_hash_is_a_commit(text: object) -> None:
    assert not is_commit(text)
    assert is_commit("a" * 40)


def test_changed_files_are_those_below_the_folder(repository: Path, tmp_path: Path) -> None:
    project = repository / "project"
    assert changed_files(project, commit(repository)) == ()
    (project / "code.py").write_text("two\nthree\n")
    (project / "new.py").write_text("")
    (project / "README.md").write_text("")
    (repository / "elsewhere.py").write_text("")
    told = [str(one) for one in changed_files(project, commit(repository)) or ()]
    assert told == [
        "code.py: 1 line added, 0 removed",
        "new.py: new, and in no commit",
        "README.md: new, and in no commit",
    ]
    assert changed_files(project, "0" * 40) is None
    assert changed_files(tmp_path, commit(repository)) is None


def test_many_changed_files_are_counted(repository: Path) -> None:
    for number in range(13):
        (repository / f"file{number:02}").write_text("")
    told = changed_files(repository, commit(repository))
    assert told is not None
    assert len(told) == 11
    assert told[-1].what == "3 more files"


def test_the_commits_between_two_in_either_direction(repository: Path, tmp_path: Path) -> None:
    old, new = commit(repository, "HEAD~1"), commit(repository)
    forward, backward = (commits_between(repository, *pair, 5) for pair in ((old, new), (new, old)))
    assert forward is not None
    assert backward is not None
    assert (forward.forward, backward.forward) == (True, False)
    assert [subject.partition(" ")[2] for subject in forward.subjects] == ["say two"]
    assert forward.subjects == backward.subjects
    assert commits_between(repository, old, "0" * 40, 5) is None
    assert commits_between(tmp_path, old, new, 5) is None
    assert commits_between(repository, "--all", new, 5) is None
