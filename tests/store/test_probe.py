"""A storage that does not keep its promises is found out."""

import pytest

from artreg.errors import StorageError
from artreg.store.interface import Pointer
from artreg.store.probe import probe
from store.fakes import DictFileSystem
from store.faults import Deaf, Stale, Unconditional, Wrapper
from store.places import GenericPlace


def failed(store) -> set[str]:
    return {finding.check for finding in probe(store) if not finding.ok}


@pytest.mark.parametrize("broken", [Unconditional, Deaf])
def test_store_that_ignores_conditions_is_found_out(memory_store, broken):
    findings = {finding.check: finding for finding in probe(broken(memory_store))}
    assert not findings["conditional-writes"].ok
    assert "use another" in findings["conditional-writes"].hint
    assert not findings["race"].ok
    assert list(memory_store.walk("")) == []


def test_bucket_that_ignores_conditions_is_refused():
    place = GenericPlace(DictFileSystem(broken=True))
    assert {"conditional-writes", "race"} <= failed(place.store())
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot hold a registry"):
            place.store().prepare_writing()
    assert place.keys() == []


def test_marker_that_says_something_else_is_no_proof():
    place = GenericPlace(DictFileSystem(broken=True))
    place.put(".artreg/conditional-writes", b"{}")
    with pytest.raises(StorageError):
        place.store().prepare_writing()


def test_marker_spares_the_probe():
    place = GenericPlace(DictFileSystem())
    place.store().prepare_writing()
    assert place.keys() == [".artreg/conditional-writes"]
    place.fs.pipe_file = None  # a write would fail now
    place.store().prepare_writing()


class _Stuck(Wrapper):
    def point(self, key, pointer):
        if self.inner.pointer(key) is None:
            self.inner.point(key, pointer)


class _Keeping(Wrapper):
    def delete(self, keys):
        pass


class _Altering(Wrapper):
    def read(self, key, limit=2**20):
        return self.inner.read(key, limit) + b"!"


class _ReadOnly(Wrapper):
    def create(self, key, data):
        raise StorageError("it is read-only", hint="Mount it for writing.")


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (_Stuck, {"pointer"}),
        (_Keeping, {"deletable"}),
        (_Altering, {"readable"}),
        (_ReadOnly, {"writable"}),
    ],
)
def test_each_broken_promise_is_found(memory_store, broken, expected):
    assert expected <= failed(broken(memory_store))


def test_stale_listing_is_found(memory_store):
    stale = Stale(memory_store)

    class Early(Wrapper):
        def create(self, key, data):
            stale.page(key.rpartition("/")[0])  # before anything is there
            self.inner.create(key, data)

    assert failed(Early(stale)) == {"listing"}


def test_hint_of_what_failed_is_passed_on(memory_store):
    (finding,) = probe(_ReadOnly(memory_store))
    assert (finding.message, finding.hint) == ("it is read-only", "Mount it for writing.")


def test_probe_does_not_touch_its_neighbours(memory_store):
    memory_store.create("a/b", b"x")
    memory_store.point("a/p", Pointer("b"))
    assert failed(memory_store) == set()
    assert [entry.name for entry in memory_store.walk("")] == ["a/b", "a/p"]
