"""Reads a git repository by the `git` program: tags, trees and files as they are stored.

Nothing in the repository is run or written: no checkout, hook, filter, lock, or fetch of objects that a partial clone
lacks. Objects are asked for by their ids alone, so that no name of the repository is ever an argument.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen

_KEPT = ("HOME", "PATH", "TMPDIR", "XDG_CONFIG_HOME")
_SAFE = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # as the line before, for a git that does not know that
}
_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_OID = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_WAIT_S = 60.0
_PIECE = 2**18
_KEPT_TREES = 8
_MOST_BYTES = 256 * 2**20  # of names in one tree, or of tags
_FSCK = "git fsck says more; of a partial clone make a whole one"
FILE, LINK, SUBMODULE = "100", "120", "160"
"""How the mode of an entry of a tree begins."""


class TreeEntry(Frozen):
    """What lies in a tree, anywhere below it: its mode, and the id of its object."""

    mode: str
    oid: str


class Tree(Mapping[str, TreeEntry]):
    """The files in a commit's tree by their paths; of thousands of them a few are looked at.

    Args:
        entries: What `git ls-tree` says of each path.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = entries

    def __getitem__(self, path: str) -> TreeEntry:
        mode, _, oid = self._entries[path].split(" ")
        return TreeEntry(mode, oid)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Found(Frozen):
    """An object that is there: its id, its type and its bytes."""

    oid: str
    kind: str
    size: int


