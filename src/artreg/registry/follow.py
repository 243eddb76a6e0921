"""Following histories: each record once, in order, however fast they come and however often storage fails meanwhile.

Records are numbered without a gap, so the one after the last that was read is asked for by its name: one request for
each alias at each look, and none is missed or told twice. Now and then it is also looked which aliases there are, and
whether what was told is still so. The logs of versions are followed in the same way, where that is wanted.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager

from artreg.core.names import Alias, ModelName
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import find_record, moment, trusted_head
from artreg.registry.version_log import find_event, list_logs, newest_event
from artreg.registry.versions import list_aliases, list_models, require_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

Place = tuple[ModelName, Alias | Version]
"""An alias with its history, or a version with its log."""

_EACH = 5  # looks


class Subject(Frozen):
    """What is followed.

    Attributes:
        model: The model, None for all.
        alias: The alias, None for all of the model.
        logs: Whether also what is said of the model's versions: approvals, yanks, proofs.
    """

    model: ModelName | None = None
    alias: Alias | None = None
    logs: bool = False

    def __str__(self) -> str:
        return str(self.model) if self.alias is None else f"{self.model}@{self.alias}"


class News(Frozen):
    """What has come.

    Attributes:
        told: A record of an alias, or an event of a version.
        sha256: Of its bytes.
    """

    told: PromotionRecord | VersionEvent
    sha256: str

    @property
    def number(self) -> int:
        """Its number; none is left out."""
        return self.told.generation if isinstance(self.told, PromotionRecord) else self.told.number

    @property
    def previous(self) -> str | None:
        """The sha256 of the one before it."""
        return self.told.previous_record if isinstance(self.told, PromotionRecord) else self.told.previous


class Follower:
    """Follows aliases from where they are.

    Args:
        registry: The registry.
        subject: Which aliases.
        damaged: Told of a place whose history is damaged; it is followed no more, and the others go on. By default that
            is raised.
    """

    def __init__(
        self, registry: Registry, subject: Subject, damaged: Callable[[Place, IntegrityError], None] | None = None
    ) -> None:
        self._registry = registry
        self._subject = subject
        self._damaged = damaged
        self._last: dict[Place, News | None] = {}
        self._given_up: set[Place] = set()
        self._looks = 0

    def begin(self) -> list[News]:
        """Take where everything is for the beginning, and return the newest of each; what is empty may fill later.

        Raises:
            NotFound: There is no such registry or model.
            IntegrityError: A newest record is damaged, or older than one that was seen.
        """
        self._registry.store.require_root()
        if self._subject.model is not None:
            require_model(self._registry, self._subject.model)
        self._last = {}
        for place in self._places():
            with self._sparing(place):
                self._last[place] = self._newest(place)
        return [news for news in self._last.values() if news is not None]

    def look(self) -> Iterator[News]:
        """Yield what has come since the last look, in order; where that fails, the next look goes on from there.

        Raises:
            NotFound: The registry is gone.
            IntegrityError: A record is damaged, does not follow from the one before it, or is gone.
            StorageError: Storage cannot be reached, or refuses.
        """
        self._looks += 1
        if self._looks % _EACH == 0:
            self._look_round()
        for place in list(self._last):
            with self._sparing(place):
                while (news := self._next(place)) is not None:
                    self._last[place] = news
                    if not _is_intent(news):
                        yield news

    def since(self, start: int | datetime) -> list[News]:
        """Return what came after a number, or from a time on, up to where the following began, by its times.

        Raises:
            IntegrityError: A record is missing or damaged, or a chain is broken.
        """
        each: list[list[News]] = []
        for place, last in list(self._last.items()):
            with self._sparing(place):
                each.append(list(self._back(place, last, start))[::-1])
        return in_order(each)

    def _look_round(self) -> None:
        self._registry.store.require_root()
        for place, last in list(self._last.items()):
            with self._sparing(place):
                there = None if last is None else self._read(place, last.number)
                if last is not None and (there is None or there.sha256 != last.sha256):
                    raise _rewritten(place, f"number {last.number} is not there any more as it was")
        for place in self._places():
            if place not in self._given_up:
                self._last.setdefault(place, None)

    @contextmanager
    def _sparing(self, place: Place) -> Iterator[None]:
        """Give a place up whose history is damaged, where somebody is to be told of that."""
        try:
            yield
        except IntegrityError as error:
            if self._damaged is None:
                raise
            self._last.pop(place, None)
            self._given_up.add(place)
            self._damaged(place, error)

    def _next(self, place: Place) -> News | None:
        last = self._last[place]
        news = self._read(place, last.number + 1 if last else 1)
        if news is not None and news.previous != (last.sha256 if last else None):
            raise _rewritten(place, f"number {news.number} does not follow from the one before it")
        return news

    def _back(self, place: Place, last: News | None, start: int | datetime) -> Iterator[News]:
        """Yield the newest that was read and those before it, as far as they came after the start."""
        while last is not None and _is_after(last, start):
            if not _is_intent(last):
                yield last
            before = self._read(place, last.number - 1) if last.number > 1 else None
            if last.previous != (before.sha256 if before else None):
                raise _rewritten(place, f"number {last.number} does not follow from the one before it")
            last = before

    def _newest(self, place: Place) -> News | None:
        model, target = place
        if isinstance(target, Alias):
            head = trusted_head(self._registry, model, target)
            return None if head is None else News(head.record, head.sha256)
        event = newest_event(self._registry, model, target)
        return None if event is None else News(*event)

    def _read(self, place: Place, number: int) -> News | None:
        model, target = place
        if isinstance(target, Alias):
            head = find_record(self._registry, model, target, number)
            return None if head is None else News(head.record, head.sha256)
        event = find_event(self._registry, model, target, number)
        return None if event is None else News(*event)

    def _places(self) -> list[Place]:
        model, alias = self._subject.model, self._subject.alias
        if model is not None and alias is not None:
            return [(model, alias)]
        store = self._registry.store
        models = list_models(store) if model is None else [model]
        places: list[Place] = [(one, Alias(name)) for one in models for name in list_aliases(store, one)]
        if self._subject.logs:
            places += [(one, version) for one in models for version in list_logs(store, one)]
        return places


def in_order(each: Iterable[Iterable[News]]) -> list[News]:
    """Return what came to several places, each oldest first, by its times; of one place none overtakes another."""
    return list(heapq.merge(*each, key=lambda news: news.told.time))


def _is_after(news: News, start: int | datetime) -> bool:
    return news.number > start if isinstance(start, int) else moment(news.told.time) >= start


def _is_intent(news: News) -> bool:
    """Return whether it only prepares a record that is told of itself."""
    return isinstance(news.told, VersionEvent) and news.told.kind is EventKind.INTENT


def _rewritten(place: Place, how: str) -> IntegrityError:
    model, target = place
    return IntegrityError(
        f"the history of {target} of {model} was rewritten: {how}",
        hint="somebody set storage back, or shows an old copy; see artreg history --verify",
    )
