"""A repository of the Hugging Face hub on a disk: in the hub's cache, downloaded into a folder, or cloned by git."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from artreg.core import canonical
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.importing.tree import (
    LocalFile,
    copy_file,
    entries_below,
    files_below,
    is_hidden,
    plain_file,
    read_document,
    read_small,
    reading_source,
)

COMMIT = r"[0-9a-f]{40}"
_BLOB = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_POINTER = "version https://git-lfs.github.com/spec/"
_POINTER_SIZE = 1024
_MOST_REFS = 10_000
_KEPT = ".cache/huggingface"
_SHA256 = 64  # hexadecimal digits


class HubFile(Frozen):
    """A file of a revision.

    Attributes:
        file: Where its bytes lie.
        digest: Its sha256, or what git calls a blob of these bytes; '' where neither is known.
    """

    file: LocalFile
    digest: str


class Revision(Frozen):
    """A revision of a repository, as far as it is on this disk.

    Attributes:
        commit: The commit, '' if it is not known.
        files: Its files.
        lacking: What else the repository has at this commit, as far as that is known.
    """

    commit: str
    files: tuple[HubFile, ...]
    lacking: tuple[str, ...] = ()

    @property
    def print(self) -> str:
        """What changes whenever one of its files does."""
        told = [
            [it.file.name, it.digest or [it.file.size, it.file.modified]]
            for it in sorted(self.files, key=lambda it: it.file.name)
        ]
        return canonical.digest(canonical.dumps([self.commit, told]))


def is_cached(repository: Path) -> bool:
    """Return whether a folder is a repository in the hub's cache."""
    return (repository / "snapshots").is_dir() and (repository / "refs").is_dir()


def refs(repository: Path) -> dict[str, str]:
    """Return the commits of the branches and tags of a cached repository that were asked for by name.

    Raises:
        InvalidInput: There are too many, or one is no plain file.
        StorageError: They cannot be read.
    """
    files = files_below(repository / "refs")
    if len(files) > _MOST_REFS:
        raise InvalidInput(f"{repository} has more than {_MOST_REFS:,} refs")
    return {file.name: read_small(file).strip() for file in files}


def cached(repository: Path, commit: str) -> Revision:
    """Return a revision of a cached repository.

    Raises:
        InvalidInput: It holds what is neither a file nor a link to a blob beside it.
        IntegrityError: The commit is none.
        NotFound: It is not there, or a blob is not.
        StorageError: It cannot be read.
    """
    if not re.fullmatch(COMMIT, commit):
        raise IntegrityError(f"{commit[:_SHA256]!r} is no commit", hint="download the revision again")
    folder = repository / "snapshots" / commit
    if not folder.is_dir() or (repository / "blobs").is_symlink():
        raise NotFound(f"the revision {commit} is not in the cache", hint="download it: hf download")
    listed = _listed(repository / "trees" / f"{commit}.json")
    with reading_source(folder):
        found = [_blob(entry, name, repository) for name, entry in entries_below(folder, is_hidden)]
    files = [replace(it, digest=it.digest or listed.get(it.file.name, "")) for it in found]
    return _revision(commit, files, listed)


def downloaded(folder: Path) -> Revision:
    """Return what lies in a folder that was downloaded or cloned, without what git and the hub's library keep there.

    Raises:
        InvalidInput: It holds links or the like, or its download was cut off.
        NotFound: It is gone.
        StorageError: It cannot be read.
    """
    found = files_below(folder, is_hidden)
    kept = {name: LocalFile(name, entry.path, 0, 0) for name, entry in _kept(folder)}
    if any(name.endswith(".incomplete") for name in kept):
        raise InvalidInput(
            "its download was cut off", hint=f"download it again, or remove {_KEPT} there if it is whole"
        )
    told = {file.name: _metadata(kept.get(f"download/{file.name}.metadata"), file) for file in found}
    commits = {commit for commit, _ in told.values() if commit}
    if len(commits) > 1:
        raise InvalidInput(f"its files are of {len(commits)} revisions", hint="download it again: that was cut off")
    commit = commits.pop() if commits else git_commit(folder)
    listed = _listed(folder / _KEPT / "trees" / f"{commit}.json") if commit else {}
    return _revision(commit, [HubFile(file, told[file.name][1]) for file in found], listed)


def fetch(it: HubFile, target: Path) -> None:
    """Copy a file.

    Raises:
        IntegrityError: It is not what its digest says.
        NotFound: It is gone.
        StorageError: It cannot be read.
    """
    by_git = it.digest and len(it.digest) < _SHA256
    seen = hashlib.sha1(f"blob {it.file.size}\0".encode()) if by_git else hashlib.sha256()  # noqa: S324  # git's
    found = copy_file(it.file, target, seen)
    if it.digest and found != it.digest:
        raise IntegrityError(f"{it.file.name} does not match {it.digest}", hint="download it again")


