"""What a hook is still to be told, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from artreg.core.told import Failure
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.hooks.config import Hook
from artreg.hooks.sending import sender
from artreg.hooks.telling import Lane, check_not_set_back, lanes, pending, standing
from artreg.registry.handle import Registry

_AT_A_TIME = 8  # aliases that are looked at


class Waiting(Frozen):
    """What a hook is still to be told of an alias.

    Attributes:
        lane: The hook and the alias.
        generation: The number of the record up to which it was told; 0 if it was told of none.
        pending: How many events it is still to be told.
        oldest: When the first of them happened, or None.
        failure: Why the next one could not be delivered, if it could not.
        problem: Why nobody can say what is due, or ''.
    """

    lane: Lane
    generation: int
    pending: int
    oldest: str | None
    failure: Failure | None
    problem: str = ""


class Surveyed(Frozen):
    """What a hook is still to be told.

    Attributes:
        hook: The hook.
        lanes: Of each alias.
        problem: Why nothing can be delivered to it from here, or ''.
    """

    hook: Hook
    lanes: tuple[Waiting, ...]
    problem: str = ""


def survey(registry: Registry, hook: Hook, environment: Mapping[str, str]) -> Surveyed:
    """Return what a hook is still to be told.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="artreg-hooks") as pool:
        found = tuple(pool.map(lambda lane: _waiting(registry, lane), lanes(registry, hook)))
    try:
        sender(hook, environment)
    except ArtregError as error:
        return Surveyed(hook, found, error.message)
    return Surveyed(hook, found)


def _waiting(registry: Registry, lane: Lane) -> Waiting:
    generation, failure = 0, None
    try:
        told = standing(registry, lane).told
        if told is not None:
            generation, failure = told.generation, told.failure
        check_not_set_back(registry, lane, told)
        due = pending(registry, lane, told)
    except ArtregError as error:
        return Waiting(lane, generation, 0, None, failure, error.message)
    return Waiting(lane, generation, len(due), due[0].record.time if due else None, failure if due else None)