class Repository:
    """A repository, and the processes that read from it until it is closed.

    Args:
        location: Its folder: a work tree, or bare.

    Attributes:
        storage: Where git keeps its objects, and Git LFS its own beside them.
        top: The work tree; None of a bare repository.

    Raises:
        NotFound: There is no such folder, or no git on this machine.
        InvalidInput: It is no repository, or belongs to somebody whom git does not trust.
    """

    def __init__(self, location: str) -> None:
        self._folder = Path(os.path.expanduser(location)).resolve()
        if not self._folder.is_dir():
            raise NotFound(f"there is no folder {location}", hint="name a git repository on this machine")
        self._trees = lru_cache(_KEPT_TREES)(self._read_tree)
        self._reading: dict[str, subprocess.Popen[bytes]] = {}
        said = self._run("rev-parse", "--is-bare-repository", "--git-common-dir").decode("utf-8", "surrogateescape")
        bare, common = said.removesuffix("\n").split("\n", 1)
        self.storage = self._folder / common
        self.top = None if bare == "true" else self._folder.parent if self._folder.name == ".git" else self._folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._reading]:
            self._end(process)

    @property
    def remote(self) -> str | None:
        """The URL of `origin`, which may hold credentials."""
        try:
            said = self._run("config", "--get", "remote.origin.url")
        except ArtregError:
            return None
        return said.decode("utf-8", "replace").strip() or None

    @cached_property
    def head(self) -> str | None:
        """The id of the commit that HEAD points at."""
        try:
            said = self._run("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}").decode("ascii").strip()
        except ArtregError:
            return None
        return said if re.fullmatch(_OID, said) else None

    def tags(self) -> Iterator[tuple[str, str]]:
        """Yield the names of tags, and the ids of what they point at, which is looked at by nobody here."""
        said = self._run("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/")
        for line in said.decode("utf-8", "surrogateescape").split("\n"):
            oid, _, name = line.partition(" ")
            yield name.removeprefix("refs/tags/"), oid

    def tree(self, commit: str) -> Tree:
        """Return all files in a commit's tree by their paths.

        Raises:
            IntegrityError: It cannot be read, or has a path twice.
        """
        return self._trees(commit)

    def _read_tree(self, commit: str) -> Tree:
        said = self._run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", _checked(commit))
        lines = said.decode("utf-8", "surrogateescape").split("\0")[:-1]
        entries = {path: told for told, _, path in (line.partition("\t") for line in lines)}
        if len(entries) != len(lines):
            raise IntegrityError(f"commit {commit} has two files of one name", hint="git fsck says more")
        return Tree(entries)

    def find(self, oid: str) -> Found | None:
        """Return an object's type and size, or None if it is not there.

        Raises:
            StorageError: git does not answer.
        """
        return self._ask("--batch-check", oid)

    def read(self, oid: str, kind: str, limit: int) -> bytes:
        """Return the whole of a small object.

        Raises:
            IntegrityError: It is not there, of another type, larger, or damaged.
        """
        found = self.find(oid)
        if found is None or found.kind != kind:
            raise _missing(oid)
        if found.size > limit:
            raise IntegrityError(
                f"object {oid} has {found.size:,} bytes, where no more than {limit:,} make sense",
                hint="it was meant for something else",
            )
        return b"".join(self.pieces(oid))

    def pieces(self, oid: str) -> Iterator[bytes]:
        """Yield an object's bytes as they are stored; no filter has seen them.

        Raises:
            IntegrityError: It is not there, or damaged.
        """
        found = self._ask("--batch", oid)
        if found is None:
            raise _missing(oid)
        left = found.size + 1  # a newline follows
        try:
            while left > 0:
                piece = self._take("--batch", min(left, _PIECE))
                left -= len(piece)
                yield piece if left else piece[:-1]
        finally:
            if left:
                self._end("--batch")

    def _run(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  # no shell, and every argument is ours
                self._command(*arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_WAIT_S,
                check=False,
            )
        except FileNotFoundError:
            raise NotFound("git is not installed", hint="install git") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StorageError(f"git cannot read {self._folder}: {error}", hint="try again") from error
        if done.returncode:
            raise self._refused(done.stderr.decode("utf-8", "replace").strip())
        if len(done.stdout) > _MOST_BYTES:
            raise IntegrityError(f"{self._folder} has a list of names of {len(done.stdout):,} bytes")
        return done.stdout

    def _refused(self, complaint: str) -> ArtregError:
        if "dubious ownership" in complaint:
            return InvalidInput(
                f"{self._folder} belongs to somebody else, and git reads it only if you say so",
                hint=f"git config --global --add safe.directory {self._folder}",
            )
        if "not a git repository" in complaint:
            return InvalidInput(
                f"{self._folder} is not a git repository",
                hint="name the top folder of a work tree, or a bare repository; of a remote one make a clone first",
            )
        said = complaint.splitlines()[-1][:300] if complaint else "it says nothing"
        return IntegrityError(f"git cannot read {self._folder}: {said}", hint="git fsck says more")

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "--no-pager", *_OPTIONS, "-C", str(self._folder), *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, **_SAFE, "GIT_CEILING_DIRECTORIES": str(self._folder.parent)}

    def _ask(self, how: str, oid: str) -> Found | None:
        process = self._reading.get(how)
        if process is None:
            process = self._reading[how] = subprocess.Popen(  # noqa: S603  # as above
                self._command("cat-file", how),
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        assert process.stdin is not None
        try:
            process.stdin.write(f"{_checked(oid)}\n".encode("ascii"))
        except OSError as error:
            self._end(how)
            raise _missing(oid) from error
        line = b""
        while not line.endswith(b"\n"):
            line += self._take(how, 1)
        found = re.fullmatch(rf"({_OID}) ([a-z]+) ([0-9]+)\n", line.decode("ascii", "replace"))
        return Found(found[1], found[2], int(found[3])) if found else None

    def _take(self, how: str, count: int) -> bytes:
        stdout = self._reading[how].stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], _WAIT_S)
        if not ready:
            self._end(how)
            raise StorageError(f"git has not answered for {_WAIT_S:g} s from {self._folder}", hint="try again")
        piece = os.read(stdout.fileno(), count)
        if not piece:
            self._end(how)
            raise IntegrityError(f"an object in {self._folder} is not there or damaged", hint=_FSCK)
        return piece

    def _end(self, how: str) -> None:
        process = self._reading.pop(how, None)
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()


def _checked(oid: str) -> str:
    if not re.fullmatch(_OID, oid):
        raise IntegrityError(f"{oid[:80]!r} is no id of an object in git", hint="git fsck says more")
    return oid


def _missing(oid: str) -> IntegrityError:
    return IntegrityError(f"object {oid} is not there or damaged", hint=_FSCK)
