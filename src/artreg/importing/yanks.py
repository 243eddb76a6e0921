"""Versions that a source took back: yanked here, and given back when it does, but never over what was decided here."""

from __future__ import annotations

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.importing.source import BEGINS, Incoming, reason
from artreg.registry.handle import Registry
from artreg.registry.version_log import VersionLog, read_event, read_log
from artreg.registry.yank import unyank, yank


class YankSet(Frozen):
    """A version that is yanked now, or no more, because its source says so; or would be.

    Attributes:
        item: How the source calls it.
        model: The model.
        version: The version.
        yanked: Whether it is yanked.
        why: What the source says.
    """

    item: str
    model: ModelName
    version: Version
    yanked: bool
    why: str


def settle(registry: Registry, kind: str, incoming: Incoming, *, dry_run: bool) -> YankSet | None:
    """See that a version is yanked if its source took it back, and only then; return what that changed, if anything.

    What somebody said here holds: only an import's word does an import take back.

    Args:
        registry: The registry.
        kind: What the source is; stands in the reason.
        incoming: The version, which is here, or would be.
        dry_run: Say what would be done, but write nothing.

    Raises:
        IntegrityError: The version's log, or the history of an alias, is damaged.
        Conflict: Others were faster, again and again.
        StorageError: The registry failed.
    """
    if incoming.withdrawn is None:
        return None
    model, version, gone = incoming.model, incoming.version, bool(incoming.withdrawn)
    log = read_log(registry, model, version)
    last = _last_word(registry, log)
    if last is not None and not last.why.startswith(BEGINS):
        return None
    changed = gone != (log.yank is not None)
    why = incoming.withdrawn or f"{incoming.item} holds again"
    if not dry_run and (changed or gone):  # whoever yanked it may have died before all that follows from it was done
        (yank if gone else unyank)(registry, model, version, reason(kind, why))
    return YankSet(incoming.item, model, version, gone, why) if changed else None


def dispensable(error: ArtregError, withdrawn: str | None) -> ArtregError:
    """Return what keeps a version from coming; of one that its source took back it says that too."""
    if not withdrawn:
        return error
    without = f"do without it: it was {withdrawn}"
    return type(error)(error.message, hint=f"{error.hint}; or {without}" if error.hint else without, **error.details)


def _last_word(registry: Registry, log: VersionLog) -> VersionEvent | None:
    """Return the newest event that yanks a version, or takes that back."""
    if log.yank is not None:
        return log.yank
    for number in range(log.number, 0, -1):
        event, _ = read_event(registry, log.model, log.version, number)
        if event.kind in {EventKind.YANK, EventKind.UNYANK}:
            return event
    return None
