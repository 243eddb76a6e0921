"""Fences: records in the place of moves that must not come any more."""

from __future__ import annotations

from contextlib import suppress

from artreg.core.names import Alias
from artreg.core.record import Action, PromotionRecord
from artreg.errors import Conflict, IntegrityError
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.move import append_record, converge, draft_in_place, stay
from artreg.registry.version_log import VersionLog


def settle(registry: Registry, log: VersionLog) -> tuple[PromotionRecord, ...]:
    """Make sure that no move of which a version's log tells is still to come; return the fences that this took.

    Whoever forbids something (a yank, an approval taken back) calls this after its event was appended and before it
    says so. A record that is there already came first; where there is none, a fence takes its place, and the mover, be
    it slow or dead, can only get a conflict.

    Raises:
        IntegrityError: A history is damaged.
        StorageError: Storage failed; moves may still come until the same command was run again.
    """
    fences = (_fence(registry, log, alias, generation) for alias, generation in log.standing.intents)
    return tuple(fence for fence in fences if fence is not None)


def _fence(registry: Registry, log: VersionLog, alias: Alias, generation: int) -> PromotionRecord | None:
    """Take the place of a record that somebody meant to create; None if it is taken already."""
    while True:
        head = find_head(registry, log.model, alias)
        newest = head.record.generation if head else 0
        if newest >= generation:
            if head is not None and head.record.action is Action.FENCE:
                stay(registry, head, dry_run=False)  # whoever made it may have died before the pointer was set
            return None
        if newest != generation - 1:
            raise IntegrityError(
                f"the history of {alias} of {log.model} has lost records: it ends at {newest}, "
                f"but somebody who saw {generation - 1} meant to move it to {log.version}",
                hint="restore the files from a copy",
            )
        record = draft_in_place(
            registry, head, log.model, alias, action=Action.FENCE, reason=f"in the place of a move to {log.version}"
        )
        with suppress(Conflict):  # the next look tells whether the place is taken
            append_record(registry, record)
            converge(registry, record)
            return record
