"""The S3 store against a simulated S3."""

import pytest

from store.bucket_contract import BucketContract
from store.contract import StoreContract


class TestMotoStore(StoreContract):
    @pytest.fixture
    def place(self, moto_place):
        return moto_place


class TestMotoBucket(BucketContract):
    @pytest.fixture
    def place(self, moto_place):
        return moto_place
