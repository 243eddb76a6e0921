"""Documents that are numbered from 1 and chained: records of an alias, events of a version, policies; seen alike."""

from __future__ import annotations

from collections.abc import Callable

from artreg.core import canonical, keys
from artreg.core.names import Alias, ModelName
from artreg.core.policy_record import PolicyRecord, parse_policy_record
from artreg.core.record import PromotionRecord, parse_record
from artreg.core.version import Version
from artreg.core.version_event import VersionEvent, parse_event
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.versions import list_entries
from artreg.store.interface import Store

Document = PromotionRecord | VersionEvent | PolicyRecord


class Chain(Frozen):
    """A place where such documents lie.

    Attributes:
        name: What people call it.
        prefix: The folder.
        parse: Reads one of its documents strictly, given its number.
    """

    name: str
    prefix: str
    parse: Callable[[bytes, int], Document]

    def key(self, number: int) -> str:
        """Return the key of a document."""
        return f"{self.prefix}/{keys.record_name(number)}"


class Link(Frozen):
    """One document of a chain.

    Attributes:
        number: Its number.
        data: Its bytes.
        document: What they say.
    """

    number: int
    data: bytes
    document: Document

    @property
    def sha256(self) -> str:
        """Of its bytes: what the next one names."""
        return canonical.digest(self.data)

    @property
    def previous(self) -> str | None:
        """What it says the sha256 of the one before it is."""
        document = self.document
        return document.previous_record if isinstance(document, PromotionRecord) else document.previous


def history_of(model: ModelName, alias: Alias) -> Chain:
    """Return the history of an alias."""

    def parse(data: bytes, number: int) -> Document:
        return parse_record(data, model, alias, number)

    return Chain(f"{model}@{alias}", keys.history_prefix(model, alias), parse)


def log_of(model: ModelName, version: Version) -> Chain:
    """Return the log of a version."""

    def parse(data: bytes, number: int) -> Document:
        return parse_event(data, model, version, number)

    return Chain(f"the log of {model}@{version}", keys.log_prefix(model, version), parse)


def policies() -> Chain:
    """Return the policies of a registry."""
    return Chain("the policies", keys.policies_prefix(), parse_policy_record)


def read_link(store: Store, chain: Chain, number: int) -> Link:
    """Return one document of a chain.

    Raises:
        IntegrityError: It is missing or damaged.
    """
    try:
        data = store.read(chain.key(number))
    except NotFound as error:
        raise IntegrityError(f"{chain.key(number)} is missing") from error
    return Link(number, data, chain.parse(data, number))


def last_number(store: Store, chain: Chain) -> int:
    """Return the highest number that any document of a chain bears, 0 if there is none; gaps are not looked for."""
    told = store.last_number(chain.prefix, keys.record_name)
    if told is not None:
        return told
    numbers = (keys.parse_record_name(entry.name) for entry in list_entries(store, chain.prefix))
    return max((number for number in numbers if number is not None), default=0)
