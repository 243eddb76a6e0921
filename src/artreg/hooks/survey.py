"""What a hook is still to be told, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from artreg.core.told import Failure, Skipped
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.hooks.config import Hook
from artreg.hooks.sending import sender
from artreg.hooks.telling import Lane, Standing, check_not_set_back, documents, lanes, pending, standing
from artreg.registry.handle import Registry
from artreg.registry.standing import each


class Waiting(Frozen):
    """What a hook is still to be told of an alias.

    Attributes:
        lane: The hook and the alias.
        generation: The number of the record up to which it was told; 0 if it was told of none.
        pending: How many events it is still to be told.
        oldest: When the first of them happened, or None.
        failure: Why the next one could not be delivered, if it could not.
        problem: Why nobody can say what is due, or ''.
        skipped: What was passed over on purpose, oldest first.
    """

    lane: Lane
    generation: int
    pending: int
    oldest: str | None
    failure: Failure | None
    problem: str = ""
    skipped: tuple[Skipped, ...] = ()


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
    known = documents(registry, hook)
    found = tuple(
        each(registry, lambda lane: _waiting(registry, lane, known.get(lane.prefix, ())), lanes(registry, hook))
    )
    try:
        sender(hook, environment)
    except ArtregError as error:
        return Surveyed(hook, found, error.message)
    return Surveyed(hook, found)


def _waiting(registry: Registry, lane: Lane, known: Sequence[str]) -> Waiting:
    found, generation, failure = Standing(None, ()), 0, None
    try:
        found = standing(registry, lane, known)
        if found.told is not None:
            generation, failure = found.told.generation, found.told.failure
        check_not_set_back(registry, lane, found.told)
        due = pending(registry, lane, found.told)
    except ArtregError as error:
        return Waiting(lane, generation, 0, None, failure, error.message, found.skipped)
    oldest, failure = (due[0].record.time, failure) if due else (None, None)
    return Waiting(lane, generation, len(due), oldest, failure, "", found.skipped)
