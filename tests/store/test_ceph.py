"""The S3 store against a real S3 server."""

import pytest

from store.bucket_contract import BucketContract
from store.contract import StoreContract


@pytest.mark.s3
class TestRealStore(StoreContract):
    @pytest.fixture
    def place(self, ceph_place):
        return ceph_place


@pytest.mark.s3
class TestRealBucket(BucketContract):
    @pytest.fixture
    def place(self, ceph_place):
        return ceph_place
