"""The end of doubt: create a small object, and know afterwards whether it is ours."""

from __future__ import annotations

from artreg.errors import AlreadyExists, Conflict, IntegrityError, NotFound, OutcomeUnknown, StorageError
from artreg.store.interface import Store

_ROUNDS = 4


def commit(store: Store, key: str, data: bytes) -> None:
    """Create `key` with `data`, and read it back where the answer leaves a doubt.

    A write that took effect may come back as a failure or as `AlreadyExists`, since whatever lies between artreg and
    the bucket sends requests again. Hence `data` must be unlike anybody else's, such as by a random write id: equal
    bytes are taken for our own.

    Raises:
        AlreadyExists: Somebody else's lies there.
        Conflict: Somebody cleans up again and again; it was not written.
        NotFound: The root is not there.
        OutcomeUnknown: It may or may not have been written, and storage does not say.
        StorageError: It was not written.
    """
    doubt: OutcomeUnknown | None = None
    for _ in range(_ROUNDS):
        try:
            return create(store, key, data)
        except AlreadyExists as taken:
            if _is_ours(store, key, data, taken):
                return None
            raise
        except OutcomeUnknown as error:
            doubt = error
        except (StorageError, Conflict) as error:
            if doubt is None:
                raise
            raise OutcomeUnknown(doubt.message, hint=doubt.hint, **doubt.details) from error
    assert doubt is not None
    raise doubt


def create(store: Store, key: str, data: bytes) -> None:
    """Create `key` with `data`, and begin again where a clean-up took away what was being written.

    Raises:
        AlreadyExists: Something lies there.
        Conflict: Somebody cleans up again and again; it was not written.
        OutcomeUnknown: It may or may not have been written.
        StorageError: It was not written.
    """
    for _ in range(_ROUNDS):
        try:
            return store.create(key, data)
        except Conflict as error:
            cleaned = error
    raise cleaned


def _is_ours(store: Store, key: str, data: bytes, taken: AlreadyExists) -> bool:
    """Whether what lies under `key` are our bytes.

    Raises:
        OutcomeUnknown: Nobody can tell.
    """
    try:
        return store.read(key, limit=max(len(data), 1)) == data
    except IntegrityError:  # larger than ours, or no plain file
        return False
    except NotFound as error:
        raise OutcomeUnknown(
            f"{key} was there and then was not", hint="run the command again; something else is deleting there"
        ) from error
    except StorageError as error:
        raise OutcomeUnknown(
            f"{key} may or may not be our own: {error.message}", hint=error.hint, **error.details
        ) from taken
