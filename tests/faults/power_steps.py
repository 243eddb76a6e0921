"""Commands that a disk loses power under, and what readers see of a registry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Alias
from artreg.core.policy import parse_policy
from artreg.core.snapshot import TableDescription
from artreg.core.version import Part, Version
from artreg.registry.approvals import approve, revoke
from artreg.registry.doctor import initialise
from artreg.registry.freeze import freeze, unfreeze
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.parcel import small_file
from artreg.registry.promote import promote
from artreg.registry.publish import Taking, publish
from artreg.registry.rollback import rollback
from artreg.registry.snapshot_taking import take
from artreg.registry.snapshots import list_snapshots
from artreg.registry.stored_policy import push_policy, stored_policy
from artreg.registry.version_log import list_logs, read_log
from artreg.registry.versions import list_aliases
from artreg.registry.yank import unyank, yank
from artreg.store.local import LocalStore
from faults.build import (
    MODEL,
    POLICY,
    PROD,
    STAGING,
    V1,
    V2,
    V3,
    make_source,
    view,
)

Action = Callable[[Registry, Path], object]
ROOT = "models/registry"  # two folders to make
_NOW = datetime(2100, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2200, 1, 1, tzinfo=UTC)
_TABLE = b"id,age\n1,2\n"


_TREES = ".artreg/trees"
_FILES = [small_file("claim", b"mine"), small_file("a/b", b"inside"), small_file("seal", b"whole")]
_SPENT = Version(9, 0, 0)


def _spend(registry: Registry) -> None:
    """What a collection in a bucket leaves that died before it removed the files of an unfinished version."""
    registry.store.create(keys.version_file(MODEL, _SPENT, "a"), b"a")
    registry.store.create(keys.version_file(MODEL, _SPENT, "b"), b"b")
    registry.store.create(keys.manifest_key(MODEL, _SPENT), TOMBSTONE)


def _take(registry: Registry, _sources: Path) -> object:
    from hashlib import sha256

    table = TableDescription(sha256(_TABLE).hexdigest(), len(_TABLE), "csv", 1, (), {}, 1, "id")
    return take(registry, "churn", table, "churn.csv", _TABLE)


def _publish(name: str, target: Any, taking: Taking = Taking.COPY) -> Action:
    return lambda registry, sources: publish(registry, MODEL, sources / name, target, taking=taking)


def _promote(version: Any, alias: Alias) -> Action:
    return lambda registry, _sources: promote(registry, MODEL, version, alias, POLICY)


STEPS: dict[str, Action] = {
    "init": lambda registry, _sources: initialise(registry),
    "publish 1": _publish("one", V1),
    "publish 2": _publish("two", V2),
    "publish 3": _publish("three", V3),
    "publish again": _publish("two", Part.PATCH),
    "publish by link": _publish("three", V3, Taking.LINK),
    "promote 1 to staging": _promote(V1, STAGING),
    "promote 2 to staging": _promote(V2, STAGING),
    "promote 1 to prod": _promote(V1, PROD),
    "promote 2 to prod": _promote(V2, PROD),
    "rollback": lambda registry, _sources: rollback(registry, MODEL, STAGING, POLICY, to=V1, reason="worse"),
    "yank": lambda registry, _sources: yank(registry, MODEL, V2, "wrong"),
    "unyank": lambda registry, _sources: unyank(registry, MODEL, V2, "right after all"),
    "approve": lambda registry, _sources: approve(registry, MODEL, V2, PROD, "fine"),
    "revoke": lambda registry, _sources: revoke(registry, MODEL, V2, PROD, "not fine"),
    "policy push": lambda registry, _sources: push_policy(
        registry, parse_policy({"aliases": {"prod": {}}}, "a policy"), reason="ours"
    ),
    "data snapshot": _take,
    "freeze": lambda registry, _sources: freeze(registry, MODEL, STAGING, until=_UNTIL, reason="holidays"),
    "unfreeze": lambda registry, _sources: unfreeze(registry, MODEL, STAGING, "back at work"),
    "gc": lambda registry, _sources: collect(registry, older_than=timedelta(0)),
    "put tree": lambda registry, _sources: registry.store.put_tree(f"{_TREES}/one", _FILES, claim="claim", seal="seal"),
    "spend": lambda registry, _sources: _spend(registry),
    "spoil": lambda registry, _sources: registry.store.create(f"{_TREES}/kept", b"damaged"),
    "restore": lambda registry, _sources: registry.store.restore(f"{_TREES}/kept", small_file("kept", b"as it was")),
}
FIRST = ("init", "publish 1", "publish 2", "promote 1 to staging", "promote 2 to staging")
BEFORE: dict[str, tuple[str, ...]] = {
    "init": (),
    "publish 1": ("init",),
    "publish 2": ("init", "publish 1"),
    "promote 1 to staging": ("init", "publish 1"),
    "gc": ("init", "publish 1", "spend"),
    "restore": ("init", "spoil"),
    "unyank": (*FIRST, "yank"),
    "revoke": (*FIRST, "approve"),
    "unfreeze": (*FIRST, "freeze"),
    "promote 2 to staging": ("init", "publish 1", "publish 2", "promote 1 to staging"),
}
"""What was done, durably, before a step; where nothing stands here, two versions through which staging went."""


def make_sources(folder: Path) -> Path:
    """What is published, with files that are large by the measure of `Recorder`."""
    for name in ("one", "two", "three"):
        make_source(folder / name, name, size=200)
    return folder


def open_registry(root: str | Path, **settings: Callable[[], str]) -> Registry:
    """A registry at a time to come, when every leftover is old."""
    return Registry(LocalStore(root), "victim", now=lambda: _NOW, **settings)


def seen(root: Path) -> object:
    """What readers see of a registry: all that a command may acknowledge."""
    if not root.exists():
        return None
    registry = open_registry(root)
    policy = stored_policy(registry)
    logs = {str(version): read_log(registry, MODEL, version) for version in list_logs(registry.store, MODEL)}
    heads = [find_head(registry, MODEL, Alias(name)) for name in list_aliases(registry.store, MODEL)]
    return {
        **view(registry),
        "yanked": [version for version, log in logs.items() if log.yank],
        "approved": {
            version: [str(event.alias) for event in log.approvals] for version, log in logs.items() if log.approvals
        },
        "policy": policy and policy.policy.digest,
        "snapshots": [str(snapshot.ref) for snapshot in list_snapshots(registry)],
        "marked": [str(head.record.alias) for head in heads if head and head.record.yanked],
        "trees": {
            entry.name: registry.store.read(f"{_TREES}/{entry.name}")
            for entry in registry.store.walk(_TREES)
            if ".artreg-tmp-" not in entry.name
        },
        "frozen": [str(head.record.alias) for head in heads if head and head.record.frozen],
    }
