"""Following histories: each record once, in order, however fast they come and however often storage fails meanwhile.

Records are numbered without a gap, so the one after the last that was read is asked for by its name: one request for
each alias at each look, and none is missed or told twice. Which aliases there are is looked up now and then.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import takewhile

from artreg.core.names import Alias, ModelName
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_record, moment, records_from, trusted_head
from artreg.registry.versions import list_aliases, list_models, require_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Place = tuple[ModelName, Alias]

_EACH = 5  # looks; then also which aliases there are, and whether what was told is still so


class Subject(Frozen):
    """What is followed: one alias, those of one model, or all.

    Attributes:
        model: The model, None for all.
        alias: The alias, None for all of the model.
    """

    model: ModelName | None = None
    alias: Alias | None = None

    def __str__(self) -> str:
        return str(self.model) if self.alias is None else f"{self.model}@{self.alias}"


class Follower:
    """Follows aliases from where they are.

    Args:
        registry: The registry.
        subject: Which aliases.
    """

    def __init__(self, registry: Registry, subject: Subject) -> None:
        self._registry = registry
        self._subject = subject
        self._last: dict[Place, Head | None] = {}
        self._looks = 0

    def begin(self) -> list[Head]:
        """Take where the aliases are for the beginning, and return it; those that point nowhere yet are left out.

        Raises:
            NotFound: There is no such registry or model. An alias may come later.
            IntegrityError: A newest record is damaged, or older than one that was seen.
        """
        self._registry.store.require_root()
        if self._subject.model is not None:
            require_model(self._registry, self._subject.model)
        for model, alias in self._places():
            self._last[model, alias] = trusted_head(self._registry, model, alias)
        return [head for head in self._last.values() if head is not None]

    def look(self) -> Iterator[Head]:
        """Yield what has come since the last look, each alias's in order; where it fails, the next look goes on there.

        Raises:
            NotFound: The registry is gone.
            IntegrityError: A record is damaged, does not follow from the one before it, or is gone.
            StorageError: Storage cannot be reached, or refuses.
        """
        self._looks += 1
        if self._looks % _EACH == 0:
            self._look_round()
        for place in list(self._last):
            while (head := self._next(place)) is not None:
                self._last[place] = head
                yield head

    def _look_round(self) -> None:
        """Take in aliases that are new, and see that nothing was set back behind what was told already."""
        self._registry.store.require_root()
        for place, last in self._last.items():
            if last is None:
                continue
            there = find_record(self._registry, *place, last.record.generation)
            if there is None or there.sha256 != last.sha256:
                raise _rewritten(place, f"record {last.record.generation} is not there any more as it was")
        for place in self._places():
            self._last.setdefault(place, None)

    def _next(self, place: Place) -> Head | None:
        last = self._last[place]
        head = find_record(self._registry, *place, last.record.generation + 1 if last else 1)
        if head is not None and head.record.previous_record != (last.sha256 if last else None):
            raise _rewritten(place, f"record {head.record.generation} does not follow from the one before it")
        return head

    def _places(self) -> list[Place]:
        model, alias = self._subject.model, self._subject.alias
        if model is not None and alias is not None:
            return [(model, alias)]
        store = self._registry.store
        models = list_models(store) if model is None else [model]
        return [(one, Alias(name)) for one in models for name in list_aliases(store, one)]


def _rewritten(place: Place, how: str) -> IntegrityError:
    model, alias = place
    return IntegrityError(
        f"the history of {alias} of {model} was rewritten: {how}",
        hint="somebody set storage back, or shows an old copy; see artreg history --verify",
    )


def since(registry: Registry, heads: Iterable[Head], start: int | datetime) -> list[Head]:
    """Return the records after a generation, or from a time on, up to these heads, in the order of their times.

    Raises:
        IntegrityError: A record is missing or damaged, or a chain is broken.
    """

    def wanted(head: Head) -> bool:
        record = head.record
        return record.generation > start if isinstance(start, int) else moment(record.time) >= start

    return in_order(list(takewhile(wanted, records_from(registry, head)))[::-1] for head in heads)


def in_order(each: Iterable[Iterable[Head]]) -> list[Head]:
    """Return the records of several aliases, each oldest first, by their times; of one alias none overtakes another."""
    return list(heapq.merge(*each, key=lambda head: head.record.time))
