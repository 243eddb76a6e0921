"""What the object store asks of a bucket, whoever's it is."""

from __future__ import annotations

from collections.abc import Iterator

from artreg.frozen import Frozen
from artreg.protocol import Protocol
from artreg.store.interface import Chunk, Entry, Finding, Leftover, Page, Progress, TreeFile


class Piece(Frozen):
    """A part of an object.

    Attributes:
        data: Its bytes.
        size: Bytes of the whole object.
        tag: The name that the storage has for this very content, '' if it has none.
    """

    data: Chunk
    size: int
    tag: str


class Found(Frozen):
    """An object as a listing shows it.

    Attributes:
        entry: Its name relative to the listed prefix, its size and its time.
        tag: The name that the storage has for this very content, '' if it has none.
    """

    entry: Entry
    tag: str


class Bucket(Protocol):
    """Objects under keys below one root; its errors are those of `artreg.errors`, its retries are over."""

    @property
    def url(self) -> str:
        """The root as a person would write it."""

    @property
    def piece_size(self) -> int:
        """Bytes that are worth one request."""

    @property
    def parallel(self) -> int:
        """Requests worth sending at a time."""

    def require(self) -> None:
        """Return if the bucket is there and answers."""

    def get(self, key: str, start: int, length: int, tag: str = "", into: bytearray | None = None) -> Piece:
        """Return up to `length` bytes from `start` on, of the content named `tag` if one is given.

        They may come to lie in `into`, if that is given, so that no memory is taken for them.

        Raises:
            NotFound: There is no such object.
            IntegrityError: Its content is not the one named `tag`.
        """

    def put_absent(self, key: str, data: bytes) -> None:
        """Put a small object if and only if there is none.

        Raises:
            AlreadyExists: There is one.
            OutcomeUnknown: It may or may not have been put.
        """

    def put(self, key: str, data: bytes) -> None:
        """Put a small object, whatever was there."""

    def upload(self, key: str, file: TreeFile, progress: Progress, *, absent: bool = False) -> str:
        """Put a file of any size, and return the tag that its content must have then.

        Args:
            key: Its key.
            file: The file.
            progress: Told of the bytes.
            absent: Put it only if there is none, as far as the service can tell.

        Raises:
            AlreadyExists: There is one, be it our own that was sent twice.
        """

    def fingerprint(self, file: TreeFile) -> str:
        """Return the tag that `upload` would return, '' if that cannot be known."""

    def page(self, prefix: str, after: str) -> Page:
        """List what lies directly under a prefix, by name, after the name `after`."""

    def walk(self, prefix: str) -> Iterator[Found]:
        """Yield all objects below a prefix, by name."""

    def remove(self, key: str) -> None:
        """Remove an object; none is no error."""

    def uploads(self) -> Iterator[Leftover]:
        """Yield uploads that were begun and not ended; their token is not empty."""

    def abort(self, leftover: Leftover) -> None:
        """End an upload such that it can never be completed."""

    def diagnose(self) -> Iterator[Finding]:
        """Yield what only this kind of bucket can tell."""
