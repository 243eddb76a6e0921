"""Pulling through the cache: what it has is not fetched, and whatever is wrong with it, what is pulled is right."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.consuming import filling, gathering, reading
from artreg.consuming.keeping import prune, usage
from artreg.consuming.leases import leased
from artreg.consuming.reading import find_contents, open_file, version_folder
from artreg.consuming.remembering import resolve
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import Reference
from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import replace
from artreg.registry.contents import held
from artreg.registry.demands import Demands
from artreg.registry.resolve import Resolved
from artreg.registry.seen import memory
from artreg.store.interface import TreeFile
from artreg.store.local import LocalStore
from consuming.shop import Shop, content, damage
from registry.bench import CHURN, FREE, Bench

PROD = "churn@free"


def test_what_the_cache_has_is_not_fetched(shop: Shop) -> None:
    first, one = shop.pull(PROD)
    assert first.created
    assert first.fetched == first.bytes - (one / "checksum.txt").stat().st_size
    shop.watched.calls.clear()
    second, two = shop.pull(PROD)
    assert second.created
    assert second.fetched == 0
    assert content(one) == content(two)
    assert {call for call, key in shop.watched.calls if "/history/free" not in key} == set()


def test_pulled_files_are_read_only_and_have_a_second_name_only_where_that_is_wished(shop: Shop) -> None:
    _, copied = shop.pull(PROD)
    assert (copied / "model.bin").stat().st_nlink == 1
    _, linked = shop.pull(PROD, link=True)
    assert (linked / "model.bin").stat().st_ino == shop.model().stat().st_ino
    for folder in (copied, linked):
        assert (folder / "model.bin").stat().st_mode & 0o777 == 0o444
    assert shop.model().stat().st_mode & 0o777 == 0o444


def test_what_two_versions_share_is_fetched_once(shop: Shop, bench: Bench) -> None:
    from consuming.conftest import MODEL

    shop.pull(PROD)
    bench.publish("1.1.0", MODEL, loss=0.5)
    before = shop.watched.bytes
    shop.pull("churn@1.1.0")
    assert shop.watched.bytes - before < 10_000


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inner").write_text("x")


def replaced_by_a_link(path: Path) -> None:
    path.rename(path.with_name("aside"))
    path.symlink_to("aside")


def emptied(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def made_longer(path: Path) -> None:
    path.chmod(0o644)
    with path.open("ab") as file:
        file.write(b"x")


DAMAGES: list[Callable[[Path], object]] = [
    damage,
    emptied,
    made_longer,
    Path.unlink,
    replaced_by_a_folder,
    replaced_by_a_link,
]


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("harm", DAMAGES)
def test_a_damaged_file_is_thrown_away_and_fetched_again(
    harm: Callable[[Path], object], link: bool, shop: Shop
) -> None:
    _, right = shop.pull(PROD)
    place, size = shop.model(), shop.model().stat().st_size
    harm(place)
    again, folder = shop.pull(PROD, link=link)
    assert content(folder) == content(right)
    assert again.fetched == size or harm is replaced_by_a_link
    assert place.is_file()
    assert not place.is_symlink()
    shop.pull(PROD, offline=True)


def test_every_file_may_be_damaged_at_once(shop: Shop) -> None:
    _, right = shop.pull(PROD)
    for path in shop.files():
        damage(path)
    assert content(shop.pull(PROD)[1]) == content(right)


def test_a_file_that_changes_while_it_is_taken_does_not_get_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after it was fetched it is not hashed again; so its stamp must tell."""
    real = gathering.fill

    def fill_and_alter(cache, sha256, *rest):
        stamp = real(cache, sha256, *rest)
        if len(shop.files()) > 3:
            damage(shop.model())
            monkeypatch.setattr(gathering, "fill", real)
        return stamp

    monkeypatch.setattr(gathering, "fill", fill_and_alter)
    _, folder = shop.pull(PROD)
    monkeypatch.undo()
    assert content(folder) == content(shop.pull(PROD, cache=False)[1])


def test_a_version_that_is_damaged_in_the_registry_is_refused_and_never_kept(shop: Shop, bench: Bench) -> None:
    key = "demo/churn/1.0.0/model.bin"
    data = bytearray(bench.store.read(key))
    data[5] ^= 1
    bench.store.delete([key])
    bench.store.create(key, bytes(data))
    with pytest.raises(IntegrityError):
        shop.pull(PROD)
    assert not [path for path in shop.folder.iterdir() if path.name.startswith("out-")]
    assert all(path.stat().st_size < 10_000 for path in shop.files())
    assert os.listdir(shop.folder / "cache" / "partial") == []


