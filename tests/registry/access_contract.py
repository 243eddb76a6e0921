"""What each role can and cannot do under the policy that is printed for it, on a service that enforces it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from artreg.core.access import Role, Scope, role_policy
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import AlreadyExists, StorageError
from artreg.registry.catalog import catalog
from artreg.registry.doctor import diagnose, initialise
from artreg.registry.freeze import freeze
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.history import newest_generation
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import verify
from artreg.registry.yank import unyank, yank
from artreg.store.local import LocalStore
from artreg.store.object import ObjectStore
from artreg.store.s3 import S3Bucket
from faults.build import MODEL, POLICY, PROD, STAGING, V1, V2, V3, make_history, make_source, make_sources

KINDS = {
    "version": "demo/churn/9.0.0/model/weights.bin",
    "seal": "demo/churn/9.0.0/checksum.txt",
    "record": "demo/churn/history/prod/00000099.json",
    "event": "demo/churn/history/1.0.0/00000099.json",
    "pointer": "demo/churn/prod",
    "policy": ".artreg/policy/00000099.json",
    "snapshot": f".artreg/data/table/{'a' * 64}/part.csv",
    "memory": ".artreg/verified/demo/churn/x.json",
    "marker": ".artreg/conditional-writes",
    "probe": f".artreg/probe-{'0' * 32}/one",
    "stray": "demo/churn/note",
}
"""A key of each kind."""

MAY_PUT = {
    Role.CONSUMER: set(),
    Role.PUBLISHER: {"version", "seal", "event", "snapshot"},
    Role.PROMOTER: {"record", "event", "pointer"},
    Role.AUDITOR: {"memory"},
    Role.GC: {"seal", "record", "event", "pointer"},
    Role.OPERATOR: {"policy", "marker", "probe"},
}
MAY_REMOVE = {
    Role.CONSUMER: set(),
    Role.PUBLISHER: set(),
    Role.PROMOTER: set(),
    Role.AUDITOR: {"memory"},
    Role.GC: {"version", "seal", "probe"},
    Role.OPERATOR: {"probe"},
}


class Land(Protocol):
    """A service that enforces policies."""

    scope: Scope
    large: int  # bytes that are more than one part

    def owner(self, prefix: str = "") -> S3Bucket:
        """Whoever may do everything, at the registry's prefix with something after it."""

    def guest(self, prefix: str = "") -> S3Bucket:
        """Whoever may do what was granted, likewise."""

    def principal(self) -> list[str]:
        """How a policy that is granted names the guest; empty where it is attached to the guest."""

    def grant(self, policy: dict[str, Any]) -> AbstractContextManager[None]:
        """Let a policy hold for the guest, and no other."""

    def furnish(self, make: Callable[[], object]) -> None:
        """See that what `make` makes is there; it makes the same each time."""

    def begin_upload(self, key: str) -> None:
        """Begin an upload in parts, as the owner, and leave it."""


def grant(land: Land, role: Role) -> AbstractContextManager[None]:
    return land.grant(role_policy(role, land.scope, land.principal()))


def grant_without_pointers(land: Land) -> AbstractContextManager[None]:
    policy = role_policy(Role.PROMOTER, land.scope, land.principal())
    for statement in policy["Statement"]:
        statement["Resource"] = [it for it in statement["Resource"] if not it.endswith(("/prod", "/staging"))]
    return land.grant(policy)


def refused(action: Callable[[], object]) -> bool:
    """Whether the service forbids it; an object that is there already, or that is not, was not forbidden."""
    try:
        action()
    except AlreadyExists:
        return False
    except StorageError as error:
        if error.details["storage_code"] != "AccessDenied":
            raise
        return True
    return False


