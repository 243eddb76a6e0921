"""What a consumer demands of an alias before it believes where it points; all of it is the consumer's own affair.

Whoever can write to storage can show any state that it ever had, whole and self-consistent. Three things are out of
that one's reach: what the consumer has seen before, whose keys it knows, and what time it is.
"""

from __future__ import annotations

from artreg.core.allowed_signers import SignedBy
from artreg.core.names import Alias, ModelName
from artreg.core.record import MOVES, Action
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import Head, moment, read_record, records_from
from artreg.registry.seen import Memory, Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

_SPEAKS = MOVES | {Action.CONFIRM}
"""Records that say on purpose where an alias stands."""


class Demands(Frozen):
    """What a consumer demands of an alias.

    Attributes:
        memory: What was seen before, which must not be gone back behind.
        moved_by: Whose signature the move must bear that holds.
        max_age: How long ago somebody may have moved or confirmed the alias at most.
    """

    memory: Memory | None = None
    moved_by: SignedBy | None = None
    max_age: timedelta | None = None

    def look(self, registry: Registry, model: ModelName, alias: Alias, find: Callable[[], Head | None]) -> Head | None:
        """Return the newest record of an alias, which is not older than any that was seen before.

        What was seen is read before the record is: whatever was there then must be there still.

        Raises:
            IntegrityError: It is older, or another one than was seen; or what `find` raises.
        """
        if self.memory is None:
            return find()
        before = self.memory.recall(model, alias)
        head = find()
        if before is not None:
            _require_newer(registry, before, head)
        if head is not None and (before is None or before.generation < head.record.generation):
            record = head.record
            self.memory.learn(model, alias, record.generation, head.sha256, str(record.version or ""))
        return head

    def require(self, registry: Registry, head: Head) -> None:
        """Return if a record may be believed.

        Raises:
            IntegrityError: Nobody signed the move whose word is wanted, or the last word is too old.
            InvalidInput: There is no ssh-keygen to check signatures with.
        """
        if self.moved_by is not None:
            from artreg.registry.signed_moves import move_fault  # noqa: PLC0415  # only who asks for it pays for it

            fault = move_fault((one.record for one in records_from(registry, head)), self.moved_by)
            if fault:
                raise IntegrityError(
                    f"{head.record.model}@{head.record.alias} is not to be believed: {fault}",
                    hint="see artreg history; whose signature counts is set by moved_by and allowed_signers",
                )
        if self.max_age is not None:
            self._require_fresh(registry, head, self.max_age)

    def _require_fresh(self, registry: Registry, head: Head, max_age: timedelta) -> None:
        from artreg.core.ages import shown  # noqa: PLC0415

        name, last = f"{head.record.model}@{head.record.alias}", self._last_word(registry, head)
        age = None if last is None else registry.now() - moment(last)
        if age is None or age > max_age:
            when = f"at {last}, {shown(age)} ago" if last and age else "by nobody who counts"
            raise IntegrityError(
                f"{name} was last moved or confirmed {when}; at most {shown(max_age)} is allowed",
                hint="artreg confirm says that it still stands; if somebody did, this is an old copy",
            )

    def _last_word(self, registry: Registry, head: Head) -> str | None:
        """Return when somebody whose word counts last said where an alias stands."""
        for one in records_from(registry, head):
            if one.record.action in _SPEAKS and self._counts(one):
                return one.record.time
        return None

    def _counts(self, head: Head) -> bool:
        if self.moved_by is None:
            return True
        from artreg.registry.signed_moves import is_signed_move  # noqa: PLC0415

        return self.moved_by.accepts(head.record.who) and is_signed_move(head.record, self.moved_by.allowed)


def _require_newer(registry: Registry, before: Seen, head: Head | None) -> None:
    model, alias = before.model, before.alias
    newest = 0 if head is None else head.record.generation
    if newest < before.generation:
        now = f"its newest is {newest} ({head.record.version})" if head else "it has none"
        raise _gone_back(before, f"went back: now {now}")
    assert head is not None
    there = head if newest == before.generation else read_record(registry, model, alias, before.generation)
    if there.sha256 != before.record:
        raise _gone_back(before, "was rewritten: now another record stands there")


def _gone_back(before: Seen, what: str) -> IntegrityError:
    name = f"{before.model}@{before.alias}"
    return IntegrityError(
        f"{name} {what}, but generation {before.generation} ({before.version}) was seen at {before.time}",
        hint=f"somebody set storage back, or shows an old copy; if it was restored on purpose: artreg forget {name}",
        seen=before.document(),
    )
