"""Damage is found by `verify`, which names it, and whoever asks for the damaged thing is refused."""

import os
import shutil

import pytest

from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, NotFound
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from faults.build import MODEL, POLICY, PROD, V1, V2, V3, assert_sound, make_history, make_sources
from faults.damage import EXTRA_DAMAGE, HISTORY_DAMAGE, QUIET_DAMAGE, VERSION_DAMAGE

REFUSED = (IntegrityError, NotFound)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    store = LocalStore(folder / "registry")
    store.make_root()
    sources = make_sources(folder / "sources")
    make_history(Registry(store), sources)
    publish(Registry(store), MODEL, sources / "one", Version(1, 3, 0))
    assert_sound(Registry(store))
    return folder / "registry"


@pytest.fixture
def root(template, tmp_path):
    return shutil.copytree(template, tmp_path / "a" / "registry", symlinks=True)


@pytest.fixture
def pulled():
    store = MemoryStore(f"pulled {os.urandom(8).hex()}")
    store.make_root()
    return store


def _each(cases):
    return pytest.mark.parametrize("damage", cases, ids=[case.name for case in cases])


@_each([*VERSION_DAMAGE, *EXTRA_DAMAGE, *HISTORY_DAMAGE, *QUIET_DAMAGE])
def test_verify_names_it(root, damage):
    damage.do(root / "demo" / "churn")
    report = verify(Registry(LocalStore(root)))
    assert not report.ok
    named = {(checked.ref, problem.file) for checked in report.checked for problem in checked.problems}
    assert (f"{MODEL}@{damage.ref}", damage.file) in named


@_each(VERSION_DAMAGE)
def test_nobody_is_given_a_damaged_version(root, pulled, damage):
    registry = Registry(LocalStore(root))
    damage.do(root / "demo" / "churn")
    before = _names(root)
    with pytest.raises(REFUSED):
        pull(registry, Reference(MODEL, V2), pulled, "here")
    with pytest.raises(REFUSED):
        promote(registry, MODEL, V2, PROD, POLICY)
    with pytest.raises(REFUSED):
        rollback(registry, MODEL, PROD, POLICY, to=V2, reason="back")
    assert _names(root) == before
    assert list(pulled.walk("")) == []
    assert resolve(registry, Reference(MODEL, PROD)).version == V1


@_each(EXTRA_DAMAGE)
def test_nobody_moves_to_a_version_with_something_extra(root, pulled, damage):
    registry = Registry(LocalStore(root))
    damage.do(root / "demo" / "churn")
    before = _names(root)
    with pytest.raises(IntegrityError):
        promote(registry, MODEL, V2, PROD, POLICY)
    with pytest.raises(IntegrityError):
        rollback(registry, MODEL, PROD, POLICY, to=V2, reason="back")
    assert _names(root) == before
    with pytest.raises(IntegrityError):
        pull(registry, Reference(MODEL, V2), pulled, "here")
    assert list(pulled.walk("")) == []


@_each(HISTORY_DAMAGE)
def test_nobody_goes_by_a_damaged_history(root, pulled, damage):
    registry = Registry(LocalStore(root))
    damage.do(root / "demo" / "churn")
    before = _names(root)
    for ask in (
        lambda: resolve(registry, Reference(MODEL, PROD)),
        lambda: promote(registry, MODEL, V3, PROD, POLICY),
        lambda: rollback(registry, MODEL, PROD, POLICY, reason="back"),
        lambda: pull(registry, Reference(MODEL, PROD), pulled, "here"),
    ):
        with pytest.raises(ArtregError) as caught:
            ask()
        assert type(caught.value) is IntegrityError
    assert _names(root) == before
    assert list(pulled.walk("")) == []


def test_move_to_what_a_record_does_not_pin_is_refused(root, pulled):
    registry = Registry(LocalStore(root))
    damage = next(case for case in QUIET_DAMAGE if "pointed elsewhere" in case.name)
    damage.do(root / "demo" / "churn")
    with pytest.raises(IntegrityError):
        pull(registry, Reference(MODEL, PROD), pulled, "here")
    assert list(pulled.walk("")) == []


@pytest.mark.parametrize("target", ["1.2.0", "/etc"])
def test_pointer_that_somebody_edited_is_not_trusted(root, target):
    registry = Registry(LocalStore(root))
    (root / "demo/churn/prod").unlink()
    (root / "demo/churn/prod").symlink_to(target)
    assert resolve(registry, Reference(MODEL, PROD)).version == V1
    promote(registry, MODEL, V3, PROD, POLICY)
    assert os.readlink(root / "demo/churn/prod") == "1.2.0"
    assert_sound(registry)


def test_an_empty_folder_is_no_version_and_no_damage(root):
    (root / "demo/churn/9.0.0").mkdir()
    assert_sound(Registry(LocalStore(root)))


def _names(root) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
