"""What is said of what is not there, and what finding it out costs."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import ModelName, Reference
from artreg.core.version import Version
from artreg.errors import NotFound
from artreg.registry.resolve import resolve
from artreg.registry.versions import read_manifest
from artreg.store.interface import Page, Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from registry.bench import CHURN, Bench


class Pages(MemoryStore):
    """Counts its listings."""

    asked = 0

    def page(self, prefix: str, after: str = "") -> Page:
        self.asked += 1
        return super().page(prefix, after)


MANY = [f"{number % 3}.{number // 30}.{number % 30}" for number in range(3000)]


def crowded(store: Store) -> Store:
    store.make_root()
    for version in MANY:
        store.create(keys.manifest_key(CHURN, Version.parse(version)), b"x")
    return store


def missing(store: Store, version: str, folder: Path) -> NotFound:
    with pytest.raises(NotFound) as caught:
        read_manifest(Bench(store, folder).registry, CHURN, Version.parse(version))
    return caught.value


def test_among_very_many_versions_the_near_ones_are_found_by_few_listings(tmp_path: Path) -> None:
    store = crowded(Pages(uuid.uuid4().hex))
    assert isinstance(store, Pages)
    error = missing(store, "2.77.100", tmp_path)
    assert store.asked <= 3
    suggestions = error.details["suggestions"]
    assert isinstance(suggestions, list)
    assert all(one.startswith("2.77.") for one in suggestions)
    assert len(suggestions) == 3
    assert error.hint.startswith("did you mean 2.77.")
    assert "newest" not in error.hint  # which they are would take listing all


def test_a_disk_lists_all_but_compares_few(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "registry")
    for version in MANY[:1100]:
        (tmp_path / "registry" / "demo" / "churn" / version).mkdir(parents=True)
    suggestions = missing(store, "1.20.100", tmp_path).details["suggestions"]
    assert isinstance(suggestions, list)
    assert all(one.startswith("1.20.") for one in suggestions)
    assert len(suggestions) == 3


@pytest.mark.parametrize("many", [False, True])
def test_a_number_that_was_begun_is_told_apart(many: bool, tmp_path: Path) -> None:
    store = MemoryStore(uuid.uuid4().hex)
    crowded(store) if many else store.make_root()
    version = Version.parse("9.9.9")
    store.create(keys.version_file(CHURN, version, "run.json"), b"{}")
    assert "begun but never finished" in missing(store, "9.9.9", tmp_path).hint
    store.create(keys.manifest_key(CHURN, version), TOMBSTONE)
    assert "the number is spent" in missing(store, "9.9.9", tmp_path).hint


def test_names_that_nobody_could_have_meant_are_not_suggested(tmp_path: Path) -> None:
    bench = Bench(MemoryStore(uuid.uuid4().hex), tmp_path)
    bench.store.make_root()
    bench.publish("1.0.0")
    for name in ("fraud", "x"):
        with pytest.raises(NotFound) as caught:
            resolve(bench.registry, Reference(ModelName("demo", name), Version.parse("1.0.0")))
        assert (caught.value.details["suggestions"], caught.value.hint) == ([], "there are: demo/churn")
