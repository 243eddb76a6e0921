"""Repair heals what verification names, or says why not, and changes nothing unless told to."""

from __future__ import annotations

import shutil
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core import keys
from artreg.core.names import Alias
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.mirror import mirror
from artreg.registry.publish import publish
from artreg.registry.repair import Repaired, repair
from artreg.registry.signatures import sign_version
from artreg.registry.verify import verify
from artreg.registry.yank import yank
from artreg.store.interface import Pointer
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from faults.build import make_history, make_sources
from faults.damage import EXTRA_DAMAGE, HISTORY_DAMAGE, QUIET_DAMAGE, VERSION_DAMAGE, Damage
from keys import make_key, needs_openssh
from registry.bench import CHURN, PROD
from registry.keepsake import SNAPSHOT, bytes_of, in_memory, on_disk
from sizes import FULL
from store.fakes import DictFileSystem
from store.faults import Crash, CrashAt
from store.places import GenericPlace

DAMAGE = [*VERSION_DAMAGE, *EXTRA_DAMAGE, *HISTORY_DAMAGE, *QUIET_DAMAGE]
SOME = DAMAGE if FULL else DAMAGE[1::4]
BY_ITSELF = {case.name for case in EXTRA_DAMAGE if "link" not in case.name} | {
    "pointer set by hand",
    "pointer out of the registry",
    "pointer removed",
}
"""What is healed without another registry."""
NOT = {
    "link instead of a folder",
    "link instead of a version",
    "link from a version to another",
    "link instead of a history",
    "link instead of all histories",
    "unpinned version linked to another",
    "extra link",
    "newest record forged and pointed elsewhere",
}
"""What a person must look at: a link where a folder belongs, or two that both look right."""


@pytest.fixture(scope="module")
def keepsake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(tmp_path_factory.mktemp("keepsake"))


def lying(root: Path) -> dict[str, bytes | str]:
    """Everything in a folder, with where links lead."""
    return {
        path.relative_to(root).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else ""
        for path in root.rglob("*")
    }


def mend(registry: Registry, spare: Registry | None = None) -> Repaired:
    return repair(registry, spare=spare, apply=True, older_than=timedelta(0))


def view(files: dict[str, bytes]) -> dict[str, bytes]:
    return {key: data for key, data in files.items() if not key.startswith(".artreg/damaged/")}


@pytest.mark.parametrize("damage", SOME, ids=[case.name for case in SOME])
def test_what_is_damaged_is_healed_or_named(history: Path, tmp_path: Path, damage: Damage) -> None:
    root = shutil.copytree(history, tmp_path / "a" / "registry", symlinks=True)
    registry, sound = Registry(LocalStore(root), "ada"), bytes_of(LocalStore(history))
    spare = MemoryStore(uuid.uuid4().hex)
    mirror(registry, Registry(spare))
    damage.do(root / "demo" / "churn")
    before = lying(root)
    told = repair(registry), repair(registry, spare=Registry(spare))
    assert lying(root) == before
    assert bool(told[0].hopeless) == (damage.name not in BY_ITSELF | {"newest record removed"})
    done = mend(registry, Registry(spare))
    assert bool(done.hopeless) == bool(told[1].hopeless) == (damage.name in NOT)
    if damage.name not in NOT:
        assert verify(registry, deep=True).ok
        assert view(bytes_of(LocalStore(root))) == sound
        assert mend(registry).faults == ()
    else:
        assert all(fault.hint for fault in done.hopeless)
        assert not verify(registry).ok


@pytest.mark.parametrize("name", ["file changed", "manifest missing", "newest record truncated", "extra file"])
def test_what_is_replaced_is_kept(history: Path, tmp_path: Path, name: str) -> None:
    root = shutil.copytree(history, tmp_path / "a" / "registry", symlinks=True)
    damage = next(case for case in DAMAGE if case.name == name)
    damage.do(root / "demo" / "churn")
    wrong = [data for data in lying(root).values() if data not in lying(history).values() and data]
    mend(Registry(LocalStore(root)), Registry(LocalStore(history)))
    kept = [path.read_bytes() for path in (root / ".artreg/damaged").rglob("files/**/*") if path.is_file()]
    assert sorted(kept) == sorted(wrong)


