"""Pinning: what a reference means now, written down, and what has moved since."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from artreg.core.lock import Lock, Pin, PinnedFile
from artreg.core.manifest import MANIFEST
from artreg.core.names import Alias, Reference
from artreg.core.record import MOVES, PromotionRecord
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.contents import find_contents
from artreg.registry.handle import Registry
from artreg.registry.history import records_from, require_head
from artreg.registry.resolve import latest, resolve
from artreg.registry.version_log import find_yank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from artreg.core.version_event import VersionEvent

    _T = TypeVar("_T")
    _U = TypeVar("_U")

_AT_ONCE = 8


class Pinned(Frozen):
    """How a pin was made.

    Attributes:
        pin: What is pinned now; None if the reference was taken out.
        before: What was pinned before, if anything was.
        warning: Why the version should not be used, or ''.
    """

    pin: Pin | None
    before: Pin | None
    warning: str = ""

    @property
    def changed(self) -> bool:
        """Whether the lock says something new."""
        return self.pin != self.before


class Standing(Frozen):
    """How a pinned reference stands now.

    Attributes:
        pin: What is pinned.
        now: What the reference means now; None if it means nothing any more.
        behind: How many moves came since; None where that cannot be told.
        move: The newest of these.
        yank: That the pinned version was yanked.
        gone: What keeps the reference from meaning anything, or ''.
    """

    pin: Pin
    now: Version | None
    behind: int | None
    move: PromotionRecord | None
    yank: VersionEvent | None
    gone: str = ""

    @property
    def outdated(self) -> bool:
        """Whether to lock again would pin another version."""
        return self.now != self.pin.version


def pin(registry: Registry, lock: Lock, references: Iterable[Reference]) -> list[Pinned]:
    """Return what references mean now, beside what the lock says of them.

    Files are not read: their digests are those of the manifest, which is the one that an alias's record pins. Where it
    is the version that was pinned before, the pin stays as it is: a record that moves nothing is no change to review.

    Raises:
        NotFound: One means nothing.
        IntegrityError: What says so is damaged, or does not meet what is demanded of an alias.
    """
    before = {pin.reference: pin for pin in lock.pins}

    def one(reference: Reference) -> Pinned:
        contents, old = find_contents(registry, reference), before.get(reference)
        found, sizes = contents.found, contents.sizes
        if old is not None and (old.version, old.digest) == (found.version, found.digest):
            return Pinned(old, old, found.warning)
        files = {name: PinnedFile(sizes[name], sha256) for name, sha256 in contents.manifest.files.items()}
        return Pinned(Pin(reference, found.version, found.generation, found.digest, files), old, found.warning)

    return _each(one, references)


def standings(registry: Registry, lock: Lock) -> list[Standing]:
    """Return how each pinned reference stands now.

    Raises:
        IntegrityError: A history is damaged, or no longer holds the move that was locked.
    """
    return _each(lambda pin: standing(registry, pin), lock.pins)


def standing(registry: Registry, pin: Pin) -> Standing:
    """Return how a pinned reference stands now.

    Raises:
        IntegrityError: The history is damaged, or no longer holds the move that was locked.
    """
    model, target = pin.reference.model, pin.reference.target
    yank = find_yank(registry, model, pin.version)
    try:
        if isinstance(target, Alias):
            return _of_alias(registry, pin, target, yank)
        now = target if isinstance(target, Version) else latest(registry, model)
        found = resolve(registry, Reference(model, now))
        if now == pin.version and found.digest != pin.digest:
            raise IntegrityError(
                f"{pin} is not what was locked: its {MANIFEST} was changed since",
                hint="a version never changes: look at it with artreg verify; is this the registry that was locked?",
            )
        return Standing(pin, now, None, None, yank)
    except NotFound as error:
        return Standing(pin, None, None, None, yank, error.message)


def _each(work: Callable[[_T], _U], items: Iterable[_T]) -> list[_U]:
    """Do the same for each, several at a time: a bucket takes its time to answer."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="artreg-pin") as pool:
        return list(pool.map(work, items))


def _of_alias(registry: Registry, pin: Pin, alias: Alias, yank: VersionEvent | None) -> Standing:
    head = require_head(registry, pin.reference.model, alias)
    assert pin.generation is not None
    if head.record.generation < pin.generation:
        raise IntegrityError(
            f"{pin.reference} went back: its newest move is {head.record.generation}, but {pin.generation} was locked",
            hint="somebody set storage back, or this is another registry",
        )
    moves = []
    for one in records_from(registry, head):
        if one.record.generation == pin.generation:
            if (one.record.version, one.record.digest) != (pin.version, pin.digest):
                raise IntegrityError(
                    f"{pin.reference} was rewritten: move {pin.generation} is not the one that was locked",
                    hint="somebody changed the history, or this is another registry",
                )
            break
        if one.record.action in MOVES:
            moves.append(one.record)
    version, _ = head.held()
    return Standing(pin, version, len(moves), moves[0] if moves else None, yank)
