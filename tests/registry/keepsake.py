"""A small registry with something of everything in it, and what lies in a registry as bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import ModelName
from artreg.core.snapshot import ColumnTotals, SnapshotRef, TableDescription
from artreg.core.version import Version
from artreg.frozen import replace
from artreg.registry.approvals import approve, revoke
from artreg.registry.freeze import freeze
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, records
from artreg.registry.intent import intend
from artreg.registry.move import Destination, draft
from artreg.registry.promote import promote
from artreg.registry.proofs import record_proof
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.snapshot_taking import take
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import verify
from artreg.registry.version_log import read_log
from artreg.registry.versions import read_manifest
from artreg.registry.yank import unyank, yank
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.store.object import MARKER
from registry.bench import CHURN, FREE, POLICY, PROD, STAGING, Bench
from store.places import MemoryPlace

OTHER = ModelName("other", "fraud")
DATA = b"id,a\n1,2\n"
SNAPSHOT = SnapshotRef("churn", hashlib.sha256(DATA).hexdigest())
LATER = ("the pointer ", "missing: the version was yanked", "does not say yet")
"""How problems begin that are there for a moment while somebody works, and that gc heals."""
SPENT = Version(3, 0, 0)


def table(data: bytes = DATA) -> TableDescription:
    columns = (ColumnTotals("id", "text", 1, 0),)
    return TableDescription(hashlib.sha256(data).hexdigest(), len(data), "csv", 1, columns, {}, 1, "id")


def make(bench: Bench) -> Registry:
    """Versions, two of which name their data; moves, yanks, a fence, approvals, a proof, a freeze; a spent number."""
    registry = bench.registry
    push_policy(registry, POLICY, reason="the first")
    take(registry, SNAPSHOT.name, table(), "data/churn.csv", DATA)
    take(registry, "elsewhere", table(b"id,a\n3,4\n"), "https://example.org/a.csv", None)
    for number in ("1.0.0", "1.1.0", "1.2.0", "2.0.0-rc.1"):
        folder = bench.made(number)
        if number in {"1.0.0", "1.1.0"}:
            (folder / "data_manifest.json").write_text(json.dumps({"snapshot": str(SNAPSHOT)}))
        publish(registry, CHURN, folder, Version.parse(number))
    for number in ("1.0.0", "1.1.0", "1.2.0"):
        bench.promote(number, STAGING, reason="nightly")
        bench.promote(number, PROD, reason="release «é»")
    rollback(registry, CHURN, PROD, POLICY, reason="slow")
    mean_to_move(registry, Version(1, 2, 0))
    yank(registry, CHURN, Version(1, 2, 0), "leaks")  # staging holds it, and a move to it is fenced off
    approve(registry, CHURN, Version(1, 1, 0), PROD, "reviewed")
    revoke(registry, CHURN, Version(1, 1, 0), PROD, "it is slow")
    record_proof(registry, CHURN, Version(1, 0, 0), {"digests": {"model.bin": "0" * 64}, "machine": "x86_64"})
    unyank(registry, CHURN, Version(1, 2, 0), "no")
    bench.promote("1.0.0", STAGING)
    freeze(registry, CHURN, PROD, datetime(2126, 12, 1, tzinfo=UTC), "sales")
    push_policy(registry, replace(POLICY, aliases={**POLICY.aliases, "live": POLICY.aliases["free"]}), reason="more")
    publish(registry, OTHER, bench.made("fraud"), Version(1, 0, 0))
    promote(registry, OTHER, Version(1, 0, 0), FREE, POLICY)
    registry.store.create(keys.manifest_key(CHURN, SPENT), TOMBSTONE)
    report = verify(registry, deep=True)
    assert (report.ok, report.notes) == (True, ())
    assert {head.record.action.value for head in records(registry, CHURN, STAGING)} >= {"promote", "fence", "yank"}
    return registry


def mean_to_move(registry: Registry, version: Version) -> None:
    """What a mover leaves that dies between its intent and its record."""
    head = find_head(registry, CHURN, STAGING)
    to = Destination(CHURN, STAGING, version, read_manifest(registry, CHURN, version).digest)
    record = draft(registry, head, to, action=head.record.action, fallback=None, reason="", policy=None, gates=())
    intend(registry, read_log(registry, CHURN, version), record)


def on_disk(folder: Path) -> Path:
    """Make such a registry in a folder, and return its root."""
    made, store = folder / "made", LocalStore(folder / "registry")
    made.mkdir()
    store.make_root()
    make(Bench(store, made))
    return folder / "registry"


def assert_sound(registry: Registry) -> None:
    """Nothing is wrong, looked at deeply, but pointers and marks that are not set yet."""
    checked = verify(registry, deep=True).checked
    found = [(one.ref, problem.file, problem.problem) for one in checked for problem in one.problems]
    assert [one for one in found if not one[2].startswith(LATER)] == [], registry.store.url


def bytes_of(store: Store) -> dict[str, bytes]:
    """What lies in a registry: the bytes of its files, and where its pointers lead; not what its storage needs."""
    found = {}
    for folder in ("", keys.policies_prefix(), keys.snapshots_prefix()):
        for entry in store.walk(folder):
            key = f"{folder}/{entry.name}" if folder else entry.name
            if ".artreg-tmp-" in key or (key.startswith(".artreg/") and (not folder or key == MARKER)):
                continue
            pointer = store.pointer(key) if key.count("/") == 2 and not folder else None
            found[key] = pointer.target.encode() if pointer else store.read(key)
    return found


def in_memory(files: Mapping[str, bytes]) -> MemoryStore:
    """A registry of these bytes, without its pointers."""
    place = MemoryPlace()
    for key, data in files.items():
        if key.startswith(".artreg/") or key.count("/") != 2:  # project, model and alias
            place.put(key, data)
    return place.store()
