"""The object store on any fsspec file system that can create if absent."""

import pytest

from store.contract import StoreContract
from store.fakes import DictFileSystem
from store.places import GenericPlace


class TestGenericStore(StoreContract):
    @pytest.fixture(params=[True, False], ids=["tags", "no-tags"])
    def place(self, request):
        return GenericPlace(DictFileSystem(tags=request.param))
