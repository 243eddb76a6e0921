"""What gates judge by: plain values, gathered before any of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from artreg.core.names import Alias, ModelName
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.frozen import Frozen

NOTHING: Mapping[Any, Any] = {}
"""What was gathered where nothing was asked for."""


class Subject(Frozen):
    """A version as gates see it.

    Attributes:
        version: The version.
        digest: Its digest.
        sizes: Bytes of each of its files.
        metrics: Its metrics.json, or None if it has none.
        run: Its run.json.
        data: Its data_manifest.json, or None if it has none.
        card: Its README.md, or None if it has none.
    """

    version: Version
    digest: str
    sizes: Mapping[str, int]
    metrics: Mapping[str, object] | None
    run: Mapping[str, Any]
    data: Mapping[str, Any] | None = None
    card: str | None = None


class Approval(Frozen):
    """A person's word for a version.

    Attributes:
        who: The person.
        signed: Whether a signature by a key that the policy names for that person was verified.
    """

    who: str
    signed: bool


class WayBack(Frozen):
    """What a rollback of the alias would return to after this promotion.

    Attributes:
        version: The version, or None if there is none.
        problem: Why it could not be returned to, or ''.
    """

    version: Version | None
    problem: str


class Evidence(Frozen):
    """Everything that gates judge by.

    Attributes:
        model: The model.
        alias: The alias that is to move.
        candidate: The version that it is to point at.
        files: How many files of the candidate were verified.
        bytes: How many bytes these have.
        now: The time of the judgement.
        heads: The newest record of each alias that a gate asks for; None where it was never set.
        held_since: Since when each of these aliases has held what it holds.
        incumbents: What each alias that a gate compares with holds; None where it holds nothing.
        approvals: Who approved the candidate for the alias, each once, bound to its digest.
        signers: Who signed the candidate, bound to its digest, with a key that the policy names.
        proofs: Records that it was trained again with the same digests.
        way_back: What a rollback would return to.
        measured: What was measured outside for a gate, by its place among the gates of the alias.
    """

    model: ModelName
    alias: Alias
    candidate: Subject
    files: int
    bytes: int
    now: datetime
    heads: Mapping[Alias, PromotionRecord | None] = NOTHING
    held_since: Mapping[Alias, datetime | None] = NOTHING
    incumbents: Mapping[Alias, Subject | None] = NOTHING
    approvals: tuple[Approval, ...] = ()
    signers: tuple[str, ...] = ()
    proofs: tuple[Mapping[str, Any], ...] = ()
    way_back: WayBack = WayBack(None, "it was not looked for")
    measured: Mapping[int, object] = NOTHING


class Needs(Frozen):
    """What a gate asks to be gathered.

    Attributes:
        heads: Aliases whose newest records it looks at.
        since: Aliases of which it asks since when they have held what they hold, and their newest records.
        incumbents: Aliases whose versions it compares the candidate with.
        way_back: Whether it looks at what a rollback would return to.
        signers: Whether it looks at who signed the candidate.
        files: Whether it looks at the candidate's files, or at documents of it other than its run and its metrics.
        measured: Whether something must be measured outside.
    """

    heads: frozenset[Alias] = frozenset()
    since: frozenset[Alias] = frozenset()
    incumbents: frozenset[Alias] = frozenset()
    way_back: bool = False
    signers: bool = False
    files: bool = False
    measured: bool = False
