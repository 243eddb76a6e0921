"""Remembering verifications: one document a model, which takes the place of those before it."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core import keys
from artreg.core.names import ModelName
from artreg.core.selection import newest
from artreg.core.verification import Seen, Verifications, parse_verifications
from artreg.errors import NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.versions import list_entries
from artreg.store.commit import commit


class Remembered(Frozen):
    """What is remembered of a model's verifications.

    Attributes:
        seen: The last one of each version, by version.
        documents: The keys of the documents that say so: one, unless several were written at once.
    """

    seen: Mapping[str, Seen]
    documents: tuple[str, ...]


def remembered(registry: Registry, model: ModelName) -> Remembered:
    """Return what is remembered of a model's verifications.

    Raises:
        IntegrityError: A document is damaged.
    """
    prefix = keys.verifications_prefix(model)
    seen: dict[str, Seen] = {}
    documents: list[str] = []
    for entry in list_entries(registry.store, prefix):
        key = f"{prefix}/{entry.name}"
        try:
            data = registry.store.read(key)
        except NotFound:
            continue  # another writer has just merged it into its own, which a later reader sees
        seen = newest(seen, parse_verifications(data, model, entry.name).seen)
        documents.append(key)
    return Remembered(seen, tuple(documents))


def remember(registry: Registry, model: ModelName, seen: Mapping[str, Seen]) -> None:
    """Record verifications beside those that are remembered.

    The new document holds all that was known before, and only then are the older ones removed: whoever dies in between
    leaves two that say the same, and of two who write at once neither loses what the other said.

    Raises:
        IntegrityError: A document is damaged; it is named, and can be removed.
        StorageError: Storage failed; what was remembered before still is.
    """
    if not seen:
        return
    registry.store.prepare_writing()
    before = remembered(registry, model)
    write_id = registry.new_id()
    document = Verifications(model, newest(before.seen, seen), write_id)
    commit(registry.store, f"{keys.verifications_prefix(model)}/{write_id}.json", document.encode())
    registry.store.delete(before.documents)
