"""The store in memory."""

import pytest

from artreg.store.memory import MemoryStore
from store.contract import StoreContract
from store.places import MemoryPlace


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def place(self):
        return MemoryPlace()

    def test_stores_of_other_names_see_nothing(self, place, store):
        store.create("a", b"x")
        other = MemoryStore(f"{place._name}-other")
        other.make_root()
        assert other.page("").entries == ()