def test_what_came_is_gone_on_with(shop: Shop) -> None:
    _, right = shop.pull(PROD)
    place = shop.model()
    data = place.read_bytes()
    partial = shop.folder / "cache" / "partial" / place.name
    place.unlink()
    partial.write_bytes(data[:400_000])
    shop.watched.starts.clear()
    again, folder = shop.pull(PROD)
    assert content(folder) == content(right)
    assert shop.watched.starts == [400_000]
    assert again.fetched == len(data) - 400_000
    assert not partial.exists()


@pytest.mark.parametrize("rubbish", [b"x" * 1000, b"x" * 600_000, b"x" * 700_000, b""])
def test_what_came_is_not_believed(rubbish: bytes, shop: Shop) -> None:
    _, right = shop.pull(PROD)
    place = shop.model()
    place.unlink()
    (shop.folder / "cache" / "partial" / place.name).write_bytes(rubbish)
    assert content(shop.pull(PROD)[1]) == content(right)


def test_a_fetch_that_breaks_off_leaves_what_came(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shop.watched.inner.chunks

    def broken(key: str, start: int = 0):
        for place, piece in enumerate(real(key, start)):
            if place == 3:
                raise StorageError("the network is gone")
            yield piece[:1000] if place == 2 else piece

    monkeypatch.setattr("artreg.store.memory._PIECE", 100_000)
    monkeypatch.setattr(shop.watched.inner, "chunks", broken)
    with pytest.raises(StorageError, match="network"):
        shop.pull(PROD)
    monkeypatch.setattr(shop.watched.inner, "chunks", real)
    shop.watched.starts.clear()
    shop.pull(PROD)
    assert max(shop.watched.starts) == 201_000


# The cache cannot be used


def no_folder(shop: Shop) -> None:
    (shop.folder / "cache").write_text("a file is in the way")


def no_room(shop: Shop) -> None:
    (shop.folder / "cache" / "partial").rmdir()
    (shop.folder / "cache" / "partial").write_text("a file is in the way")


@pytest.mark.parametrize("harm", [no_folder, no_room])
def test_without_a_cache_that_can_be_written_it_goes_on_and_says_so(harm: Callable[[Shop], None], shop: Shop) -> None:
    if harm is no_room:
        shop.cache.make()
    harm(shop)
    pulled, folder = shop.pull(PROD)
    assert "without the cache" in pulled.notes[0]
    assert content(folder) == content(shop.pull(PROD, cache=False)[1])


def test_a_disk_that_is_full_is_no_trouble(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: int, *rest: object, **more: object) -> tuple[int, str]:
        os.write(target, b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(filling, "write_hashed", full)
    pulled, folder = shop.pull(PROD)
    assert "no space left" in pulled.notes[0]
    assert content(folder) == content(shop.pull(PROD, cache=False)[1])
    assert os.listdir(shop.folder / "cache" / "partial") == []


def test_a_disk_with_room_for_one_copy_gets_the_one_that_is_wanted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tried = LocalStore.put_tree, []

    def put_tree(self: LocalStore, prefix: str, files: list[TreeFile], **rest: object) -> None:
        tried.append(any(isinstance(file.source, Path) for file in files))
        if tried[-1]:
            raise StorageError("no space left", errno="ENOSPC")
        real(self, prefix, files, **rest)

    monkeypatch.setattr(LocalStore, "put_tree", put_tree)
    pulled, _ = shop.pull(PROD)
    assert tried == [True, False]
    assert "no space left" in pulled.notes[0]
    assert not [path for path in shop.files() if path.stat().st_size > 10_000]


def test_what_has_too_little_room_is_not_begun(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = os.statvfs_result((4096, 4096, 0, 0, 200, 0, 0, 0, 0, 255))
    monkeypatch.setattr(gathering.os, "statvfs", lambda _: figures)
    pulled, _ = shop.pull(PROD)
    assert "too little room" in pulled.notes[0]
    assert all(path.stat().st_size < 10_000 for path in shop.files())


def test_a_folder_that_holds_something_else_stays_as_it_is(shop: Shop) -> None:
    from artreg.consuming.pull import pull

    consumer = shop.consumer()
    found = resolve(consumer, Reference.parse(PROD, "demo")).found
    (shop.folder / "there").mkdir()
    (shop.folder / "there" / "mine").write_text("mine")
    with pytest.raises(AlreadyExists):
        pull(consumer, found, LocalStore(shop.folder), "there")
    assert content(shop.folder / "there") == {"mine": b"mine"}


def test_for_a_folder_that_is_there_already_nothing_is_fetched(shop: Shop) -> None:
    from artreg.consuming.pull import pull

    _, folder = shop.pull(PROD)
    shutil.rmtree(shop.folder / "cache")
    shop.watched.bytes = 0
    found = resolve(shop.consumer(), Reference.parse(PROD, "demo")).found
    again = pull(shop.consumer(), found, LocalStore(shop.folder), folder.name)
    assert (again.created, again.fetched, again.files) == (False, 0, 4)
    assert shop.watched.bytes == 0


# The size


def test_a_pull_keeps_the_cache_within_its_size(shop: Shop, bench: Bench) -> None:
    shop.limit = 1_500_000
    for number in range(4):
        bench.publish(f"2.{number}.0", str(number) * 600_000)
        shop.pull(f"churn@2.{number}.0")
        assert usage(shop.cache).bytes <= 1_500_000
    shop.watched.calls.clear()
    assert shop.pull("churn@2.3.0")[0].fetched == 0
    assert shop.pull("churn@2.0.0")[0].fetched != 0


def test_files_that_are_opened_keep_the_cache_within_its_size(shop: Shop, bench: Bench) -> None:
    shop.limit = 1_500_000
    for number in range(4):
        bench.publish(f"2.{number}.0", str(number) * 600_000)
        found = resolve(shop.consumer(), Reference.parse(f"churn@2.{number}.0", "demo")).found
        with open_file(shop.consumer(), found, "model.bin") as file:
            assert usage(shop.cache).bytes <= 1_500_000
            assert file.read() == str(number).encode() * 600_000


def test_a_version_larger_than_the_cache_is_pulled_all_the_same(shop: Shop) -> None:
    shop.limit = 1000
    pulled, folder = shop.pull(PROD)
    assert pulled.notes == ()
    assert content(folder) == content(shop.pull(PROD, cache=False)[1])
    assert usage(shop.cache).bytes <= 1000


def test_what_is_in_use_is_not_removed(shop: Shop) -> None:
    shop.pull(PROD)
    names = {path.name for path in shop.files()}
    with leased(shop.cache, [shop.model().name]):
        removed = prune(shop.cache, 0)
        assert [path.name for path in shop.files()] == [shop.model().name]
        assert (removed.files, removed.in_use) == (len(names) - 1, 1)
    assert prune(shop.cache, 0).files == 1


# Files and folders for use where they lie


def test_a_version_in_the_cache_is_a_folder(shop: Shop) -> None:
    folder = version_folder(shop.consumer(), resolve(shop.consumer(), Reference.parse(PROD, "demo")).found)
    assert content(folder) == content(shop.pull(PROD)[1])
    assert (folder / "model.bin").stat().st_ino == shop.model().stat().st_ino
    damage(folder / "model.bin")
    found = resolve(shop.consumer(), Reference.parse(PROD, "demo")).found
    assert content(version_folder(shop.consumer(), found)) == content(shop.pull(PROD, cache=False)[1])
    prune(shop.cache, 0)
    assert folder.exists(), "this process still uses it"


def test_a_file_is_opened_verified(shop: Shop) -> None:
    consumer = shop.consumer()
    found = resolve(consumer, Reference.parse(PROD, "demo")).found
    data = shop.watched.inner.read("demo/churn/1.0.0/model.bin")
    for again in range(3):
        with open_file(consumer, found, "model.bin") as file:
            assert file.read() == data
        if again == 1:
            damage(shop.model())
    with open_file(shop.consumer(cache=False), found, "model.bin") as file:
        assert file.read() == data
    with open_file(shop.consumer(offline=True), found, "model.bin") as file:
        assert file.read() == data
    for consumer in (shop.consumer(), shop.consumer(cache=False)):
        with pytest.raises(NotFound, match="no file"):
            open_file(consumer, found, "other")
        with open_file(consumer, found, "checksum.txt") as file:
            assert b"model.bin" in file.read()
    shutil.rmtree(shop.folder / "cache")
    with pytest.raises(NotFound):
        open_file(shop.consumer(offline=True), found, "model.bin")


# Offline


def test_offline_nothing_is_asked(shop: Shop) -> None:
    _, right = shop.pull(PROD)
    shop.watched.calls.clear()
    _, folder = shop.pull(PROD, offline=True)
    assert content(folder) == content(right)
    assert content(shop.pull("churn@1.0.0", offline=True)[1]) == content(right)
    assert shop.watched.calls == []


def test_offline_an_alias_is_what_it_was_and_that_is_said(shop: Shop, bench: Bench) -> None:
    shop.pull(PROD)
    bench.publish("1.1.0")
    bench.promote("1.1.0")
    known = resolve(shop.consumer(offline=True), Reference.parse(PROD, "demo"))
    assert str(known.found.version) == "1.0.0"
    assert f"as of {known.as_of}" in known.note
    assert resolve(shop.consumer(offline=True), Reference.parse("churn@1.0.0", "demo")).note == ""


def test_offline_what_is_not_there_is_not_there(shop: Shop) -> None:
    with pytest.raises(NotFound, match="remembered"):
        shop.pull(PROD, offline=True)
    shop.pull(PROD)
    shop.model().unlink()
    with pytest.raises(NotFound, match="lacks 1 of the 3 files"):
        shop.pull(PROD, offline=True)
    with pytest.raises(InvalidInput):
        shop.pull(PROD, offline=True, cache=False)


def test_offline_a_damaged_file_is_found(shop: Shop) -> None:
    shop.pull(PROD)
    damage(shop.model())
    with pytest.raises(NotFound, match="lacks 1"):
        shop.pull(PROD, offline=True)


def test_what_is_remembered_of_another_registry_is_not_taken(shop: Shop) -> None:
    shop.pull(PROD)
    elsewhere = replace(shop.consumer(offline=True), place="elsewhere")
    with pytest.raises(NotFound):
        resolve(elsewhere, Reference.parse(PROD, "demo"))
    (remembered,) = [p for p in (shop.folder / "cache" / "resolved").iterdir() if b'"free"' in p.read_bytes()]
    remembered.write_bytes(remembered.read_bytes().replace(b"1.0.0", b"0.9.0 "))
    with pytest.raises(NotFound):
        resolve(shop.consumer(offline=True), Reference.parse(PROD, "demo"))


def test_offline_what_is_demanded_of_an_alias_holds(shop: Shop, bench: Bench, tmp_path: Path) -> None:
    def asked(demands: Demands, target: str = PROD) -> Resolved:
        consumer = shop.consumer(offline=True)
        consumer = replace(consumer, registry=replace(consumer.registry, demands=demands))
        return resolve(consumer, Reference.parse(target, "demo")).found

    shop.pull(PROD)
    seen = memory(str(tmp_path / "seen"), bench.store.url)
    seen.learn(CHURN, FREE, 1, "0" * 64, "1.0.0")
    assert str(asked(Demands(seen)).version) == "1.0.0"
    assert asked(Demands(max_age=timedelta(hours=1))).generation == 1
    seen.learn(CHURN, FREE, 2, "0" * 64, "1.1.0")
    signers = Demands(moved_by=SignedBy(AllowedSigners(("* ssh-ed25519 AAAA",))))
    for demands in (Demands(seen), Demands(max_age=timedelta()), signers):
        with pytest.raises(IntegrityError):
            asked(demands)
        assert asked(demands, "churn@1.0.0").digest


def test_what_is_loaded_comes_from_the_cache_and_is_verified(shop: Shop) -> None:
    _, right = shop.pull(PROD)
    reference = Reference.parse(PROD, "demo")
    for harm in (None, damage, emptied, made_longer):
        if harm:
            harm(shop.model())
        shop.watched.bytes = 0
        contents = find_contents(shop.consumer(), reference)
        with held(contents, ["model.bin"]) as files:
            assert files["model.bin"].read() == (right / "model.bin").read_bytes()
        assert bool(shop.watched.bytes) == bool(harm)
    contents = find_contents(shop.consumer(offline=True), reference)
    with held(contents, ["model.bin"]) as files:
        assert files["model.bin"].read() == (right / "model.bin").read_bytes()


def test_what_is_remembered_of_one_reference_is_not_taken_for_another(shop: Shop) -> None:
    shop.pull(PROD)
    of = {
        b'"free"' in path.read_bytes(): path for path in (shop.folder / "cache" / "resolved").iterdir()
    }  # the alias, and the version
    of[True].write_bytes(of[False].read_bytes())
    with pytest.raises(NotFound, match="remembered"):
        resolve(shop.consumer(offline=True), Reference.parse(PROD, "demo"))


def test_what_was_finished_or_removed_before_it_was_locked_is_claimed_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone = filling._lock, []

    def lock(descriptor: int) -> bool:
        for path in (shop.folder / "cache" / "partial").iterdir():
            if path.name not in gone:
                gone.append(path.name)
                path.unlink(missing_ok=True)  # another thread may have finished it meanwhile
        return real(descriptor)

    monkeypatch.setattr(filling, "_lock", lock)
    pulled, _ = shop.pull(PROD)
    assert gone
    assert pulled.notes == ()
    assert shop.pull(PROD)[0].fetched == 0


def test_the_folder_of_a_version_goes_with_its_files(shop: Shop) -> None:
    found = resolve(shop.consumer(), Reference.parse(PROD, "demo")).found
    folder = version_folder(shop.consumer(), found)
    os.close(reading._in_use.pop((shop.cache.folder, found.digest)))  # as when the process ends
    prune(shop.cache, 10**9)
    assert folder.exists()
    prune(shop.cache, 0)
    assert not folder.exists()


def test_what_somebody_is_fetching_is_not_removed(shop: Shop) -> None:
    shop.cache.make()
    partial = shop.folder / "cache" / "partial" / ("0" * 64)
    with partial.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert prune(shop.cache, 0).files == 0
        assert partial.exists()
    assert prune(shop.cache, 0).files == 1
    assert not partial.exists()
