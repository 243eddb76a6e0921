"""Every operation that writes, each with the registry it starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from artreg.core.names import Alias
from artreg.core.version import Part, Version
from artreg.registry.doctor import initialise
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.mirror import mirror
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.store.local import LocalStore
from faults.build import MODEL, POLICY, PROD, STAGING, V1, V2, V3, make_history


@dataclass(frozen=True)
class Operation:
    """One command of the registry.

    Attributes:
        prepare: Makes the registry that it starts from.
        run: Does it; doing it again must end in the same state.
        leftovers: Crashes of other operations that come first: the operation's name, and the call at which it dies.
    """

    prepare: Callable[[Registry, Path], object]
    run: Callable[[Registry, Path], object]
    leftovers: tuple[tuple[str, str], ...] = ()


def _nothing(registry: Registry, _sources: Path) -> None:
    initialise(registry)


def _one_version(registry: Registry, sources: Path) -> None:
    initialise(registry)
    publish(registry, MODEL, sources / "one", V1)


def _history(registry: Registry, sources: Path) -> None:
    initialise(registry)
    make_history(registry, sources)


def _publish(name: str, target: Version | Part):
    return lambda registry, sources: publish(registry, MODEL, sources / name, target)


def _promote(version: Version, alias: Alias):
    return lambda registry, _sources: promote(registry, MODEL, version, alias, POLICY)


def _rollback(to: Version):
    return lambda registry, _sources: rollback(registry, MODEL, STAGING, POLICY, to=to, reason="worse")


def _collect(registry: Registry, _sources: Path) -> None:
    collect(registry, older_than=timedelta(0))


def _mirror(registry: Registry, sources: Path) -> None:
    mirror(Registry(LocalStore(sources)), registry)


OPERATIONS = {
    "publish first": Operation(_nothing, _publish("one", V1)),
    "publish next": Operation(_history, _publish("two", Part.PATCH)),
    "publish large": Operation(_one_version, _publish("large", V2)),
    "promote first": Operation(_one_version, _promote(V1, PROD)),
    "promote next": Operation(_history, _promote(V3, PROD)),
    "rollback": Operation(_history, _rollback(V1)),
    "gc on a disk": Operation(
        _history,
        _collect,
        leftovers=(
            ("publish next", "rename"),  # a whole temporary folder
            ("promote next", "link"),  # a record that was not committed
            ("rollback", "replace"),  # one that was, and a pointer that was not set
        ),
    ),
    "gc in a bucket": Operation(
        _history,
        _collect,
        leftovers=(
            ("publish unfinished", "PUT 9.0.0/checksum.txt is to be sent"),  # all files of a version but its seal
            ("publish large unfinished", "POST 9.1.0/model/weights.bin?uploadId"),  # an upload that never ended
            ("rollback", "PUT staging is to be sent"),  # a pointer that was not set
        ),
    ),
    "mirror": Operation(_nothing, _mirror),
    "publish unfinished": Operation(_history, _publish("one", Version(9, 0, 0))),
    "publish large unfinished": Operation(_history, _publish("large", Version(9, 1, 0))),
}