def git_commit(folder: Path) -> str:
    """Return the commit that a clone is at, or ''."""
    head = _line(folder / ".git" / "HEAD")
    name = head.removeprefix("ref: ")
    return head if re.fullmatch(COMMIT, head) else git_refs(folder).get(name, "")


def git_refs(folder: Path) -> dict[str, str]:
    """Return the commits of the refs of a clone, in full; of a tag that is an object of its own where git packed it."""
    found: dict[str, str] = {}
    last = ""
    for line in _text(folder / ".git" / "packed-refs").splitlines():
        if line.startswith("^") and last:
            found[last] = line[1:]
        elif match := re.fullmatch(f"({COMMIT}) (refs/.+)", line):
            last = match[2]
            found[last] = match[1]
    loose = folder / ".git" / "refs"
    if loose.is_dir() and not (folder / ".git").is_symlink():
        found |= {f"refs/{file.name}": read_small(file).strip() for file in files_below(loose)}
    return {name: commit for name, commit in found.items() if re.fullmatch(COMMIT, commit)}


def _revision(commit: str, files: list[HubFile], listed: Mapping[str, str]) -> Revision:
    have = {it.file.name for it in files}
    for it in files:
        _refuse_pointer(it.file)
        _refuse_lacking_parts(it.file, have)
    lacking = tuple(sorted(name for name in listed if name not in have and not is_hidden(name)))
    return Revision(commit, tuple(sorted(files, key=lambda it: it.file.name)), lacking)


def _refuse_pointer(file: LocalFile) -> None:
    if file.size < _POINTER_SIZE:
        with reading_source(file.path), open(file.path, "rb") as opened:
            if opened.read(len(_POINTER)) == _POINTER.encode():
                raise InvalidInput(f"{file.name} is only a pointer of git LFS", hint="fetch the files: git lfs pull")


def _refuse_lacking_parts(file: LocalFile, have: set[str]) -> None:
    if not file.name.endswith(".index.json"):
        return
    parts = read_document(file).get("weight_map")
    folder = file.name.rpartition("/")[0]
    named = {f"{folder}/{part}" if folder else part for part in parts.values()} if isinstance(parts, dict) else set()
    if lost := sorted(named - have):
        raise NotFound(f"{file.name} names {lost[0]}, which is not there", hint="download the rest: hf download")


def _blob(entry: os.DirEntry[str], name: str, repository: Path) -> HubFile:
    if not entry.is_symlink():  # where the disk has no links
        return HubFile(plain_file(entry, name), "")
    target = os.path.normpath(os.path.join(os.path.dirname(entry.path), os.readlink(entry.path)))
    folder, blob = os.path.split(target)
    if folder != str(repository / "blobs") or not re.fullmatch(_BLOB, blob):
        raise InvalidInput(f"{name!r} is a link to something else than a blob of the repository")
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        raise NotFound(f"the bytes of {name} are not in the cache", hint="download the revision again") from None
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(f"the blob of {name!r} is no plain file")
    return HubFile(LocalFile(name, target, found.st_size, found.st_mtime_ns), blob)


def _listed(path: Path) -> dict[str, str]:
    """Return the files of a commit with their digests, where the hub's library has kept a listing of them."""
    if not path.is_file() or path.is_symlink():
        return {}
    try:
        files = read_document(LocalFile(path.name, str(path), path.stat().st_size, 0)).get("files")
    except InvalidInput:
        return {}
    entries = files.items() if isinstance(files, dict) else ()
    found = {name: it.get("lfs_sha256") or it.get("blob_id") for name, it in entries if isinstance(it, dict)}
    return {name: it for name, it in found.items() if isinstance(it, str) and re.fullmatch(_BLOB, it)}


def _kept(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    kept = folder / _KEPT
    if kept.is_dir() and not (folder / ".cache").is_symlink() and not kept.is_symlink():
        with reading_source(kept):
            yield from (
                it for it in entries_below(kept, lambda name: name == "trees") if it[1].is_file(follow_symlinks=False)
            )


def _metadata(kept: LocalFile | None, file: LocalFile) -> tuple[str, str]:
    """Return the commit and the digest of a file as the hub's library noted them, unless it was written to since."""
    if kept is None:
        return "", ""
    commit, etag, time, *_ = [*read_small(kept).split("\n"), "", "", ""]
    if (
        not re.fullmatch(COMMIT, commit)
        or not re.fullmatch(_BLOB, etag)
        or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", time)
    ):
        return "", ""
    untouched = file.modified / 1e9 - 1 <= float(time)
    return commit, etag if untouched else ""


def _line(path: Path) -> str:
    return _text(path).strip()


def _text(path: Path) -> str:
    if not path.is_file() or path.is_symlink() or path.parent.is_symlink():
        return ""
    return read_small(LocalFile(path.name, str(path), path.stat().st_size, 0))
