"""The bytes of data snapshots: read, checked on the way, and written to a file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from artreg.core.snapshot import Snapshot
from artreg.errors import AlreadyExists, IntegrityError, StorageError
from artreg.registry.handle import Registry
from artreg.registry.snapshots import prefix_of
from artreg.store.interface import Chunk


def pieces(registry: Registry, snapshot: Snapshot, start: int = 0) -> Iterator[Chunk]:
    """Yield the bytes of a snapshot that the registry keeps, as they lie there, from a place on.

    Raises:
        NotFound: They are not there.
    """
    return registry.store.chunks(f"{prefix_of(snapshot)}/{snapshot.data_file}", start)


def pull(snapshot: Snapshot, data: Iterable[Chunk], target: Path) -> bool:
    """Write the bytes of a snapshot to a file, which appears whole and verified or not at all.

    Args:
        snapshot: The snapshot.
        data: Its bytes, from the registry or from where they lie.
        target: The file.

    Returns:
        Whether it was written; False if it held these very bytes already.

    Raises:
        AlreadyExists: The file is there and holds something else.
        IntegrityError: These are not the bytes of the snapshot; nothing was written.
        StorageError: The file cannot be written.
    """
    if target.exists():
        if not target.is_file() or _file_digest(target) != snapshot.table.sha256:
            raise AlreadyExists(f"{target} is there and holds something else", hint="remove it, or name another file")
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in verified(snapshot, data):
                    file.write(piece)
                os.fchmod(file.fileno(), 0o644)  # mkstemp makes it private, and data is there to be shared
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}", hint="name a file that can be") from error
    return True


def verified(snapshot: Snapshot, data: Iterable[Chunk]) -> Iterator[Chunk]:
    """Hand on the bytes of a snapshot, and fail at their end if they are others.

    Raises:
        IntegrityError: They are not the bytes of the snapshot; the message names it, and where they came from.
    """
    sha256, size = hashlib.sha256(), 0
    for piece in data:
        sha256.update(piece)
        size += len(piece)
        yield piece
    if sha256.hexdigest() != snapshot.table.sha256:
        where = "the registry's copy" if snapshot.copied else snapshot.source
        raise IntegrityError(
            f"{where} is not {snapshot.ref.short} any more: {size:,} bytes with sha256 {sha256.hexdigest()[:12]}…"
            f" instead of {snapshot.table.size:,} with {snapshot.table.sha256[:12]}…",
            hint="put the old data back; or take a new snapshot of what is there now, and train with that",
            snapshot=str(snapshot.ref),
            found=sha256.hexdigest(),
        )


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
