"""Exports through the cache: what it has is not fetched again, and what they fetch is there for the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artreg.consuming import gathering
from artreg.consuming.handle import Consumer
from artreg.consuming.remembering import resolve
from artreg.consuming.shelf import work_on
from artreg.errors import ArtregError, IntegrityError, NotFound, StorageError
from artreg.exporting.card import find_card
from artreg.exporting.documents import export_croissant, export_cyclonedx
from artreg.exporting.huggingface import export_huggingface
from artreg.exporting.mlflow import export_mlflow
from artreg.exporting.oci import export_oci
from artreg.registry.handle import Registry
from artreg.registry.origin import FILES
from artreg.store.memory import MemoryStore
from consuming.shop import Shop, content
from exporting.made import REF, meant, published, registry_on, trained

FOLDERS = {"oci": export_oci, "huggingface": export_huggingface, "mlflow": export_mlflow}
DOCUMENTS: list[Callable[..., Any]] = [export_cyclonedx, export_croissant, find_card]


@pytest.fixture
def shop(memory_store: MemoryStore, tmp_path: Path) -> Shop:
    registry = registry_on(memory_store)
    published(registry, tmp_path / "made", trained())
    return Shop(registry, tmp_path)


def exported(consumer: Consumer, to: str, out: Path) -> dict[str, bytes]:
    known = resolve(consumer, REF).found
    _, note = work_on(consumer, known, lambda registry: FOLDERS[to](registry, known, out))
    assert note == ""
    return content(out)


def document(consumer: Consumer, make: Callable[..., Any]) -> Any:
    known = resolve(consumer, REF).found
    return work_on(consumer, known, lambda registry: make(registry, known), only=FILES)[0]


def asked(shop: Shop) -> set[str]:
    """Return what the registry was asked for of the version's files."""
    return {key.removeprefix("demo/churn/1.2.1/") for _, key in shop.watched.calls if "/1.2.1/" in key}


@pytest.mark.parametrize("to", FOLDERS)
def test_what_was_fetched_once_is_not_fetched_again(shop: Shop, tmp_path: Path, to: str) -> None:
    FOLDERS[to](shop.registry, meant(shop.registry), tmp_path / "plain")
    assert exported(shop.consumer(), to, tmp_path / "one") == content(tmp_path / "plain")
    assert "model.skops" in asked(shop)
    shop.watched.calls.clear()
    assert exported(shop.consumer(), to, tmp_path / "two") == content(tmp_path / "plain")
    pulled, _ = shop.pull(str(REF))
    assert pulled.fetched == 0
    assert asked(shop) <= {"checksum.txt"}  # which says that there is such a version
    assert exported(shop.consumer(offline=True), to, tmp_path / "three") == content(tmp_path / "plain")


def test_what_was_pulled_is_not_fetched(shop: Shop, tmp_path: Path) -> None:
    shop.pull(str(REF))
    shop.watched.calls.clear()
    exported(shop.consumer(), "oci", tmp_path / "out")
    assert asked(shop) <= {"checksum.txt"}


@pytest.mark.parametrize("make", DOCUMENTS, ids=lambda make: make.__name__)
def test_for_a_document_no_model_is_fetched(shop: Shop, make: Callable[..., Any]) -> None:
    plain = make(shop.registry, meant(shop.registry))
    assert document(shop.consumer(), make) == plain
    assert "model.skops" not in asked(shop)
    assert shop.watched.bytes < 2000
    if make is export_croissant:  # only the registry knows where it keeps the data
        with pytest.raises(StorageError, match="takes asking the registry"):
            document(shop.consumer(offline=True), make)
    else:
        assert document(shop.consumer(offline=True), make) == plain


def test_offline_what_the_cache_lacks_is_missing(shop: Shop, tmp_path: Path) -> None:
    document(shop.consumer(), export_cyclonedx)
    with pytest.raises(NotFound, match="the cache lacks 3 of the 7"):
        exported(shop.consumer(offline=True), "oci", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "damage"), [("model.skops", b"o"), ("metrics.json", b""), ("run.json", b"{}")])
def test_what_is_damaged_in_the_cache_is_fetched_again(shop: Shop, tmp_path: Path, name: str, damage: bytes) -> None:
    shop.pull(str(REF))
    path = Path(shop.cache.path(meant_files(shop)[name]))
    path.chmod(0o644)
    path.write_bytes(damage)
    FOLDERS["huggingface"](shop.registry, meant(shop.registry), tmp_path / "plain")
    assert exported(shop.consumer(), "huggingface", tmp_path / "out") == content(tmp_path / "plain")
    assert exported(shop.consumer(offline=True), "huggingface", tmp_path / "again") == content(tmp_path / "plain")


def meant_files(shop: Shop) -> Any:
    from artreg.registry.contents import pinned_manifest

    return pinned_manifest(shop.registry, meant(shop.registry)).files


def test_offline_damage_is_said_to_be_of_the_cache(shop: Shop, tmp_path: Path) -> None:
    shop.pull(str(REF))
    path = Path(shop.cache.path(meant_files(shop)["model.skops"]))
    path.chmod(0o644)
    path.write_bytes(b"." * path.stat().st_size)
    with pytest.raises(ArtregError, match="the cache"):
        exported(shop.consumer(offline=True), "oci", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_room_in_the_cache_it_is_done_without(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gathering, "fill", full)
    known = resolve(shop.consumer(), REF).found
    _, note = work_on(shop.consumer(), known, lambda registry: export_oci(registry, known, tmp_path / "out"))
    assert note == f"warning: done without the cache {shop.cache.folder}: no space left on device"
    export_oci(shop.registry, known, tmp_path / "plain")
    assert content(tmp_path / "out") == content(tmp_path / "plain")


def test_work_that_fills_no_disk_is_done_once_and_keeps_what_came(shop: Shop) -> None:
    tried: list[Registry] = []

    def unreachable(registry: Registry) -> None:
        tried.append(registry)
        raise StorageError("no server")

    known = resolve(shop.consumer(), REF).found
    with pytest.raises(StorageError, match="no server"):
        work_on(shop.consumer(), known, unreachable, fills=False)
    assert len(tried) == 1
    assert shop.pull(str(REF))[0].fetched == 0


def test_a_damaged_version_is_not_blamed_on_the_cache(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "registry/demo/churn/1.2.1/model.skops"
    path.chmod(0o644)
    path.write_bytes(b"." * path.stat().st_size)
    with pytest.raises(IntegrityError) as raised:
        exported(Shop(registry, tmp_path).consumer(), "oci", tmp_path / "out")
    assert "cache" not in raised.value.message
    assert not (tmp_path / "out").exists()
