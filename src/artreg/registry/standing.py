"""Where things stand: what each alias of each model holds, since when, and what about it wants looking at.

Of each model two listings and the newest manifest are read, of each alias what finding its head takes, and its pointer:
so many requests whatever the number of versions (a page of a listing holds a thousand) and however long the histories.
"""

from __future__ import annotations

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.record import MOVES, Freeze, PromotionRecord, parse_record
from artreg.core.version import Version
from artreg.core.version_event import VersionEvent
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import Head, records_from, trusted_head
from artreg.registry.move import pointer_problem
from artreg.registry.version_log import find_yank
from artreg.registry.versions import list_entries, list_models, list_numbers, read_seal
from artreg.store.interface import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    _Item = TypeVar("_Item")
    _Made = TypeVar("_Made")

_AT_A_TIME = 8  # models of a bucket
_NEAR, _FAR = 8, 256
"""Records that are read to find the move that holds, for freezes and confirmations may stand in front of it: the near
ones one by one, since it is nearly always among them, the others at once."""


class AliasStanding(Frozen):
    """Where an alias stands.

    Attributes:
        alias: The alias.
        newest: Its newest record; None where nobody can say.
        move: The record that pointed it where it points, or the oldest that was looked at.
        frozen: The freeze that holds.
        yank: That what it holds was yanked.
        pointer: How its pointer differs from its history, or ''.
        doubt: Why it does not meet what is demanded of it, and what to do, or ''.
        damage: Why nobody can say where it points, or how, or ''.
    """

    alias: Alias
    newest: PromotionRecord | None
    move: PromotionRecord | None = None
    frozen: Freeze | None = None
    yank: VersionEvent | None = None
    pointer: str = ""
    doubt: str = ""
    damage: str = ""

    @property
    def version(self) -> Version | None:
        """What it holds."""
        return None if self.newest is None else self.newest.version


class ModelStanding(Frozen):
    """Where a model stands.

    Attributes:
        model: The model.
        newest: Its highest version that is not yanked; None if it has none.
        unfinished: Higher numbers that were begun and neither finished nor ended.
        aliases: Its aliases, by name.
        numbers: Every number that is taken, in order: by a version, an unfinished one, or a spent one.
    """

    model: ModelName
    newest: Version | None
    unfinished: tuple[Version, ...]
    aliases: tuple[AliasStanding, ...]
    numbers: tuple[Version, ...]


def survey(registry: Registry) -> list[ModelStanding]:
    """Return where each model stands; what is damaged is told of it and hides nothing else.

    Whether the root is there is not asked.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    return each(registry, lambda model: stand(registry, model), list_models(registry.store))


def each(registry: Registry, look: Callable[[_Item], _Made], items: list[_Item]) -> list[_Made]:
    """Look at things one after the other; several at a time where each costs a journey."""
    if registry.store.whole_trees:  # a disk
        return list(map(look, items))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # a disk needs none

    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="artreg-look") as workers:
        return list(workers.map(look, items))


def stand(registry: Registry, model: ModelName) -> ModelStanding:
    """Return where one model stands.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    folders = list_entries(registry.store, keys.histories_prefix(model))
    told = {entry.name for entry in folders if entry.kind is Kind.FOLDER}
    numbers = tuple(list_numbers(registry.store, model))
    newest, unfinished = _newest(registry, model, numbers, told)
    aliases = tuple(_alias(registry, model, Alias(name)) for name in sorted(told) if is_alias(name))
    return ModelStanding(model, newest, unfinished, aliases, numbers)


def _newest(
    registry: Registry, model: ModelName, numbers: tuple[Version, ...], told: set[str]
) -> tuple[Version | None, tuple[Version, ...]]:
    """Return the highest version that is not yanked, and which higher numbers are unfinished."""
    unfinished: list[Version] = []
    for version in reversed(numbers):
        seal = read_seal(registry, model, version)
        if seal is None:
            unfinished.append(version)
        elif seal != TOMBSTONE and not (str(version) in told and _is_yanked(registry, model, version)):
            return version, tuple(unfinished)
    return None, tuple(unfinished)


def _is_yanked(registry: Registry, model: ModelName, version: Version) -> bool:
    try:
        registry.store.read(keys.yank_mark_key(model, version))
        return find_yank(registry, model, version) is not None
    except (NotFound, IntegrityError):  # no mark; a damaged log is told of where an alias holds the version
        return False


def _alias(registry: Registry, model: ModelName, alias: Alias) -> AliasStanding:
    head = None
    try:
        head = trusted_head(registry, model, alias)
        if head is None or head.record.version is None:
            return AliasStanding(alias, None if head is None else head.record)
        record, version = head.record, head.record.version
        return AliasStanding(
            alias,
            record,
            _move(registry, head),
            # Both are written alike, so that they compare as text.
            record.frozen if record.frozen is not None and record.frozen.until > registry.timestamp() else None,
            find_yank(registry, model, version) if record.yanked else None,
            pointer_problem(registry, record),
            _doubt(registry, head),
        )
    except IntegrityError as error:
        known = None if head is None else head.record
        return AliasStanding(alias, known, known, damage=error.message)


def _doubt(registry: Registry, head: Head) -> str:
    """Return why an alias does not meet what is demanded of it, or ''."""
    try:
        if registry.demands is not None:
            registry.demands.require(registry, head)
    except IntegrityError as error:
        return f"{error.message}: {error.hint}"
    return ""


def _move(registry: Registry, head: Head) -> PromotionRecord:
    """Return the record that pointed the alias where it points, or the oldest that was looked at."""
    for count, one in enumerate(records_from(registry, head), 1):
        if one.record.action in MOVES or one.record.generation == 1:
            return one.record
        if count == _NEAR:
            break
    return _far_move(registry, one.record)


def _far_move(registry: Registry, record: PromotionRecord) -> PromotionRecord:
    """Go on from a record; whether these follow from each other only verification asks."""
    model, alias = record.model, record.alias
    numbers = range(record.generation - 1, max(record.generation - 1 - _FAR, 0), -1)
    read = registry.store.read_each([keys.record_key(model, alias, number) for number in numbers])
    try:
        for number, data in zip(numbers, read, strict=True):
            record = parse_record(data, model, alias, number)
            if record.action in MOVES:
                break
    except NotFound as error:
        raise IntegrityError(f"the history of {alias} of {model} has a gap: {error.message}") from error
    return record
