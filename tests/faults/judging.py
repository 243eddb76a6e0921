"""A registry in which people judge: its policy, and a judge who knows when what was called and when what came to be.

What a yank or an approval taken back promises holds from the moment at which it was acknowledged. So the judge looks
at when calls began and ended, and when records were created; the registry's own clock plays no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from artreg.core import keys
from artreg.core.names import Alias
from artreg.core.policy import parse_policy
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.core.version_event import EventKind
from artreg.registry.handle import Registry
from artreg.registry.history import records, verify_chain
from artreg.registry.publish import publish
from artreg.registry.version_log import events, list_logs
from artreg.registry.versions import list_aliases
from faults.build import MODEL, make_sources

PROD, FREE = Alias("prod"), Alias("free")
V1, V2, V3 = (Version(1, minor, 0) for minor in range(3))
JUDGED = parse_policy({"aliases": {"prod": {"gates": [{"gate": "approvals", "count": 1}]}, "free": {}}})
MOVES = {Action.PROMOTE, Action.ROLLBACK}


def make_versions(registry: Registry, folder: Path, versions: Iterable[Version] = (V1, V2)) -> None:
    sources = make_sources(folder)
    for version, name in zip(versions, ("one", "two", "three"), strict=False):
        publish(registry, MODEL, sources / name, version)


@dataclass(frozen=True)
class Call:
    """One acknowledged call that forbids something.

    Attributes:
        began: When it was made.
        ended: When it returned.
        version: The version that it is about.
        who: Who made it.
    """

    began: int
    ended: int
    version: Version
    who: str


def forbidden(calls: Iterable[Call], allowed_at: Iterable[int], at: int) -> bool:
    """Whether something must not happen at a moment: it was forbidden for certain, and not allowed again since."""
    return any(call.ended < at and not any(call.began <= allowed < at for allowed in allowed_at) for call in calls)


def assert_nothing_forbidden(
    registry: Registry, created: Mapping[str, int], yanks: Iterable[Call], revokes: Iterable[Call]
) -> int:
    """Every move was allowed when its record was created, as far as anybody can tell; return how many there are."""
    said = {version: list(events(registry, MODEL, version)) for version in list_logs(registry.store, MODEL)}

    def when(version: Version, kind: EventKind, who: str | None = None) -> list[int]:
        return [
            created[keys.event_key(MODEL, version, event.number)]
            for event in said.get(version, ())
            if event.kind is kind and who in {None, event.who}
        ]

    moves = 0
    for name in list_aliases(registry.store, MODEL):
        for head in records(registry, MODEL, Alias(name)):
            record = head.record
            if record.action not in MOVES:
                continue
            moves += 1
            version, at = record.version, created[keys.record_key(MODEL, record.alias, record.generation)]
            assert version is not None
            own_yanks = [call for call in yanks if call.version == version]
            assert not forbidden(own_yanks, when(version, EventKind.UNYANK), at), f"{name} took {version} at {at}"
            if record.alias == PROD and record.action is Action.PROMOTE:
                people = {event.who for event in said[version] if event.kind is EventKind.APPROVE}
                assert any(
                    _may_approve(who, [call for call in revokes if (call.version, call.who) == (version, who)],
                                 when(version, EventKind.APPROVE, who), at)
                    for who in people
                ), f"{name} took {version} at {at} without an approval"  # fmt: skip
    return moves


def _may_approve(who: str, revokes: list[Call], approved: list[int], at: int) -> bool:
    return any(moment < at for moment in approved) and not forbidden(revokes, approved, at)


def assert_freezes_hold(registry: Registry) -> None:
    """Nobody promoted while the record before said that the alias is frozen; generations have no gap."""
    for name in list_aliases(registry.store, MODEL):
        heads = list(records(registry, MODEL, Alias(name)))
        assert [head.record.generation for head in heads] == list(range(len(heads), 0, -1))
        assert verify_chain(registry, MODEL, Alias(name)) == len(heads)
        for after, before in pairwise(heads):
            assert not (after.record.action is Action.PROMOTE and before.record.frozen is not None)
