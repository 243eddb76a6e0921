"""What each attacker can do and cannot, as the table in docs/signatures.md says.

Each writes to storage past artreg, as whoever holds those rights can: documents are sealed and chained as they must be.
The consumer knows the keys of alice, who publishes, and of carol, who promotes, and remembers what it saw.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from artreg.core import canonical, keys
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.manifest import Manifest
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.policy import parse_policy
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.errors import AlreadyExists, IntegrityError, NotFound
from artreg.frozen import replace
from artreg.registry.catalog import catalog, details
from artreg.registry.check_history import check_policies, history_faults
from artreg.registry.demands import Demands
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head, records
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.seen import memory
from artreg.registry.signatures import sign_version, signers
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import verify
from artreg.store.factory import open_store
from artreg.store.interface import READ_LIMIT, Chunk, Pointer
from keys import make_key, needs_openssh, public
from store.faults import Wrapper
from store.places import LocalPlace

MODEL, PROD = ModelName("demo", "churn"), Alias("prod")
V1, V2, V3 = (Version(1, minor, 0) for minor in range(3))
CURRENT = Reference(MODEL, PROD)

pytestmark = needs_openssh


class World:
    """A registry whose versions alice signed and whose prod carol moved from 1.0.0 to 1.1.0, and a consumer of it."""

    def __init__(self, folder: Path, keys_in: Path) -> None:
        self.folder = folder
        self.place = LocalPlace(folder / "registry")
        self.store = self.place.store()
        self.alice, self.carol, self.eve = (keys_in / name for name in ("alice", "carol", "eve"))
        self.registry = Registry(self.store, "alice")
        self.policy = parse_policy(
            {"aliases": {"prod": {"signed_moves": ["promote", "rollback"]}}, "signers": {"carol": public(self.carol)}}
        )

    def begin(self) -> None:
        push_policy(self.registry, self.policy, reason="")
        for version in (V1, V2):
            self.publish(version)
            sign_version(self.registry, MODEL, version, self.alice)
        for version in (V1, V2):
            self.move(version)

    @property
    def files(self) -> dict[str, bytes | None]:
        return {key: self.place.get(key) for key in self.place.keys()}  # noqa: SIM118  # no mapping

    def publish(self, version: Version, text: str = "") -> None:
        made = self.folder / f"made-{version}-{text}"
        made.mkdir()
        (made / "model.bin").write_text(f"{text} {version}")
        publish(self.registry, MODEL, made, version)

    def move(self, version: Version) -> None:
        acting = replace(self.registry, actor="carol", signing_key=str(self.carol))
        promote(acting, MODEL, version, PROD, self.policy)

    @property
    def by_alice(self) -> SignedBy:
        return SignedBy(AllowedSigners((f"alice {public(self.alice)}",)), ("alice",))

    @property
    def by_carol(self) -> SignedBy:
        return SignedBy(AllowedSigners((f"carol {public(self.carol)}",)), ("carol",))

    def consumer(self, name: str = "consumer", store: object = None) -> Registry:
        """One who knows carol's key, and remembers."""
        demands = Demands(memory(str(self.folder / name), self.store.url), self.by_carol)
        return Registry(store or self.place.store(), demands=demands)  # type: ignore[arg-type]

    def head(self) -> Head:
        found = find_head(self.registry, MODEL, PROD)
        assert found is not None
        return found

    def append(self, record: PromotionRecord, **changes: object) -> None:
        """Append a record by hand, as it must be to follow from the one before it, and set the pointer."""
        before = self.head()
        changes = {"generation": before.record.generation + 1, "previous_record": before.sha256, **changes}
        forged = replace(record, previous_version=before.record.version, **changes)
        self.place.put(keys.record_key(MODEL, PROD, forged.generation), forged.encode())
        self.store.point(keys.pointer_key(MODEL, PROD), Pointer(str(forged.version), forged.generation))

    def replace_version(self, version: Version) -> str:
        """Put other bytes in a version's place, with a run record and a manifest that fit; return their digest."""
        lead = keys.version_prefix(MODEL, version)
        run = json.loads(self.place.get(f"{lead}/run.json") or b"")
        manifest = Manifest.parse(self.place.get(f"{lead}/checksum.txt") or b"", "it")
        files = {**manifest.files, "model.bin": canonical.digest(b"evil")}
        run["content"], run["sizes"]["model.bin"] = Manifest.of(files).content, len(b"evil")
        data = canonical.dumps(run)
        fitted = Manifest.of({**files, "run.json": canonical.digest(data)})
        for name, content in (("model.bin", b"evil"), ("run.json", data), ("checksum.txt", fitted.encode())):
            self.place.put(f"{lead}/{name}", content)
        return fitted.digest

    def keep(self, name: str) -> Path:
        return Path(shutil.copytree(self.place.root, self.folder / name, symlinks=True))

    def set_back(self, copy: Path) -> None:
        shutil.rmtree(self.place.root)
        shutil.copytree(copy, self.place.root, symlinks=True)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    for name in ("alice", "carol", "eve"):
        make_key(folder, name)
    world = World(folder, folder)
    world.begin()
    return world


