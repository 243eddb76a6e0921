"""Intents: whoever moves an alias says so first in the log of the version, after the last event that it judged by.

A move creates a record in the history of an alias, a yank an event in the log of a version, and no storage creates two
objects at once. So the mover appends its intent to the log before it creates the record: where a yank, or an approval
taken back, came in between, it sees that. And whoever yanks finds every intent in the log before its own event, and
makes sure before it returns that the record meant is there, the mover's own or a fence in its place
(`artreg.registry.fence`). Nobody waits for anybody, and a mover that died holds nobody up.
"""

from __future__ import annotations

from artreg.core.record import PromotionRecord
from artreg.core.version_event import FORBIDDING, EventKind
from artreg.errors import Conflict
from artreg.registry.handle import Registry
from artreg.registry.version_log import Draft, VersionLog, append, read_event, read_log

_ROUNDS = 100  # whoever is overtaken so often meets something that never stops appending


def intend(registry: Registry, log: VersionLog, record: PromotionRecord) -> None:
    """Say in a version's log that a record is about to be created which points at the version.

    An intent for that very record that is in the log already will do, whosesoever it is: whoever yanks will settle it.
    What others appended since the log was read does no harm unless it forbids something.

    Args:
        registry: The registry.
        log: The log that the move was judged by; it must have been read before it was judged.
        record: The record.

    Raises:
        Conflict: The version was yanked, or an approval of it taken back, since the log was read; nothing was changed.
        IntegrityError: The log is damaged, or speaks of other bytes than the record.
        StorageError: The intent may not have been written; the alias was not moved.
    """
    assert record.digest is not None
    draft = Draft(
        EventKind.INTENT,
        record.digest,
        alias=record.alias,
        generation=record.generation,
        time=record.time,
        write_id=record.write_id,
        who=record.who,
    )
    for _ in range(_ROUNDS):
        if log.standing.intended(record.alias) >= record.generation:
            return
        try:
            append(registry, log, draft)
        except Conflict as error:
            overtaken = error
            log = _read_on(registry, log)
        else:
            return
    raise overtaken


def _read_on(registry: Registry, log: VersionLog) -> VersionLog:
    now = read_log(registry, log.model, log.version)
    for number in range(log.number + 1, now.number + 1):
        event, _ = read_event(registry, log.model, log.version, number)
        if event.kind in FORBIDDING:
            what = "yanked" if event.kind is EventKind.YANK else f"no longer approved for {event.alias}"
            raise Conflict(
                f"{log.model}@{log.version} was {what} by {event.who} meanwhile; nothing was changed",
                hint="run the command again if it is still wanted: it will be judged anew",
            )
    return now
