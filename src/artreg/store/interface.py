"""What artreg asks of storage: bytes under keys, and one atomic primitive.

A key is a relative path with `/` between its segments (`churn/1.2.1/checksum.txt`). The primitive on which every
promise of artreg rests is `Store.create`: a small object appears whole, if and only if nothing lies under its key.
Everything that may go wrong is an error from `artreg.errors`, never a Boolean:

- `NotFound`: nothing lies there. `AlreadyExists`: somebody else's lies there.
- `OutcomeUnknown`: the write may or may not have taken effect; `artreg.store.commit.commit` settles it.
- `StorageError`: storage could not be reached, or refused; a write did not take effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum

from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

READ_LIMIT = 16 * 2**20
"""Bytes that `Store.read` takes into memory unless told otherwise."""

TEMPORARY = r"\.artreg-tmp-[0-9a-f]{32}"
"""Names of what a store writes for itself on the way to its place; no user's file may be named so."""

OWN = ".artreg"
"""The folder directly below the root that a store keeps for itself; no project may be named so."""

_SEGMENT_LIMIT = 255
_KEY_LIMIT = 900  # S3 allows 1,024 bytes, the prefix of the root included

Chunk = bytes | memoryview
"""A piece of a file; valid only until the next piece is asked for."""


class Kind(Enum):
    """What lies under a name."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Entry(Frozen):
    """One thing found by a listing.

    Attributes:
        name: Path relative to the listed prefix.
        kind: What it is; only a disk knows more than files and folders.
        size: Bytes; 0 for whatever is no file.
        modified: When it was written by the storage's clock, in seconds since 1970; 0 for a folder of a bucket.
    """

    name: str
    kind: Kind
    size: int
    modified: float


class Page(Frozen):
    """One page of a listing, sorted by name.

    Attributes:
        entries: What lies directly under the prefix.
        more: Whether another page follows after the last of them.
    """

    entries: tuple[Entry, ...]
    more: bool


class Pointer(Frozen):
    """A name that says which of its neighbours is current: a view for people, never the truth.

    Attributes:
        target: The neighbour's name.
        generation: The number of the move that it shows, where the storage can hold one; a hint for finding the head.
    """

    target: str
    generation: int | None = None


class TreeFile(Frozen):
    """One file of a tree that is to be written.

    Attributes:
        name: Path relative to the tree.
        source: Its bytes, the local file that holds them, or a function that yields them from the start.
        size: Bytes.
        sha256: Lower-case hexadecimal digest; a source that no longer matches it is refused.
        owned: Whether the source is a file that `Store.staged` made, which may become part of a tree as it is.
        stamp: What the system said of the source when it was hashed; while that is so it need not be hashed again.
        linked: Whether the source's file may become part of a tree on a disk by a second name.
    """

    name: str
    source: bytes | Path | Callable[[], Iterator[Chunk]]
    size: int
    sha256: str
    owned: bool = False
    stamp: tuple[int, ...] = ()
    linked: bool = False


class Leftover(Frozen):
    """What a writer that died left behind, invisible to readers.

    Attributes:
        key: Where it lies.
        token: What else the store needs to find it again, such as the id of a multipart upload.
        size: Bytes, as far as the store can tell.
        modified: When it was last written by the storage's clock, in seconds since 1970.
    """

    key: str
    token: str
    size: int
    modified: float


class Digest(Frozen):
    """What a file's bytes are.

    Attributes:
        name: Its name, relative to the prefix that was asked about.
        sha256: Lower-case hexadecimal digest; '' if there is none.
        problem: Why there is none, or ''.
        size: How many bytes were hashed.
    """

    name: str
    sha256: str
    problem: str = ""
    size: int = 0


class Finding(Frozen):
    """One line of a diagnosis.

    Attributes:
        check: What was looked at, such as `conditional-writes`.
        ok: Whether artreg can rely on it.
        message: What was seen, in one sentence.
        hint: What to do where it is not ok.
    """

    check: str
    ok: bool
    message: str
    hint: str = ""


class Progress(Protocol):
    """Told how many bytes have just been moved or hashed."""

    def advance(self, count: int) -> None:
        """Count `count` more bytes."""


class _NoProgress:
    def advance(self, count: int) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
"""Tells nobody."""


class Store(Protocol):
    """Bytes under keys below one root. Every implementation passes `tests/store/contract.py`.

    A store can be pickled: what comes out in another process shows the same root. One that lies in memory cannot.
    """

    @property
    def url(self) -> str:
        """The root as a person would write it, without credentials."""

    @property
    def whole_trees(self) -> bool:
        """Whether a tree appears whole or not at all; otherwise readers can see one that is not yet sealed."""

    def require_root(self) -> None:
        """Return if the root is there.

        Raises:
            NotFound: There is no such folder or bucket.
            InvalidInput: The root is a file.
            StorageError: Storage cannot be reached, or refuses.
        """

    def make_root(self) -> None:
        """Make the root where it is missing and can be made; a bucket is never made."""

    def prepare_writing(self) -> None:
        """Make sure that `create` is atomic here before anything is written, once for each root.

        Raises:
            StorageError: The storage ignores conditions on writes, so that nothing could be promised.
        """

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return the whole of a small file.

        Raises:
            NotFound: No file lies there.
            IntegrityError: It is larger than `limit` bytes, or it is no plain file.
        """

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Yield the whole of small files, in order, several being read at a time.

        Raises:
            NotFound: One is not there.
            IntegrityError: One is larger than `READ_LIMIT` bytes, or it is no plain file.
        """

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        """Yield a file's bytes in order, in pieces of bounded size; nothing happens before the first is asked for.

        Args:
            key: The file.
            start: How many of its bytes, fewer than it has, are left out at its beginning.

        Raises:
            NotFound: No file lies there.
            IntegrityError: It is no plain file, or it was overwritten meanwhile.
        """

    def digests(
        self, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
    ) -> Iterator[Digest]:
        """Yield the sha256 of files below a prefix, several being read at a time, in any order.

        Args:
            prefix: What they lie under.
            files: Names relative to it, each with the size that a listing told.
            progress: Told of the bytes that were hashed, by any thread.

        Raises:
            StorageError: Storage cannot be reached, or refuses. A file that is missing, is no plain file, or was
                overwritten meanwhile is no error: its digest says so.
        """

    def page(self, prefix: str, after: str = "") -> Page:
        """List what lies directly under `prefix` (empty for the root), by name, after the name `after`.

        Of each it tells the name and the kind; `walk` tells sizes and times.

        A prefix under which nothing lies has an empty page. Temporary names and `OWN` are left out.
        """

    def last_number(self, prefix: str, name: Callable[[int], str]) -> int | None:
        """Return the number of the newest of very many files, numbered from 1 on, where that takes no listing.

        None says that a listing must tell: there are not so many, one may be missing, or a listing costs no more.

        Args:
            prefix: The folder in which they lie.
            name: Gives the name of the file with a number.
        """

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield everything below `prefix` that is no folder, links too, sorted by name; links are not followed.

        What is on its way to its place is shown too, by its temporary name, unlike in `page`.

        Args:
            prefix: The folder.
            sized: Whether sizes and times are wanted; without them a disk is asked for much less.
        """

    def create(self, key: str, data: bytes) -> None:
        """Make a small file appear, whole and durable, if and only if nothing lies under its key.

        Raises:
            AlreadyExists: Something lies there, durably; nothing was changed. It may be the caller's own, written by
                an earlier try inside this very call whose answer was lost.
            NotFound: The root is not there.
            Conflict: Somebody cleaned up what was being written; it was not written.
            OutcomeUnknown: It may or may not have been written.
            StorageError: It was not written.
        """

    def persist(self, keys: Sequence[str]) -> None:
        """Return when what lies under keys would outlast a loss of power, whoever put it there.

        What is visible on a disk need not be durable: whoever wrote it may have died before it synced it. So this
        comes before anything is acknowledged, or built, on what was found rather than written.

        Raises:
            OutcomeUnknown: It may not outlast it.
        """

    def local_path(self, key: str) -> Path | None:
        """Return where a file lies on a disk of this machine, None if it lies elsewhere; it may not be there."""

    def staged(
        self,
        folder: str,
        sources: Mapping[str, Path],
        *,
        link: bool = False,
        dry_run: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> AbstractContextManager[tuple[TreeFile, ...]]:
        """Take stock of local files that are to become part of a tree: their sizes and digests.

        A store that has to copy them anyway does so on the way, out of sight, so that nothing is read once for its
        digest and once more for its bytes. What it made is gone at the end unless `put_tree` has taken it in.

        Args:
            folder: In which the tree is to lie.
            sources: The files by their names in the tree.
            link: Whether they may become part of the registry as they are, by a second name on the same disk.
            dry_run: Whether they are only to be looked at where they lie.
            progress: Told of the bytes that were hashed, by any thread.

        Raises:
            InvalidInput: A source cannot be read, or is no plain file.
            StorageError: Storage refuses.
        """

    def put_tree(
        self, prefix: str, files: Sequence[TreeFile], *, claim: str, seal: str, progress: Progress = NO_PROGRESS
    ) -> None:
        """Make a tree of files appear under `prefix`: the file `seal` is there only when all the others are.

        Where several write different trees to one prefix, at most one succeeds. Where the storage has no folders that
        can be renamed, the file `claim` is created first and decides who that is; a tree whose claim has the very
        same bytes is taken up where it was left. The caller writes its random write id into `claim`.

        Raises:
            AlreadyExists: Another tree lies or is being written there; of ours nothing is visible.
            IntegrityError: A source changed since its digest was taken, or came back from storage altered.
            NotFound: The root is not there.
            Conflict: Somebody cleaned up what was being written; it does not appear.
            OutcomeUnknown: The tree may or may not have been sealed.
            StorageError: It was not.
        """

    def restore(self, key: str, file: TreeFile, progress: Progress = NO_PROGRESS) -> None:
        """Put a file in the place of whatever lies under `key`, for its bytes are known to be the right ones there.

        For repair alone: the caller has the file's sha256 from what pins it, so that whoever else restores it writes
        the same. A link that lies there is replaced, not followed; readers see what was there, or the whole file.

        Raises:
            IntegrityError: The source is not what its sha256 says; nothing was changed.
            OutcomeUnknown: The file may or may not be there now.
            StorageError: It was not written.
        """

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files, in this order; one that is not there is no error. Emptied folders go too."""

    def pointer(self, key: str) -> Pointer | None:
        """Return the pointer under `key`, or None if nothing lies there; one that makes no sense has the target ''."""

    def point(self, key: str, pointer: Pointer) -> None:
        """Set the pointer under `key`, atomically for readers, whatever was there; only `restore` overwrites too."""

    def leftovers(self) -> Iterator[Leftover]:
        """Yield what dead writers left anywhere below the root, outside of trees."""

    def discard(self, leftover: Leftover) -> None:
        """Remove a leftover such that a writer that was only slow can no longer finish with it."""

    def diagnose(self) -> Iterator[Finding]:
        """Yield findings that only this kind of storage knows of, such as the versioning of a bucket."""


def check_key(key: str) -> str:
    """Return `key` if it can name a file on every kind of storage.

    Raises:
        InvalidInput: It is absolute, too long, or has a segment that is empty, `.`, `..` or holds a control
            character, a backslash or a surrogate.
    """
    segments = key.split("/")
    if (
        "\\" in key
        or not key.isprintable()
        or len(key.encode()) > _KEY_LIMIT
        or any(segment in {"", ".", ".."} or len(segment.encode()) > _SEGMENT_LIMIT for segment in segments)
    ):
        raise InvalidInput(f"{key!r} cannot name a file in a registry")
    return key