@pytest.fixture
def world(begun: World, tmp_path: Path) -> World:
    world = World(tmp_path, begun.folder)
    world.set_back(begun.place.root)
    return world


class ReadOnly(Wrapper):
    """Storage that lets nobody write."""

    def before(self, call: str, key: str) -> None:
        if call in {"create", "put_tree", "delete", "point", "discard", "prepare_writing", "make_root"}:
            raise AssertionError(f"{call} {key}")


def test_a_reader_needs_no_key_and_no_right_to_write(world: World, tmp_path: Path) -> None:
    before = world.files
    registry = world.consumer(store=ReadOnly(world.store))
    assert resolve(registry, CURRENT).version == V2
    assert pull(registry, CURRENT, open_store(tmp_path), "out").created
    assert verify(registry, signed_by=world.by_alice).ok
    assert len(list(records(registry, MODEL, PROD))) == 2
    assert details(registry, CURRENT).aliases == ("prod",)
    assert len(catalog(registry)) == 1
    assert world.files == before


def test_a_publisher_can_publish_what_is_bad(world: World) -> None:
    world.publish(V3, "evil")
    assert resolve(world.registry, Reference.parse("churn@latest", "demo")).version == V3
    assert verify(world.registry).ok
    assert resolve(world.consumer(), CURRENT).version == V2  # nobody promoted it
    report = verify(world.registry, MODEL, signed_by=world.by_alice)
    assert [checked.ref for checked in report.checked if not checked.ok] == ["demo/churn@1.2.0"]


def test_a_version_that_nothing_pins_can_be_replaced_unless_it_is_signed(world: World) -> None:
    world.publish(V3)
    digest = sign_version(world.registry, MODEL, V3, world.alice).digest
    assert world.replace_version(V3) != digest
    assert verify(world.registry).ok
    report = verify(world.registry, MODEL, signed_by=world.by_alice)
    assert [checked.ref for checked in report.checked if not checked.ok] == ["demo/churn@1.2.0"]


def test_a_publisher_cannot_publish_a_number_twice(world: World) -> None:
    with pytest.raises(AlreadyExists):
        world.publish(V2, "evil")


def test_a_publisher_cannot_change_what_an_alias_held(world: World, tmp_path: Path) -> None:
    world.replace_version(V2)
    assert not verify(world.registry).ok
    for registry in (world.registry, world.consumer()):
        with pytest.raises(IntegrityError, match="is not what prod was pointed at"):
            pull(registry, CURRENT, open_store(tmp_path), "out")
    assert not (tmp_path / "out").exists()


def test_a_publisher_cannot_sign_for_another(world: World) -> None:
    world.publish(V3, "evil")
    digest = sign_version(world.registry, MODEL, V3, world.eve, who="alice").digest
    assert signers(world.registry, MODEL, V3, digest, world.by_alice.allowed) == ()
    assert not verify(world.registry, Reference(MODEL, V3), signed_by=world.by_alice).ok


def test_a_promoter_can_go_round_the_gates_where_moves_are_not_signed(world: World) -> None:
    push_policy(world.registry, parse_policy({"aliases": {"prod": {}}}), reason="")
    world.publish(V3, "evil")
    digest = resolve(world.registry, Reference(MODEL, V3)).digest
    weak = parse_policy({"aliases": {"prod": {}}}).digest
    world.append(replace(world.head().record, signature=None), version=V3, digest=digest, policy=weak)
    assert verify(world.registry).ok
    assert resolve(world.registry, CURRENT).version == V3


def test_a_promoter_without_the_key_cannot_move_what_must_be_signed(world: World) -> None:
    world.publish(V3, "evil")
    digest = resolve(world.registry, Reference(MODEL, V3)).digest
    world.append(world.head().record, version=V3, digest=digest)
    assert not verify(world.registry).ok
    with pytest.raises(IntegrityError, match="record 3 of prod, by carol, is not signed by carol"):
        resolve(world.consumer(), CURRENT)


