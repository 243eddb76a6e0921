"""What lies in git under a model's path: files as they are stored, and those that Git LFS keeps beside them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing.gto_git import FILE, LINK, Repository, Tree, TreeEntry
from artreg.importing.landing import Expected, checked_name, lay
from artreg.store.factory import open_store

_POINTER = (
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n"
)
_LONGEST_POINTER = 1024
_SHA1 = 40  # digits


class Pointer(Frozen):
    """What Git LFS put in the place of a file."""

    sha256: str
    size: int


def git_files(tree: Tree, path: str) -> Mapping[str, TreeEntry]:
    """Return the files under a path by their names in it; one that is a file has no name. Empty if nothing is there.

    Raises:
        InvalidInput: There is what no version can hold: a link, a submodule, a name that leads out, or files that only
            DVC has.
    """
    alone = tree.get(path)
    inside = f"{path}/"
    found = {"": alone} if alone else {name[len(inside) :]: tree[name] for name in tree if name.startswith(inside)}
    for name, entry in found.items():
        place = f"{path}/{name}".removesuffix("/")
        if not entry.mode.startswith(FILE):
            kind = "a symbolic link" if entry.mode.startswith(LINK) else "a submodule"
            raise InvalidInput(f"{place} is {kind}, which a version cannot hold", hint="commit the files themselves")
        if name:
            checked_name(name, path)
        if name.endswith(".dvc"):
            raise InvalidInput(
                f"{place} stands for a file that DVC has, among others that git has",
                hint="let DVC track the whole folder, or name the file itself as the model's path",
            )
    return found


def pointer(repository: Repository, entry: TreeEntry) -> Pointer | None:
    """Return what Git LFS put in a file's place, or None if the file is the file.

    Raises:
        IntegrityError: It is not there.
    """
    if size_of(repository, entry) > _LONGEST_POINTER:
        return None
    found = re.fullmatch(_POINTER, repository.read(entry.oid, "blob", _LONGEST_POINTER))
    return Pointer(found[1].decode("ascii"), int(found[2])) if found else None


def size_of(repository: Repository, entry: TreeEntry) -> int:
    """Return the bytes of a file as git has it.

    Raises:
        IntegrityError: It is not there.
    """
    found = repository.find(entry.oid)
    if found is None or found.kind != "blob":
        raise IntegrityError(
            f"file {entry.oid} is not in the repository", hint="git fsck says more; of a partial clone make a whole one"
        )
    return found.size


def bring(repository: Repository, entry: TreeEntry, what: str, place: str, folder: Path) -> None:
    """Bring a file to a place in a version's folder, checked by git's own hash of it, or by that of Git LFS.

    Raises:
        NotFound: Git LFS has not fetched it.
        IntegrityError: It is damaged.
        InvalidInput: Another file has its name.
        StorageError: It cannot be written.
    """
    large = pointer(repository, entry)
    if large is None:
        size = size_of(repository, entry)
        algorithm = "sha1" if len(entry.oid) == _SHA1 else "sha256"
        expected = Expected(size, algorithm, entry.oid, lead=f"blob {size}\0".encode("ascii"))
        lay(folder, place, repository.pieces(entry.oid), what, expected)
        return
    sha256 = large.sha256
    objects = open_store(repository.storage / "lfs" / "objects")
    chunks = objects.chunks(f"{sha256[:2]}/{sha256[2:4]}/{sha256}")
    try:
        first = bytes(next(chunks, b""))
    except NotFound:
        raise NotFound(
            f"{what} is kept by Git LFS, which has not fetched it",
            hint="run git lfs fetch --all there, and import again",
        ) from None
    lay(folder, place, itertools.chain((first,), chunks), what, Expected(large.size, "sha256", sha256))
