"""The S3 store against a real S3 server."""

import pytest

from store.contract import StoreContract


@pytest.mark.s3
class TestRealStore(StoreContract):
    @pytest.fixture
    def place(self, ceph_place):
        return ceph_place