def test_a_promoter_cannot_rewrite_the_past(world: World) -> None:
    past = next(head.record for head in records(world.registry, MODEL, PROD) if head.record.generation == 1)
    world.place.put(keys.record_key(MODEL, PROD, 1), replace(past, who="mallory").encode())
    assert not verify(world.registry).ok
    with pytest.raises(IntegrityError, match="was rewritten"):
        list(records(world.registry, MODEL, PROD))


def test_whoever_owns_the_bucket_can_take_it_away(world: World) -> None:
    consumer = world.consumer()
    resolve(consumer, CURRENT)
    shutil.rmtree(world.place.root / "demo")
    with pytest.raises(NotFound):
        resolve(world.registry, CURRENT)
    with pytest.raises(IntegrityError, match="went back: now it has none"):
        resolve(consumer, CURRENT)


def test_whoever_owns_the_bucket_can_show_a_newcomer_an_old_state(world: World) -> None:
    old = world.keep("old")
    world.move(V1)
    known = world.consumer()
    resolve(known, CURRENT)
    world.set_back(old)
    assert verify(world.registry, signed_by=world.by_alice).ok
    assert resolve(world.consumer("newcomer"), CURRENT).version == V2
    with pytest.raises(IntegrityError, match="went back"):
        resolve(known, CURRENT)


def test_whoever_owns_the_bucket_can_weaken_the_policy_but_not_the_consumer(world: World) -> None:
    push_policy(world.registry, parse_policy({"aliases": {"prod": {}}}), reason="")
    weak = parse_policy({"aliases": {"prod": {}}})
    promote(replace(world.registry, actor="mallory"), MODEL, V1, PROD, weak)
    assert verify(world.registry).ok
    assert resolve(world.registry, CURRENT).version == V1
    with pytest.raises(IntegrityError, match="record 3 of prod, by mallory, is not signed by carol"):
        resolve(world.consumer(), CURRENT)
    in_force, _ = check_policies(world.registry)
    assert history_faults(world.registry, MODEL, list(records(world.registry, MODEL, PROD)), in_force, world.by_carol)


def test_whoever_owns_the_bucket_cannot_make_up_a_version(world: World) -> None:
    world.replace_version(V2)
    signatures = [key for key in world.files if f"history/{V2}/{keys.SIGNATURES}" in key]
    assert len(signatures) == 2
    report = verify(world.registry, Reference(MODEL, V2), signed_by=world.by_alice)
    assert "no valid signature by alice" in report.checked[0].problems[-1].problem


def test_no_signed_move_counts_for_another_alias_or_model(world: World) -> None:
    record = world.head().record
    staging = keys.record_key(MODEL, Alias("staging"), 1)
    world.place.put(staging, record.encode())
    with pytest.raises(IntegrityError, match="belongs elsewhere"):
        resolve(world.registry, Reference(MODEL, Alias("staging")))
    world.place.put(staging, replace(record, alias=Alias("staging"), generation=1, previous_record=None).encode())
    with pytest.raises(IntegrityError, match="not to be believed"):
        resolve(world.consumer(), Reference(MODEL, Alias("staging")))


def test_a_signed_history_counts_in_another_registry_too(world: World, tmp_path: Path) -> None:
    copy = open_store(world.keep("elsewhere"))
    demands = Demands(memory(str(tmp_path / "another"), copy.url), world.by_carol)
    assert resolve(Registry(copy, demands=demands), CURRENT).version == V2


class Altering(Wrapper):
    """A network on which one bit of each answer about one file is turned."""

    def __init__(self, store: object, key: str) -> None:
        super().__init__(store)  # type: ignore[arg-type]
        self._key = key

    def local_path(self, key: str) -> None:
        return None

    def read(self, key: str, limit: int = READ_LIMIT) -> bytes:
        data = super().read(key, limit)
        return self._altered(data) if key == self._key else data

    def chunks(self, key: str) -> Iterator[Chunk]:
        for data in super().chunks(key):
            yield self._altered(bytes(data)) if key == self._key else data

    def _altered(self, data: bytes) -> bytes:
        return data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]


def test_nothing_that_was_altered_on_the_way_is_taken(world: World, tmp_path: Path) -> None:
    lead = keys.version_prefix(MODEL, V2)
    altered = [key for key in world.files if key.startswith(f"{lead}/")]
    altered.append(keys.record_key(MODEL, PROD, 2))
    assert len(altered) == 4
    for key in altered:
        with pytest.raises(IntegrityError):
            pull(world.consumer(store=Altering(world.store, key)), CURRENT, open_store(tmp_path), "out")
        assert not (tmp_path / "out").exists()
    assert pull(world.consumer(store=Altering(world.store, "")), CURRENT, open_store(tmp_path), "out").created
