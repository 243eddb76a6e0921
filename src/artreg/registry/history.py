"""The history of an alias: finding its head at constant cost, reading it, and proving its chain."""

from __future__ import annotations

from collections.abc import Iterator

from artreg.core import canonical, keys
from artreg.core.names import Alias, ModelName
from artreg.core.record import PromotionRecord, parse_record
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.numbers import Missing, follow, settled
from artreg.registry.versions import require_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


class Head(Frozen):
    """The newest record of an alias.

    Attributes:
        record: The record.
        sha256: Of its bytes: what the next record will name as its predecessor.
    """

    record: PromotionRecord
    sha256: str

    def held(self) -> tuple[Version, str]:
        """Return the version that the alias holds, and its digest.

        Raises:
            NotFound: It holds none: a fence stands where its first record would.
        """
        record = self.record
        if record.version is None or record.digest is None:
            raise NotFound(f"{record.alias} of {record.model} points nowhere", hint="see artreg promote")
        return record.version, record.digest


def find_head(registry: Registry, model: ModelName, alias: Alias) -> Head | None:
    """Return the newest record of an alias, or None if it was never set.

    Raises:
        IntegrityError: The record is damaged, or the history has a gap.
    """
    newest = newest_generation(registry, model, alias)
    return read_record(registry, model, alias, newest) if newest else None


def trusted_head(registry: Registry, model: ModelName, alias: Alias) -> Head | None:
    """Return the newest record of an alias, or None if it was never set, unless a newer one was seen before.

    Raises:
        IntegrityError: It is older than one that was seen, or is damaged, or the history has a gap.
    """
    if registry.demands is None:
        return find_head(registry, model, alias)
    return registry.demands.look(registry, model, alias, lambda: find_head(registry, model, alias))


def require_head(registry: Registry, model: ModelName, alias: Alias) -> Head:
    """Return the newest record of an alias.

    Raises:
        NotFound: It was never set; the error names the aliases that were.
        IntegrityError: The record is damaged or older than one that was seen, or the history has a gap.
    """
    head = trusted_head(registry, model, alias)
    if head is None or head.record.version is None:
        require_model(registry, model)
        from artreg.registry.absent import no_alias  # noqa: PLC0415  # only errors need it

        raise no_alias(registry, model, alias)
    return head


def read_record(registry: Registry, model: ModelName, alias: Alias, generation: int) -> Head:
    """Return one record of an alias.

    Raises:
        IntegrityError: It is missing or damaged.
    """
    try:
        data = registry.store.read(keys.record_key(model, alias, generation))
    except NotFound as error:
        raise IntegrityError(f"record {generation} of {alias} of {model} is missing") from error
    return Head(parse_record(data, model, alias, generation), canonical.digest(data))


def records(registry: Registry, model: ModelName, alias: Alias) -> Iterator[Head]:
    """Yield the records of an alias, newest first, checking that each names the one before it.

    Raises:
        IntegrityError: One is missing or damaged, or the chain is broken.
    """
    head = find_head(registry, model, alias)
    if head is not None:
        yield from records_from(registry, head)


def records_from(registry: Registry, head: Head) -> Iterator[Head]:
    """Yield a record and those before it, newest first, checking that each names the one before it.

    Raises:
        IntegrityError: One is missing or damaged, or the chain is broken.
    """
    past: Head | None = head
    while past is not None:
        yield past
        past = _previous(registry, past)


def at(registry: Registry, model: ModelName, alias: Alias, time: datetime) -> Head | None:
    """Return the record that said where an alias pointed at a time, or None if it was not set yet.

    The records' own times decide, each that of the clock of whoever moved the alias.

    Raises:
        IntegrityError: A record is missing or damaged, the chain is broken, or a time makes no sense.
    """
    for head in records(registry, model, alias):
        if moment(head.record.time) <= time:
            return head if head.record.version is not None else None
    return None


def verify_chain(registry: Registry, model: ModelName, alias: Alias) -> int:
    """Return how many records an alias has, each of which follows from the one before it.

    Raises:
        IntegrityError: One is missing or damaged, or the chain is broken.
    """
    return sum(1 for _ in records(registry, model, alias))


def newest_generation(registry: Registry, model: ModelName, alias: Alias) -> int:
    """Return the number of the newest record of an alias, 0 if there is none.

    It takes one listing where the whole history fits a page. For a longer one the pointer says where to look; it is
    only a hint: the listing from there on decides, and without a sound one all pages are read. A disk is asked for a
    few names instead. What is missing among the records of a long past only verification finds.

    Raises:
        IntegrityError: The history has a gap.
    """
    try:
        return settled(lambda: _newest(registry, model, alias))
    except Missing as error:
        raise IntegrityError(
            f"the history of {alias} of {model} has a gap: record {error.number} is missing",
            hint="restore the file from a copy; until then nobody can say where the alias points",
        ) from error


def _newest(registry: Registry, model: ModelName, alias: Alias) -> int:
    prefix = keys.history_prefix(model, alias)
    told = registry.store.last_number(prefix, keys.record_name)
    if told is not None:
        return told
    page = registry.store.page(prefix)
    newest = 0
    if page.more:
        pointer = registry.store.pointer(keys.pointer_key(model, alias))
        hint = (pointer.generation if pointer else None) or 1
        later = registry.store.page(prefix, after=keys.record_name(hint - 1)) if hint > 1 else page
        if keys.record_name(hint) in {entry.name for entry in later.entries}:
            page, newest = later, hint - 1
    newest = follow(page.entries, newest)
    while page.more:
        page = registry.store.page(prefix, after=page.entries[-1].name)
        newest = follow(page.entries, newest)
    return newest


def _previous(registry: Registry, head: Head) -> Head | None:
    record = head.record
    if record.generation == 1:
        if record.previous_record is not None:
            raise IntegrityError(f"record 1 of {record.alias} of {record.model} names one before it")
        return None
    previous = read_record(registry, record.model, record.alias, record.generation - 1)
    if previous.sha256 != record.previous_record or not record.follows(previous.record):
        raise IntegrityError(
            f"the history of {record.alias} of {record.model} was rewritten: "
            f"record {record.generation} does not follow from record {record.generation - 1}"
        )
    return previous


def moment(text: str) -> datetime:
    """Read a time that stands in a record.

    Raises:
        IntegrityError: It is none.
    """
    from datetime import UTC, datetime  # noqa: PLC0415  # finding the head needs no clock

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise IntegrityError(f"a record holds {text!r} where a time should be") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
