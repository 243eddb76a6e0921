"""The S3 store against a simulated S3."""

import pytest

from store.contract import StoreContract


class TestMotoStore(StoreContract):
    @pytest.fixture
    def place(self, moto_place):
        return moto_place
