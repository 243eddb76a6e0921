"""What a hook was told of each alias, and what it is to be told next.

The history itself is the outbox: a record is there as soon as the alias has moved, and stays, so that nothing has to be
written for a hook when an alias moves and no crash can lose an event. What is kept is how far each hook was told: one
document for each hook and alias, which takes the place of those before it as it does for verifications.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, takewhile

from artreg.core import keys
from artreg.core.names import Alias, ModelName
from artreg.core.told import Failure, Skipped, Told, all_skipped, furthest, parse_told
from artreg.errors import Conflict, IntegrityError, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.hooks.config import Hook
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_record, moment, newest_generation, records, records_from
from artreg.registry.standing import each
from artreg.registry.versions import list_aliases, list_entries, list_models
from artreg.store.commit import commit

_TRIES = 10
"""How often it is looked what a hook was told, while others take down that it was told more."""

_SKIPPED = 100  # times that somebody passed over events, which are kept
_LONGEST_REASON = 400  # characters
_FAR = 1000  # records that are looked at to see whether a hook's time had come before the clock went back


class Lane(Frozen):
    """A hook and an alias of which it is told, one event after the other.

    Attributes:
        hook: The hook.
        model: The model.
        alias: The alias.
    """

    hook: Hook
    model: ModelName
    alias: Alias

    @property
    def prefix(self) -> str:
        """The folder of what the hook was told of the alias."""
        return keys.told_prefix(self.hook.name, self.model, self.alias)

    def __str__(self) -> str:
        return f"{self.model}@{self.alias}"


class Standing(Frozen):
    """What is known of what a hook was told of an alias.

    Attributes:
        told: What it was told; None if nothing ever was.
        documents: The keys of the documents that say so.
        skipped: What was passed over on purpose, oldest first.
    """

    told: Told | None
    documents: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()


def lanes(registry: Registry, hook: Hook) -> list[Lane]:
    """Return the aliases of which a hook is to be told, in order.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    models = sorted(hook.models) if hook.models else list_models(registry.store)
    named = each(registry, lambda model: list_aliases(registry.store, model), models)
    found = [(model, Alias(name)) for model, names in zip(models, named, strict=True) for name in names]
    return [Lane(hook, model, alias) for model, alias in found if hook.asks_for(model, alias)]


def documents(registry: Registry, hook: Hook) -> Mapping[str, list[str]]:
    """Return the keys of what a hook was told, by the folder of each alias: one listing for all of them."""
    prefix = keys.hook_prefix(hook.name)
    found: dict[str, list[str]] = {}
    for entry in registry.store.walk(prefix, sized=False):
        folder, _, name = entry.name.rpartition("/")
        if not name.startswith("."):  # or it is on the way to its place
            found.setdefault(f"{prefix}/{folder}", []).append(f"{prefix}/{entry.name}")
    return found


def standing(registry: Registry, lane: Lane, known: Sequence[str] | None = None) -> Standing:
    """Return what a hook was told of an alias.

    Args:
        registry: The registry.
        lane: The hook and the alias.
        known: The keys of the documents that say so, if they were listed.

    Raises:
        IntegrityError: A document that says so is damaged.
        Conflict: Others put theirs in the place of it faster than it can be read.
    """
    for _ in range(_TRIES):
        if known is None:
            known = [f"{lane.prefix}/{entry.name}" for entry in list_entries(registry.store, lane.prefix)]
        with contextlib.suppress(NotFound):  # another flush has just put its own in the place of one
            found = {key: _read(registry, lane, key) for key in known}
            return Standing(furthest(found.values()), tuple(found), all_skipped(found.values()))
        known = None
    raise Conflict(f"others tell {lane.hook.name} of {lane} all the time", hint="run it again")


def _read(registry: Registry, lane: Lane, key: str) -> Told:
    data = registry.store.read(key)
    try:
        return parse_told(data, lane.hook.name, lane.model, lane.alias)
    except IntegrityError as error:
        hint = f"remove {key}: what came since the hook's time is then delivered again"
        raise IntegrityError(error.message, hint=hint) from error


def keep(
    registry: Registry,
    lane: Lane,
    before: Standing,
    head: tuple[int, str | None],
    failure: Failure | None = None,
    *,
    skipped: tuple[Skipped, ...] = (),
) -> Standing:
    """Keep how far a hook was told of an alias, in the place of what was kept before.

    Args:
        registry: The registry.
        lane: The hook and the alias.
        before: What is kept so far.
        head: The number of the record, and its sha256.
        failure: What stands in the way of the next event.
        skipped: What was passed over on purpose since.

    Raises:
        StorageError: It may not have been kept: the next flush delivers again what was delivered since.
    """
    registry.store.prepare_writing()
    now, write_id = registry.timestamp(), registry.new_id()
    skipped = (*before.skipped, *skipped)[-_SKIPPED:]
    told = Told(lane.hook.name, lane.model, lane.alias, *head, now, failure, write_id, skipped)
    key = f"{lane.prefix}/{write_id}.json"
    commit(registry.store, key, told.encode())
    with contextlib.suppress(StorageError):  # who may not remove anything leaves them: the furthest counts
        registry.store.delete(before.documents)
        return Standing(told, (key,), skipped)
    return Standing(told, (*before.documents, key), skipped)