class AccessContract:
    """Tests that a subclass runs against the `land` that it gives."""

    @pytest.fixture
    def sources(self, tmp_path: Path) -> Path:
        return make_sources(tmp_path / "sources")

    @pytest.fixture
    def owner(self, land: Land, sources: Path) -> Registry:
        registry = Registry(ObjectStore(land.owner()), "owner")
        land.furnish(lambda: initialise(registry) or make_history(registry, sources))
        return registry

    @pytest.fixture(params=list(Role), ids=lambda role: role.value)
    def role(self, request: pytest.FixtureRequest) -> Role:
        return request.param

    def test_each_role_writes_and_removes_its_own_kinds_of_objects(self, land, role):
        owner = land.owner()
        for key in KINDS.values():
            owner.put(key, b"the owner's")
        with grant(land, role):
            guest = land.guest()
            assert guest.get(KINDS["version"], 0, 99).data == b"the owner's"
            assert {kind for kind, key in KINDS.items() if not refused(lambda: guest.put(key, b"x"))} == MAY_PUT[role]  # noqa: B023
            removed = {kind for kind, key in KINDS.items() if not refused(lambda: guest.remove(key))}  # noqa: B023
            assert removed == MAY_REMOVE[role]
        left = {kind for kind, key in KINDS.items() if key in {it.entry.name for it in owner.walk("")}}
        assert left == KINDS.keys() - MAY_REMOVE[role]

    def test_no_role_reaches_beyond_the_prefix(self, land, role):
        elsewhere = land.owner("-other")
        elsewhere.put("a", b"secret")
        with grant(land, role):
            guest = land.guest("-other")
            assert refused(lambda: guest.get("a", 0, 9))
            assert refused(lambda: guest.page("", ""))
            assert refused(lambda: guest.put("b", b"x"))
            assert refused(lambda: guest.remove("a"))
        assert elsewhere.get("a", 0, 9).data == b"secret"

    def test_every_role_reads(self, land, role, owner, tmp_path):
        with grant(land, role):
            registry = Registry(ObjectStore(land.guest()), "guest")
            assert resolve(registry, Reference(MODEL, PROD)).version == V1
            assert catalog(registry)[0].aliases["prod"] == V1
            assert verify(registry).ok
            (tmp_path / "out").mkdir()
            assert pull(registry, Reference(MODEL, PROD), LocalStore(tmp_path / "out"), "it").created
            with pytest.raises(Exception, match="no version"):
                resolve(registry, Reference(MODEL, Version(7, 7, 7)))

    def test_consumer_changes_nothing(self, land, owner, sources):
        before = {it.entry.name: it.tag for it in land.owner().walk("")}
        with grant(land, Role.CONSUMER):
            registry = Registry(ObjectStore(land.guest()), "guest")
            for action in (
                lambda: publish(registry, MODEL, sources / "one", Version(4, 0, 0)),
                lambda: promote(registry, MODEL, V3, PROD, POLICY),
                lambda: rollback(registry, MODEL, STAGING, POLICY, reason="worse"),
                lambda: yank(registry, MODEL, V2, "leaks"),
                lambda: verify(registry, record=True),
                lambda: push_policy(registry, POLICY, reason="mine"),
            ):
                assert refused(action)
        assert {it.entry.name: it.tag for it in land.owner().walk("")} == before

    def test_publisher_publishes_and_moves_nothing(self, land, owner, sources, tmp_path):
        with grant(land, Role.PUBLISHER):
            registry = Registry(ObjectStore(land.guest()), "guest")
            assert publish(registry, MODEL, sources / "two", Version(4, 0, 0)).created
            large = make_source(tmp_path / "large", "large", size=land.large)
            assert publish(registry, MODEL, large, Version(5, 0, 0)).created
            with pytest.raises(StorageError) as caught:
                promote(registry, MODEL, V3, PROD, POLICY)
            assert "s3:PutObject" in caught.value.hint
        assert newest_generation(owner, MODEL, PROD) == 3
        assert resolve(owner, Reference(MODEL, PROD)).version == V1
        assert verify(owner).ok

    def test_promoter_moves_and_publishes_nothing(self, land, owner, sources):
        with grant(land, Role.PROMOTER):
            registry = Registry(ObjectStore(land.guest()), "guest")
            promote(registry, MODEL, V3, PROD, POLICY)
            rollback(registry, MODEL, PROD, POLICY, reason="worse")
            yank(registry, MODEL, V3, "leaks")
            unyank(registry, MODEL, V3, "it does not")
            freeze(registry, MODEL, PROD, until=datetime.now(UTC) + timedelta(hours=1), reason="fair")
            assert refused(lambda: publish(registry, MODEL, sources / "two", Version(4, 0, 0)))
        assert verify(owner).ok

    def test_promoter_without_the_pointer_is_told_that_the_alias_moved(self, land, owner):
        with grant_without_pointers(land):
            registry = Registry(ObjectStore(land.guest()), "guest")
            with pytest.raises(StorageError, match=r"is moved to 1\.2\.0") as caught:
                promote(registry, MODEL, V3, PROD, POLICY)
            assert caught.value.details["generation"] == 4
            assert "pointer could not be set" in caught.value.message
            assert "AccessDenied" in caught.value.message
        assert resolve(owner, Reference(MODEL, PROD)).version == V3
        with grant(land, Role.GC):
            assert collect(Registry(ObjectStore(land.guest()), "guest"), older_than=timedelta(0)).healed == (
                "demo/churn@prod",
            )

    def test_auditor_remembers_what_was_verified(self, land, owner):
        with grant(land, Role.AUDITOR):
            registry = Registry(ObjectStore(land.guest()), "guest")
            for _ in range(2):
                assert verify(registry, record=True).ok
        assert len(list(land.owner().walk(".artreg/verified"))) == 1

    def test_gc_ends_what_dead_publishers_left(self, land, owner, tmp_path):
        bucket = land.owner()
        bucket.put("demo/churn/8.0.0/run.json", b"a claim")
        bucket.put(KINDS["probe"], b"x")
        land.begin_upload("demo/churn/8.0.0/model/weights.bin")
        with grant(land, Role.GC):
            done = collect(
                Registry(ObjectStore(land.guest()), "guest", now=lambda: datetime.now(UTC) + timedelta(hours=1)),
                older_than=timedelta(0),
            )
        assert len(done.removed) == 3
        assert verify(owner).ok

    def test_operator_prepares_and_looks(self, land):
        with grant(land, Role.OPERATOR):
            registry = Registry(ObjectStore(land.guest()), "guest")
            initialise(registry)
            assert [found.check for found in diagnose(registry) if not found.ok] == []
            assert push_policy(registry, POLICY, reason="ours")[1]

    def test_who_comes_before_the_operator_is_told_so(self, land, sources):
        with grant(land, Role.PUBLISHER):
            with pytest.raises(StorageError, match="cannot hold a registry") as caught:
                publish(Registry(ObjectStore(land.guest()), "guest"), MODEL, sources / "one", V1)
            assert "artreg init" in caught.value.hint
        assert list(land.owner().walk("")) == []