def test_a_spare_that_has_something_else_heals_nothing(history: Path, tmp_path: Path) -> None:
    root = shutil.copytree(history, tmp_path / "registry", symlinks=True)
    other = MemoryStore(uuid.uuid4().hex)
    other.make_root()
    sources = make_sources(tmp_path / "sources")
    make_history(Registry(other), sources)  # the same story, but other bytes
    publish(Registry(other), CHURN, sources / "two", Version(1, 3, 0))  # of which nothing more was said
    for version in ("1.1.0", "1.3.0"):
        (root / "demo/churn" / version / "model/weights.bin").unlink()
    (root / "demo/churn/history/prod/00000002.json").unlink()
    before = lying(root)
    done = mend(Registry(LocalStore(root)), Registry(other))
    assert {fault.ref for fault in done.hopeless} >= {
        "demo/churn@1.1.0",
        "demo/churn@1.3.0",
        "demo/churn@prod",
    }
    assert lying(root) == before


def test_a_damaged_spare_does_not_spread(history: Path, tmp_path: Path) -> None:
    ours, theirs = (shutil.copytree(history, tmp_path / name, symlinks=True) for name in ("ours", "theirs"))
    for root, text in ((ours, b"twO"), (theirs, b"Two")):
        weights = root / "demo/churn/1.1.0/model/weights.bin"
        weights.unlink()
        weights.write_bytes(text)
    done = mend(Registry(LocalStore(ours)), Registry(LocalStore(theirs)))
    assert [fault.ref for fault in done.hopeless] == ["demo/churn@1.1.0"]
    assert (ours / "demo/churn/1.1.0/model/weights.bin").read_bytes() == b"twO"


def test_without_a_manifest_and_without_pins_nobody_knows_what_was_there(history: Path, tmp_path: Path) -> None:
    root = shutil.copytree(history, tmp_path / "registry", symlinks=True)
    (root / "demo/churn/1.3.0/checksum.txt").unlink()
    done = mend(Registry(LocalStore(root)), Registry(LocalStore(history)))
    assert ["nothing here says" in fault.hint for fault in done.hopeless] == [True]


def test_the_rest_of_a_registry_is_healed_too(keepsake: Path, tmp_path: Path) -> None:
    root = shutil.copytree(keepsake, tmp_path / "registry", symlinks=True)
    registry, rc = Registry(LocalStore(root)), Version.parse("2.0.0-rc.1")
    yank(registry, CHURN, rc, "leaks")
    sound = bytes_of(registry.store)
    spare = Registry(in_memory(sound))
    data = root / keys.snapshot_prefix(SNAPSHOT.name, SNAPSHOT.sha256, copied=True)
    (data / "data.csv").unlink()
    (data / "data.csv").write_bytes(b"id,a\n1,3\n")
    (root / ".artreg/policy/00000001.json").unlink()
    (root / "demo/churn/history/1.2.0/00000002.json").unlink()
    (root / keys.yank_mark_key(CHURN, rc)).unlink()
    (root / "demo/churn/.artreg-tmp-00000000000000000000000000000000").mkdir()
    told = repair(registry, spare=spare, older_than=timedelta(0))
    assert told.hopeless == ()
    done = mend(registry, spare)
    assert done.hopeless == ()
    assert [removed.what for removed in done.removed] == [removed.what for removed in told.removed] != []
    assert view(bytes_of(registry.store)) == sound


def test_a_bucket_is_healed_as_a_disk_is(keepsake: Path) -> None:
    sound = bytes_of(LocalStore(keepsake))
    bucket, spare = GenericPlace(DictFileSystem()), Registry(in_memory(sound))
    mirror(spare, Registry(bucket.store()))
    bucket.put("demo/churn/1.1.0/model.bin", b"1.1.O")
    bucket.put("demo/churn/history/prod/00000002.json", b"{}")
    bucket.store().delete(["demo/churn/history/staging/00000003.json", "demo/churn/1.0.0/run.json"])
    bucket.store().point("demo/churn/prod", Pointer("1.2.0", 3))
    assert mend(Registry(bucket.store()), spare).hopeless == ()
    assert view(bytes_of(bucket.store())) == sound


