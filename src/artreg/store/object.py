"""A registry in a bucket: trees by claim and seal, pointers as small objects."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound, OutcomeUnknown, StorageError
from artreg.store import pointers
from artreg.store.bucket import Bucket, Found
from artreg.store.commit import commit
from artreg.store.digest import stream_digest
from artreg.store.interface import (
    NO_PROGRESS,
    OWN,
    READ_LIMIT,
    Chunk,
    Digest,
    Entry,
    Finding,
    Leftover,
    Page,
    Pointer,
    Progress,
    TreeFile,
    check_key,
)
from artreg.store.limits import too_large
from artreg.store.names import check_prefix, check_tree, is_hidden, is_own
from artreg.store.probe import probe
from artreg.store.staging import in_place

MARKER = f"{OWN}/conditional-writes"
"""Object that says that this root's storage was once seen to honour conditions."""

MARKED = b'{\n  "format": "artreg/conditional-writes/1"\n}\n'
"""What that object holds."""

_FIRST = f"who may write below {OWN}/ must run artreg init once, before anybody writes to a registry"


class ObjectStore:
    """Objects below one root of a bucket.

    Args:
        bucket: Whose conditional put is atomic; `prepare_writing` sees whether it is.
    """

    whole_trees = False

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._prepared = False

    @property
    def url(self) -> str:
        """The bucket and the prefix in it."""
        return self._bucket.url

    def require_root(self) -> None:
        """Return if the bucket is there; a prefix needs nothing to be."""
        self._bucket.require()

    def make_root(self) -> None:
        """Return if the bucket is there; it is never made."""
        self._bucket.require()

    def prepare_writing(self) -> None:
        """Probe the storage before the first write to this root, and leave a marker that it passed."""
        if self._prepared or self._is_marked():
            self._prepared = True
            return
        self._bucket.require()
        for finding in list(probe(self)):
            if not finding.ok:
                hint = _FIRST if finding.check == "writable" else finding.hint
                message = f"{self.url} cannot hold a registry: {finding.message}"
                raise StorageError(message, hint=hint, check=finding.check)
        commit(self, MARKER, MARKED)
        self._prepared = True

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        """Return the whole of a small object."""
        piece = self._bucket.get(check_key(key), 0, limit + 1)
        if piece.size > limit:
            raise too_large(key, limit)
        return bytes(piece.data)

    def read_each(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Yield objects, of which several are on their way at a time."""
        with ThreadPoolExecutor(2 * self._bucket.parallel, thread_name_prefix="artreg-read") as workers:
            yield from workers.map(self.read, keys)

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        """Yield an object's bytes in order, several pieces being on their way at a time, into the same few buffers."""
        step = self._bucket.piece_size
        first = self._bucket.get(check_key(key), start, step)
        if first.data:
            yield first.data
        starts = range(start + len(first.data), first.size, step)
        if not starts:
            return
        workers = ThreadPoolExecutor(self._bucket.parallel, thread_name_prefix="artreg-get")
        try:
            coming: deque[tuple[bytearray, Future[Chunk]]] = deque()
            for place in starts:
                if len(coming) < self._bucket.parallel:
                    buffer = bytearray(step)
                else:
                    buffer, piece = coming.popleft()
                    yield piece.result()
                length = min(step, first.size - place)
                coming.append((buffer, workers.submit(self._piece, key, place, length, first.tag, buffer)))
            while coming:
                yield coming.popleft()[1].result()
        finally:
            workers.shutdown(wait=True, cancel_futures=True)

    def digests(
        self, prefix: str, files: Sequence[tuple[str, int]], progress: Progress = NO_PROGRESS
    ) -> Iterator[Digest]:
        """Yield the digests of objects: many small ones at a time, large ones one by one in pieces."""
        small = [name for name, size in files if size <= self._bucket.piece_size]
        large = [name for name, size in files if size > self._bucket.piece_size]
        with ThreadPoolExecutor(self._bucket.parallel, thread_name_prefix="artreg-get") as workers:
            flying = [workers.submit(stream_digest, self, prefix, name, progress) for name in small]
            try:
                for done in as_completed(flying):
                    yield done.result()
            except BaseException:
                workers.shutdown(wait=True, cancel_futures=True)
                raise
        for name in large:
            yield stream_digest(self, prefix, name, progress)

    def page(self, prefix: str, after: str = "") -> Page:
        """List up to a thousand names."""
        page = self._bucket.page(check_prefix(prefix), after)
        shown = tuple(entry for entry in page.entries if not is_hidden(prefix, entry.name))
        while not shown and page.more:
            page = self._bucket.page(prefix, page.entries[-1].name)
            shown = tuple(entry for entry in page.entries if not is_hidden(prefix, entry.name))
        return Page(shown, page.more)

    def last_number(self, prefix: str, name: Callable[[int], str]) -> int | None:
        """Return None: a listing costs no more."""
        return None

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        """Yield all objects below a prefix; one whose key no disk could hold is neither file nor folder."""
        for found in self._bucket.walk(check_prefix(prefix)):
            yield found.entry

    def create(self, key: str, data: bytes) -> None:
        """Put a small object on the condition that there is none."""
        self._bucket.put_absent(check_key(key), data)

    def persist(self, keys: Sequence[str]) -> None:
        """Do nothing: what is visible here lasts as long as anything does."""

    def local_path(self, key: str) -> Path | None:
        """Return None: no file of this machine."""
        return None

    def staged(
        self,
        folder: str,
        sources: Mapping[str, Path],
        *,
        link: bool = False,
        dry_run: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> AbstractContextManager[tuple[TreeFile, ...]]:
        """Take stock of files where they lie."""
        return in_place(sources, progress=progress)

    def put_tree(
        self, prefix: str, files: Sequence[TreeFile], *, claim: str, seal: str, progress: Progress = NO_PROGRESS
    ) -> None:
        """Claim the place, upload, see that all is there as it was sent, and seal it."""
        check_tree(check_key(prefix), files, claim, seal)
        marks = {file.name: _bytes(file) for file in files if file.name in {claim, seal}}
        others = [file for file in files if file.name not in marks]
        try:
            commit(self, f"{prefix}/{claim}", marks[claim])
        except AlreadyExists as error:
            raise _taken(prefix) from error
        there = {found.entry.name: found for found in self._bucket.walk(prefix)}
        if seal in there:
            return self._check_seal(prefix, seal, marks[seal])
        tags = self._upload_all(prefix, others, there, progress)
        self._check_all(prefix, others, tags, {claim, seal})
        try:
            commit(self, f"{prefix}/{seal}", marks[seal])
        except AlreadyExists as error:
            raise _taken(prefix) from error

    def restore(self, key: str, file: TreeFile, progress: Progress = NO_PROGRESS) -> None:
        """Put an object over what is there, and see that it lies there as it was sent."""
        folder, _, name = check_key(key).rpartition("/")
        tag = self._bucket.upload(key, file, progress)
        found = next((it for it in self._bucket.walk(folder) if it.entry.name == name), None)
        if found is None or found.entry.size != file.size:
            raise StorageError(f"{key} is not there as it was stored", hint="run the command again")
        if not found.tag or found.tag != tag:
            self._check_content(key, file)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects one by one."""
        for key in keys:
            self._bucket.remove(check_key(key))

    def pointer(self, key: str) -> Pointer | None:
        """Return what the object under `key` points at."""
        try:
            return pointers.decode(self.read(key, pointers.LIMIT))
        except NotFound:
            return None
        except IntegrityError:
            return pointers.NONSENSE

    def point(self, key: str, pointer: Pointer) -> None:
        """Put the object under `key`, whatever was there."""
        self._bucket.put(check_key(key), pointers.encode(pointers.check_pointer(pointer)))

    def leftovers(self) -> Iterator[Leftover]:
        """Yield uploads that never ended, and what a probe that died left behind."""
        yield from self._bucket.uploads()
        for found in self._bucket.walk(OWN):
            key = f"{OWN}/{found.entry.name}"
            if is_own(key):
                yield Leftover(key, token="", size=found.entry.size, modified=found.entry.modified)

    def discard(self, leftover: Leftover) -> None:
        """Abort an upload, or remove an object of a probe."""
        if leftover.token:
            self._bucket.abort(leftover)
        elif is_own(check_key(leftover.key)):
            self._bucket.remove(leftover.key)
        else:
            raise InvalidInput(f"{leftover.key} is no leftover")

    def diagnose(self) -> Iterator[Finding]:
        """Yield what the bucket says of itself."""
        return self._bucket.diagnose()

    def _is_marked(self) -> bool:
        try:
            return self.read(MARKER, limit=len(MARKED)) == MARKED
        except (NotFound, IntegrityError):
            return False

    def _piece(self, key: str, start: int, length: int, tag: str, into: bytearray) -> Chunk:
        data = self._bucket.get(key, start, length, tag, into).data
        if len(data) != length:
            raise IntegrityError(f"{key} became shorter while it was being read")
        return data

    def _check_seal(self, prefix: str, seal: str, expected: bytes) -> None:
        """Return if the tree is sealed, and as ours: then there is nothing left to do."""
        try:
            if self.read(f"{prefix}/{seal}", limit=len(expected)) == expected:
                return
        except IntegrityError as error:
            raise _taken(prefix) from error
        raise _taken(prefix)

    def _upload_all(
        self, prefix: str, files: Sequence[TreeFile], there: dict[str, Found], progress: Progress
    ) -> dict[str, str]:
        """Upload what is not there yet: many small files at a time, large ones one by one; return their tags."""
        small = [file for file in files if file.size <= self._bucket.piece_size]
        large = [file for file in files if file.size > self._bucket.piece_size]
        tags: dict[str, str] = {}
        with ThreadPoolExecutor(self._bucket.parallel, thread_name_prefix="artreg-put") as workers:
            sent = [
                (file, workers.submit(self._upload, prefix, file, there.get(file.name), NO_PROGRESS)) for file in small
            ]
            try:
                for file, future in sent:
                    tags[file.name] = future.result()
                    progress.advance(file.size)
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
        for file in large:
            tags[file.name] = self._upload(prefix, file, there.get(file.name), progress)
        return tags

    def _upload(self, prefix: str, file: TreeFile, there: Found | None, progress: Progress) -> str:
        """Upload a file on the condition that there is none; one that is there already is left, or replaced if wrong.

        The condition costs nothing, and lets a bucket refuse all writes that have none.
        """
        key = f"{prefix}/{file.name}"
        try:
            if there is None:
                with suppress(AlreadyExists):
                    return self._bucket.upload(key, file, progress, absent=True)
            if (tag := self._tag_of_same(key, file, there)) is not None:
                progress.advance(file.size)
                return tag
            return self._bucket.upload(key, file, progress)
        except OutcomeUnknown as error:
            # Without its seal the tree is not there, so that this much is known.
            raise StorageError(
                f"{prefix} was not stored: {error.message}", hint="run the command again: it goes on from here"
            ) from error

    def _tag_of_same(self, key: str, file: TreeFile, there: Found | None) -> str | None:
        """Return the tag of what lies under `key`, '' if it has none; None if that is not the file."""
        if there is None:
            try:
                piece = self._bucket.get(key, 0, 1)
            except NotFound:
                return None
            size, tag = piece.size, piece.tag
        else:
            size, tag = there.entry.size, there.tag
        if size != file.size:
            return None
        if tag and tag == self._bucket.fingerprint(file):
            return tag
        try:
            self._check_content(key, file)  # the tag may say nothing, as with encryption by a key service
        except IntegrityError:
            return None
        return tag

    def _check_all(self, prefix: str, files: Sequence[TreeFile], tags: dict[str, str], marks: Iterable[str]) -> None:
        """See that exactly these files lie there, with the bytes that were sent."""
        there = {found.entry.name: found for found in self._bucket.walk(prefix)}
        strange = sorted(there.keys() - tags.keys() - set(marks))
        if strange:
            raise AlreadyExists(f"{prefix} holds a file of somebody else's: {strange[0]}", hint="move it away")
        for file in files:
            found = there.get(file.name)
            if found is None:
                raise StorageError(f"{prefix}/{file.name} is not there after it was stored")
            if found.entry.size != file.size:
                raise IntegrityError(f"{prefix}/{file.name} has {found.entry.size} bytes in storage, not {file.size}")
            if not found.tag or found.tag != tags[file.name]:
                self._check_content(f"{prefix}/{file.name}", file)

    def _check_content(self, key: str, file: TreeFile) -> None:
        """Read an object back whose tag says nothing, as with encryption by a key service."""
        seen = hashlib.sha256()
        for piece in self.chunks(key):
            seen.update(piece)
        if seen.hexdigest() != file.sha256:
            raise IntegrityError(f"{key} came back from storage altered", hint="run the command again")


def _bytes(file: TreeFile) -> bytes:
    """The bytes of a claim or a seal, which `check_tree` saw to be at hand."""
    assert isinstance(file.source, bytes)
    if len(file.source) != file.size or hashlib.sha256(file.source).hexdigest() != file.sha256:
        raise IntegrityError(f"{file.name} is not what its digest says")
    return file.source


def _taken(prefix: str) -> AlreadyExists:
    return AlreadyExists(f"{prefix} is there already, or somebody else is storing it")
