"""The promotion record: one move of an alias, immutable, numbered by generation, chained to the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from artreg.core import canonical
from artreg.core.names import Alias, ModelName
from artreg.core.strict import parse_strictly, typed
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/record/1"
_SEAL = "record_digest"


class Action(Enum):
    """What moved the alias."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    FENCE = "fence"  # moves nothing: it takes the place of a move that must not come any more
    FREEZE = "freeze"  # moves nothing: it keeps others from doing so
    UNFREEZE = "unfreeze"
    YANK = "yank"  # moves nothing: it tells whoever reads the alias that what it holds was yanked
    CONFIRM = "confirm"  # moves nothing: it says that the alias still stands there, for whoever asks how old that is


MOVES = frozenset({Action.PROMOTE, Action.ROLLBACK})
"""What points an alias at a version; every other record leaves it where it is."""


class Verdict(Frozen):
    """What one gate said.

    Attributes:
        gate: The kind of gate.
        passed: Whether it lets the candidate through.
        message: What it saw, in one sentence.
        figures: The numbers and names it judged by; representable in JSON.
    """

    gate: str
    passed: bool
    message: str
    figures: Mapping[str, object]

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"gate": self.gate, "passed": self.passed, "message": self.message, "figures": dict(self.figures)}


class Freeze(Frozen):
    """That nobody may move an alias for a while but by rollback.

    Attributes:
        until: When it ends, RFC 3339 in UTC, written as the times of records are.
        who: Who froze it.
        why: The reason that was given.
    """

    until: str
    who: str
    why: str

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"until": self.until, "who": self.who, "why": self.why}


class PromotionRecord(Frozen):
    """One move of one alias.

    Attributes:
        model: Whose alias it is.
        alias: The alias.
        generation: The number of the move; the first is 1.
        action: What moved it.
        version: Where it points from now on; None only of a fence in front of an alias that was never set.
        digest: That version's digest, which pins its every byte; None where there is no version.
        previous_version: Where it pointed before.
        previous_record: The sha256 of the record before this one: history is a hash chain.
        fallback: The generation that a rollback from here restores; None if there is none.
        write_id: Random, so that a writer knows its own record when it meets it.
        time: When, RFC 3339 in UTC.
        who: Who moved it.
        why: The reason that was given, or ''.
        policy: The digest of the policy that was applied.
        gates: Every verdict.
        frozen: That the alias is frozen; each record hands it on to the next.
        yanked: Whether the version was yanked while the alias held it; its log says whether it still is.
        signature: An SSH signature, by whoever moved the alias, of all else that it says; None if there is none.
    """

    model: ModelName
    alias: Alias
    generation: int
    action: Action
    version: Version | None
    digest: str | None
    previous_version: Version | None
    previous_record: str | None
    fallback: int | None
    write_id: str
    time: str
    who: str
    why: str
    policy: str | None
    gates: tuple[Verdict, ...]
    frozen: Freeze | None = None
    yanked: bool = False
    signature: str | None = None

    def follows(self, before: PromotionRecord) -> bool:
        """Return whether it can come right after a record: it starts where that ended, and only a move moves."""
        if self.previous_version != before.version:
            return False
        return self.action in MOVES or (self.version, self.digest) == (before.version, before.digest)

    def statement(self) -> bytes:
        """Return the bytes that are signed: the whole record but its signature and its digest."""
        return canonical.dumps(self._body())

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored, sealed with a digest of itself."""
        body = self._body()
        if self.signature is not None:
            body["signature"] = self.signature
        return {**body, _SEAL: canonical.digest(canonical.dumps(body))}

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        return canonical.dumps(self.document())

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "format": FORMAT,
            "project": self.model.project,
            "model": self.model.model,
            "alias": str(self.alias),
            "generation": self.generation,
            "action": self.action.value,
            "version": None if self.version is None else str(self.version),
            "digest": self.digest,
            "previous_version": None if self.previous_version is None else str(self.previous_version),
            "previous_record": self.previous_record,
            "fallback": self.fallback,
            "write_id": self.write_id,
            "time": self.time,
            "who": self.who,
            "why": self.why,
            "policy": self.policy,
            "gates": [verdict.document() for verdict in self.gates],
        }
        if self.frozen is not None:  # left out otherwise, as in the records from before there was such a thing
            body["frozen"] = self.frozen.document()
        if self.yanked:
            body["yanked"] = True
        return body


def parse_record(data: bytes, model: ModelName, alias: Alias, generation: int) -> PromotionRecord:
    """Read a promotion record strictly.

    Args:
        data: Its bytes.
        model: The model in whose folder it lies.
        alias: The alias in whose history it lies.
        generation: The number that its name bears.

    Raises:
        IntegrityError: It is damaged, was altered, or belongs elsewhere.
    """
    what = f"record {generation} of {alias} of {model}"
    record = parse_strictly(data, what, FORMAT, _from_document)
    if (record.model, record.alias, record.generation) != (model, alias, generation):
        raise IntegrityError(
            f"{what} belongs elsewhere: it is record {record.generation} of {record.alias} of {record.model}"
        )
    return record


def _from_document(document: Mapping[str, Any]) -> PromotionRecord:
    action = Action(document["action"])
    version = typed(document, "version", str | None)
    digest = typed(document, "digest", str | None)
    previous = typed(document, "previous_version", str | None)
    if (version is None) != (digest is None) or (version is None and action is not Action.FENCE):
        raise ValueError(f"a record of a {action.value} must say where the alias points")
    return PromotionRecord(
        model=ModelName(typed(document, "project", str), typed(document, "model", str)),
        alias=Alias(typed(document, "alias", str)),
        generation=typed(document, "generation", int),
        action=action,
        version=None if version is None else Version.parse(version),
        digest=digest,
        previous_version=None if previous is None else Version.parse(previous),
        previous_record=typed(document, "previous_record", str | None),
        fallback=typed(document, "fallback", int | None),
        write_id=typed(document, "write_id", str),
        time=typed(document, "time", str),
        who=typed(document, "who", str),
        why=typed(document, "why", str),
        policy=typed(document, "policy", str | None),
        gates=tuple(_verdict(verdict) for verdict in typed(document, "gates", list)),
        frozen=_freeze(typed(document, "frozen", dict)) if "frozen" in document else None,
        yanked=typed(document, "yanked", bool) if "yanked" in document else False,
        signature=typed(document, "signature", str) if "signature" in document else None,
    )


def _freeze(document: Mapping[str, Any]) -> Freeze:
    return Freeze(typed(document, "until", str), typed(document, "who", str), typed(document, "why", str))


def _verdict(document: Mapping[str, Any]) -> Verdict:
    return Verdict(
        gate=typed(document, "gate", str),
        passed=typed(document, "passed", bool),
        message=typed(document, "message", str),
        figures=typed(document, "figures", dict),
    )