def test_one_damaged_history_keeps_no_other_pointer_from_being_healed(history: Path, tmp_path: Path) -> None:
    root = shutil.copytree(history, tmp_path / "registry", symlinks=True)
    (root / "demo/churn/history/prod/00000002.json").unlink()
    (root / "demo/churn/staging").unlink()
    done = mend(Registry(LocalStore(root)))
    assert {(fault.ref, fault.healed) for fault in done.faults} >= {
        ("demo/churn@prod", False),
        ("demo/churn@staging", True),
    }
    assert (root / "demo/churn/staging").readlink() == Path("1.2.0")


@needs_openssh
@pytest.mark.parametrize("harm", ["altered", "missing"])
def test_a_signature_is_healed_by_what_its_name_says(keepsake: Path, tmp_path: Path, harm: str) -> None:
    root = shutil.copytree(keepsake, tmp_path / "registry", symlinks=True)
    registry, version = Registry(LocalStore(root), "ada"), Version.parse("1.1.0")
    sign_version(registry, CHURN, version, make_key(tmp_path, "ada"))
    sound = bytes_of(registry.store)
    spare = Registry(in_memory({}))
    mirror(registry, spare)
    assert bytes_of(spare.store) == sound
    assert not any(keys.SIGNATURES in note for note in verify(registry, deep=True).notes)
    (statement,) = (root / keys.signatures_prefix(CHURN, version)).glob("*.json")
    data = statement.read_bytes()
    statement.unlink()
    if harm == "altered":
        statement.write_bytes(data.replace(b"ada", b"eve"))
    assert mend(registry).hopeless != ()
    done = mend(registry, spare)
    assert done.hopeless == ()
    assert view(bytes_of(registry.store)) == sound


def test_only_one_model_is_looked_at_where_one_is_named(keepsake: Path, tmp_path: Path) -> None:
    root = shutil.copytree(keepsake, tmp_path / "registry", symlinks=True)
    for pointer in ("demo/churn/prod", "other/fraud/free"):
        (root / pointer).unlink()
    done = repair(Registry(LocalStore(root)), CHURN, apply=True)
    assert [fault.ref for fault in done.faults] == [f"{CHURN}@{PROD}"]
    assert Registry(LocalStore(root)).store.pointer(keys.pointer_key(CHURN, Alias("prod"))) is not None
    assert not (root / "other/fraud/free").is_symlink()


def test_a_repair_that_was_cut_off_is_gone_on_with(keepsake: Path) -> None:
    sound, point, died = bytes_of(LocalStore(keepsake)), 0, 0
    spare = Registry(in_memory(sound))
    while True:
        point += 2 if FULL else 5
        bucket = GenericPlace(DictFileSystem())
        mirror(spare, Registry(bucket.store()))
        bucket.put("demo/churn/1.1.0/model.bin", b"1.1.O")
        bucket.put("demo/churn/1.1.0/checksum.txt", b"0")
        bucket.put("demo/churn/1.1.0/extra", b"x")
        bucket.put("demo/churn/history/prod/00000002.json", b"{}")
        bucket.store().delete(["demo/churn/history/1.0.0/00000001.json", "demo/churn/prod"])
        changing = Dying(bucket.store(), point)
        try:
            repair(Registry(changing), spare=spare, apply=True)
        except Crash:
            died += 1
        assert repair(Registry(bucket.store()), spare=spare, apply=True).hopeless == ()
        assert view(bytes_of(bucket.store())) == sound, point
        if not changing.died:
            break
    assert died >= (6 if FULL else 2)


class Dying(CrashAt):
    """Dies before or after a call that changes something."""

    died = False

    def _tick(self, call: str, key: str) -> None:
        if call in {"create", "put_tree", "point", "restore", "delete"}:
            self.died = self._left == 0
            super()._tick(call, key)