def records_after(registry: Registry, lane: Lane, told: Told | None) -> Iterator[Head]:
    """Yield the records of an alias that a hook was not told of, oldest first, whatever they are about.

    Raises:
        IntegrityError: A record is damaged, does not follow from the one before it, or was told of and is gone.
    """
    if told is None or told.record is None:
        yield from _since(registry, lane)
        return
    last, sha256 = told.generation, told.record
    while (head := find_record(registry, lane.model, lane.alias, last + 1)) is not None:
        if head.record.previous_record != sha256:
            raise _rewritten(lane, last)
        yield head
        last, sha256 = head.record.generation, head.sha256


def check_not_set_back(registry: Registry, lane: Lane, told: Told | None) -> None:
    """Return unless a hook was told of a record that is not there any more.

    Raises:
        IntegrityError: It was.
    """
    if told is None or not told.generation:
        return
    head = find_record(registry, lane.model, lane.alias, told.generation)
    if head is None or head.sha256 != told.record:
        raise _rewritten(lane, told.generation)


def skip(registry: Registry, lane: Lane, reason: str = "", *, every: bool, dry_run: bool) -> list[Head]:
    """Pass over the next event of a hook and an alias, or over all that are due; return them.

    Who does so, when and why is kept. A history that was rewritten is taken as it is now where all are passed over.

    Raises:
        IntegrityError: The history is damaged, or was rewritten.
        StorageError: That could not be kept.
    """
    before = standing(registry, lane)
    try:
        check_not_set_back(registry, lane, before.told)
        due = pending(registry, lane, before.told)[: None if every else 1]
        to: tuple[int, str | None] | None = (due[-1].record.generation, due[-1].sha256) if due else None
    except IntegrityError:
        if not every:
            raise
        due, to = [], newest(registry, lane)
    if to is not None and not dry_run:
        first = due[0].record.generation if due else to[0]
        skipped = Skipped(first, to[0], registry.actor, registry.timestamp(), reason.strip()[:_LONGEST_REASON])
        keep(registry, lane, before, to, skipped=(skipped,))
    return due


def due_after(registry: Registry, lane: Lane, told: Told | None) -> Iterator[tuple[Head, bool]]:
    """Yield what `records_after` does, each with whether the hook is to be told of it.

    Once a record is of the hook's time, so are all that follow it: the clock of whoever moves an alias may go back.
    """
    begun: bool | None = None
    for head in records_after(registry, lane, told):
        if _is_of_its_time(lane, head):
            begun = True
        elif begun is None:
            begun = _has_begun(registry, lane, told)
        yield head, bool(begun) and head.record.action in lane.hook.actions


def pending(registry: Registry, lane: Lane, told: Told | None) -> list[Head]:
    """Return the records that a hook is still to be told of, oldest first; raises what `records_after` does."""
    return [head for head, is_due in due_after(registry, lane, told) if is_due]


def newest(registry: Registry, lane: Lane) -> tuple[int, str | None]:
    """Return the number of an alias's newest record, and its sha256."""
    number = newest_generation(registry, lane.model, lane.alias)
    head = find_record(registry, lane.model, lane.alias, number) if number else None
    return number, None if head is None else head.sha256


def _since(registry: Registry, lane: Lane) -> Iterator[Head]:
    """Yield the records of an alias from the hook's time on, oldest first."""
    found = list(takewhile(partial(_is_of_its_time, lane), records(registry, lane.model, lane.alias)))
    yield from reversed(found)


def _is_of_its_time(lane: Lane, head: Head) -> bool:
    return moment(head.record.time) >= lane.hook.since


def _has_begun(registry: Registry, lane: Lane, told: Told | None) -> bool:
    """Return whether a record of the hook's time is among those that it was told of, or that were passed over."""
    last = find_record(registry, lane.model, lane.alias, told.generation) if told is not None else None
    before = () if last is None else islice(records_from(registry, last), _FAR)
    return any(_is_of_its_time(lane, head) for head in before)


def _rewritten(lane: Lane, generation: int) -> IntegrityError:
    return IntegrityError(
        f"the history of {lane.alias} of {lane.model} was rewritten: record {generation}, of which hook "
        f"{lane.hook.name} was told, is not there any more as it was",
        hint=f"see artreg history --verify; artreg hooks skip {lane.hook.name} {lane} --all goes on from here",
    )
