"""Yanking: a version stays where it is, but nothing points at it any more that did not before."""

from __future__ import annotations

from collections.abc import Callable

from artreg.core import keys
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.errors import AlreadyExists, Conflict, InvalidInput
from artreg.frozen import Frozen, replace
from artreg.registry.fence import settle
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.move import commit_in_place, draft_in_place, stay
from artreg.registry.version_log import Draft, VersionLog, append_next, digest_as_it_is, read_log, said
from artreg.registry.versions import list_aliases
from artreg.store.commit import create

_ROUNDS = 100  # whoever is overtaken so often meets something that never stops moving


class Yanked(Frozen):
    """How a version stands after a yank, or after one was taken back.

    Attributes:
        model: The model.
        version: The version.
        yank: The yank that holds, or None.
        changed: Whether this call said anything that was not so already; with a dry run, whether it would.
        held_by: The aliases that hold the version still: nobody moves an alias for you.
        fenced: The aliases on whose way to the version a move was stopped.
        dry_run: Whether nothing was written on purpose.
    """

    model: ModelName
    version: Version
    yank: VersionEvent | None
    changed: bool
    held_by: tuple[Alias, ...]
    fenced: tuple[Alias, ...] = ()
    dry_run: bool = False


def yank(registry: Registry, model: ModelName, version: Version, reason: str, *, dry_run: bool = False) -> Yanked:
    """Declare a version unfit: no alias takes it any more, `latest` and rollback pass it by, and readers are warned.

    When this returns, no move to the version that was judged before it can come any more. A damaged version can be
    yanked too.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        reason: Why; it is shown to whoever uses the version.
        dry_run: Say what would be done, but write nothing.

    Raises:
        InvalidInput: There is no reason.
        NotFound: There is no such version.
        IntegrityError: The log, or the history of an alias, is damaged.
        StorageError: Storage failed; the same command run again goes on.
    """
    require_reason(reason, "a yank")

    def decide(log: VersionLog) -> Draft | None:
        if log.yank is not None:
            return None
        return Draft(EventKind.YANK, digest_as_it_is(registry, log), why=reason.strip())

    if dry_run:
        return _would(registry, read_log(registry, model, version), decide)
    log, changed = append_next(registry, model, version, decide)
    with said(log, "is yanked"):
        # Also where it was yanked already: whoever did so may have died before this.
        fences = settle(registry, log)
        mark_version(registry, model, version)
        held_by = tuple(alias for alias in _held_by(registry, model, version) if mark(registry, log, alias))
    return Yanked(model, version, log.yank, changed, held_by, tuple(fence.alias for fence in fences))


def unyank(registry: Registry, model: ModelName, version: Version, reason: str, *, dry_run: bool = False) -> Yanked:
    """Take a yank back; the version may be used again.

    Raises:
        InvalidInput: There is no reason.
        NotFound: There is no such version.
        IntegrityError: The log is damaged.
        StorageError: Storage failed; the same command run again goes on.
    """
    require_reason(reason, "taking a yank back")

    def decide(log: VersionLog) -> Draft | None:
        digest = digest_as_it_is(registry, log)
        return None if log.yank is None else Draft(EventKind.UNYANK, digest, why=reason.strip())

    if dry_run:
        return _would(registry, read_log(registry, model, version), decide)
    log, changed = append_next(registry, model, version, decide)
    with said(log, "is not yanked any more"):
        held_by = _held_by(registry, model, version)
    return Yanked(model, version, log.yank, changed, held_by)


def mark_version(registry: Registry, model: ModelName, version: Version) -> bool:
    """Leave a mark beside the log of a version that was yanked; return False if there is one.

    Whoever lists a registry then reads only the logs of versions that bear it.

    Raises:
        StorageError: Storage failed; the same command run again goes on.
    """
    try:
        create(registry.store, keys.yank_mark_key(model, version), b"")
    except AlreadyExists:
        return False
    return True


def mark(registry: Registry, log: VersionLog, alias: Alias) -> bool:
    """See that the newest record of an alias tells that its version was yanked; return False if it holds another.

    Whoever resolves the alias then needs no look at the version's log, which would be one more request each time. The
    mark is never taken off while the alias stays there: it only tells readers to look into the log.

    Raises:
        Conflict: The alias was moved again and again.
        StorageError: Storage failed; the same command run again goes on.
    """
    assert log.yank is not None
    for _ in range(_ROUNDS):
        head = find_head(registry, log.model, alias)
        if head is None or head.record.version != log.version:
            return False
        if head.record.yanked:
            stay(registry, head, dry_run=False)
            return True
        record = draft_in_place(registry, head, log.model, alias, action=Action.YANK, reason=log.yank.why)
        try:
            commit_in_place(registry, replace(record, yanked=True))
        except Conflict as error:
            overtaken = error
        else:
            return True
    raise overtaken


def require_reason(reason: str, what: str) -> None:
    """Return if a reason is given.

    Raises:
        InvalidInput: There is none.
    """
    if not reason.strip():
        raise InvalidInput(f"{what} needs a reason", hint="add --reason '…'")


def _would(registry: Registry, log: VersionLog, decide: Callable[[VersionLog], Draft | None]) -> Yanked:
    changed = decide(log) is not None
    held_by = _held_by(registry, log.model, log.version)
    return Yanked(log.model, log.version, log.yank, changed, held_by, dry_run=True)


def _held_by(registry: Registry, model: ModelName, version: Version) -> tuple[Alias, ...]:
    aliases = [Alias(name) for name in list_aliases(registry.store, model)]
    heads = [(alias, find_head(registry, model, alias)) for alias in aliases]
    return tuple(alias for alias, head in heads if head is not None and head.record.version == version)
