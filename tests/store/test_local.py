"""The store on a disk."""

import pytest

from store.contract import StoreContract
from store.places import LocalPlace


class TestLocalStore(StoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        return LocalPlace(tmp_path / "registry")
