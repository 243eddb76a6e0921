"""The digest of one file, read as a stream."""

from __future__ import annotations

import hashlib

from artreg.errors import IntegrityError, NotFound
from artreg.store.interface import Digest, Progress, Store


def stream_digest(store: Store, prefix: str, name: str, progress: Progress) -> Digest:
    """Return the digest of a file of any store.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    seen, size = hashlib.sha256(), 0
    try:
        for chunk in store.chunks(f"{prefix}/{name}" if prefix else name):
            seen.update(chunk)
            size += len(chunk)
            progress.advance(len(chunk))
    except (NotFound, IntegrityError) as error:
        return Digest(name, "", error.message)
    return Digest(name, seen.hexdigest(), size=size)
