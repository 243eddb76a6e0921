"""The version event: what is said of a version after it was published, numbered and chained as an alias's moves are.

A version never changes, so whatever comes later (a yank, an approval, a proof, the intent to move an alias to it) lies
in a log beside it. Each event carries what holds after it, so that the newest one alone tells how the version stands,
however long its log is; verification replays the log and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from artreg.core import canonical
from artreg.core.names import Alias, ModelName
from artreg.core.strict import parse_strictly, typed
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/version-event/1"
_SEAL = "event_digest"


class EventKind(Enum):
    """What an event says."""

    YANK = "yank"
    UNYANK = "unyank"
    APPROVE = "approve"
    REVOKE = "revoke"
    REPRODUCED = "reproduced"
    INTENT = "intent"


OF_AN_ALIAS = frozenset({EventKind.APPROVE, EventKind.REVOKE, EventKind.INTENT})
"""The kinds that name an alias; the others are about the version as such."""

FORBIDDING = frozenset({EventKind.YANK, EventKind.REVOKE})
"""The kinds after which a move may be wrong that was right before; every other kind only allows more."""


class Approved(Frozen):
    """Where an approval that holds is to be found.

    Attributes:
        alias: What it allows the version to become.
        who: Who gave it.
        number: Its event.
    """

    alias: Alias
    who: str
    number: int


class Standing(Frozen):
    """What holds of a version after an event.

    Attributes:
        yanked: The number of the yank that holds, or None.
        approvals: The approvals that hold, one for each alias and person, in the order in which they were given.
        proofs: The numbers of the proofs that the version was reproduced.
        intents: For each alias the highest generation that anybody meant to create for this version. Generations have
            no gaps, so that of all intents for one alias only this one can still be in flight.
    """

    yanked: int | None = None
    approvals: tuple[Approved, ...] = ()
    proofs: tuple[int, ...] = ()
    intents: tuple[tuple[Alias, int], ...] = ()

    def after(self, kind: EventKind, number: int, who: str, alias: Alias | None, generation: int | None) -> Standing:
        """Return what holds after one more event."""
        match kind:
            case EventKind.YANK:
                return replace(self, yanked=number)
            case EventKind.UNYANK:
                return replace(self, yanked=None)
            case EventKind.REPRODUCED:
                return replace(self, proofs=(*self.proofs, number))
            case EventKind.APPROVE | EventKind.REVOKE:
                assert alias is not None
                others = tuple(one for one in self.approvals if (one.alias, one.who) != (alias, who))
                given = (Approved(alias, who, number),) if kind is EventKind.APPROVE else ()
                return replace(self, approvals=(*others, *given))
            case EventKind.INTENT:
                assert alias is not None
                assert generation is not None
                highest = {**dict(self.intents), alias: max(generation, self.intended(alias))}
                return replace(self, intents=tuple(sorted(highest.items())))

    def intended(self, alias: Alias) -> int:
        """Return the highest generation that anybody meant to create for this version, 0 if nobody did."""
        return dict(self.intents).get(alias, 0)

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "yanked": self.yanked,
            "approvals": [{"alias": str(one.alias), "who": one.who, "number": one.number} for one in self.approvals],
            "proofs": list(self.proofs),
            "intents": {str(alias): generation for alias, generation in self.intents},
        }


class VersionEvent(Frozen):
    """One thing that was said of one version.

    Attributes:
        model: Whose version it is.
        version: The version.
        digest: The version's digest, which binds what is said to its very bytes.
        number: The number of the event; the first is 1.
        kind: What is said.
        alias: The alias that it is about, where it is about one.
        generation: Of an intent: which of the alias's records is meant to be created.
        who: Who said it.
        why: The reason that was given, or ''.
        time: When, RFC 3339 in UTC.
        write_id: Random, so that a writer knows its own event when it meets it; an intent has that of its record.
        payload: What belongs to it, such as a signature; representable in JSON.
        previous: The sha256 of the event before this one: the log is a hash chain.
        standing: What holds from now on.
    """

    model: ModelName
    version: Version
    digest: str
    number: int
    kind: EventKind
    alias: Alias | None
    generation: int | None
    who: str
    why: str
    time: str
    write_id: str
    payload: Mapping[str, object]
    previous: str | None
    standing: Standing

    def follows(self, before: Standing) -> bool:
        """Return whether what it says holds from now on is what follows from what held before."""
        return self.standing == before.after(self.kind, self.number, self.who, self.alias, self.generation)

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored, sealed with a digest of itself."""
        body: dict[str, Any] = {
            "format": FORMAT,
            "project": self.model.project,
            "model": self.model.model,
            "version": str(self.version),
            "digest": self.digest,
            "number": self.number,
            "kind": self.kind.value,
            "alias": None if self.alias is None else str(self.alias),
            "generation": self.generation,
            "who": self.who,
            "why": self.why,
            "time": self.time,
            "write_id": self.write_id,
            "payload": dict(self.payload),
            "previous": self.previous,
            "standing": self.standing.document(),
        }
        return {**body, _SEAL: canonical.digest(canonical.dumps(body))}

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        return canonical.dumps(self.document())


def parse_event(data: bytes, model: ModelName, version: Version, number: int) -> VersionEvent:
    """Read a version event strictly.

    Args:
        data: Its bytes.
        model: The model in whose folder it lies.
        version: The version in whose log it lies.
        number: The number that its name bears.

    Raises:
        IntegrityError: It is damaged, was altered, or belongs elsewhere.
    """
    what = f"event {number} of {model}@{version}"
    event = parse_strictly(data, what, FORMAT, _from_document)
    if (event.model, event.version, event.number) != (model, version, number):
        raise IntegrityError(f"{what} belongs elsewhere: it is event {event.number} of {event.model}@{event.version}")
    return event


def _from_document(document: Mapping[str, Any]) -> VersionEvent:
    kind = EventKind(document["kind"])
    alias = typed(document, "alias", str | None)
    generation = typed(document, "generation", int | None)
    if (alias is not None) != (kind in OF_AN_ALIAS) or (generation is not None) != (kind is EventKind.INTENT):
        raise ValueError(f"alias or generation does not go with {kind.value}")
    return VersionEvent(
        model=ModelName(typed(document, "project", str), typed(document, "model", str)),
        version=Version.parse(typed(document, "version", str)),
        digest=typed(document, "digest", str),
        number=typed(document, "number", int),
        kind=kind,
        alias=None if alias is None else Alias(alias),
        generation=generation,
        who=typed(document, "who", str),
        why=typed(document, "why", str),
        time=typed(document, "time", str),
        write_id=typed(document, "write_id", str),
        payload=typed(document, "payload", dict),
        previous=typed(document, "previous", str | None),
        standing=_standing(typed(document, "standing", dict)),
    )


def _standing(document: Mapping[str, Any]) -> Standing:
    intents = typed(document, "intents", dict)
    return Standing(
        yanked=typed(document, "yanked", int | None),
        approvals=tuple(_approved(one) for one in typed(document, "approvals", list)),
        proofs=tuple(_number(one) for one in typed(document, "proofs", list)),
        intents=tuple(sorted((Alias(name), _number(generation)) for name, generation in intents.items())),
    )


def _approved(document: Mapping[str, Any]) -> Approved:
    return Approved(Alias(typed(document, "alias", str)), typed(document, "who", str), typed(document, "number", int))


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number has the wrong type")
    return value
