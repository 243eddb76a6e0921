"""Histories of registries on a real S3: each could have come about one call after the other."""

import pytest

from artreg.errors import StorageError
from artreg.registry.doctor import diagnose
from artreg.registry.handle import Registry
from artreg.store.object import MARKED, MARKER
from histories.broken import ignoring
from histories.clients import Place, Task
from histories.contract import HistoriesContract
from histories.judged import CALLS, found_out, judge
from sizes import size
from store.proxy import Proxy

pytestmark = pytest.mark.s3


@pytest.fixture
def place(ceph_place):
    """A registry of its own for each number, in a bucket that was probed before."""

    def place(number: int, **changes: object) -> Place:
        ceph_place.put(f"{number}/{MARKER}", MARKED)
        return Place(f"{ceph_place.prefix}/{number}", ceph_place.bucket, ceph_place.options(**changes))

    return place


class TestOnCeph(HistoriesContract):
    where = "Ceph"
    random = size(5, 12, 100)
    judged = size(3, 6, 30)


def test_with_a_tenth_of_the_answers_broken(crowd, place, sources, ceph_place):
    with Proxy(ceph_place.endpoint, 0.1, seed=5) as proxy:
        settings = {"endpoint_url": proxy.url, "attempts": 2, "read_timeout": 0.5, "budget": 5.0}
        task = Task(place(0), sources, "a tenth of the answers of Ceph broken", CALLS)
        count = size(2, 4, 20)
        judge(crowd, task, count, place, kill=False, through=lambda number: place(number, **settings))
        assert proxy.broken > 0


def test_a_bucket_that_ignores_conditions_is_found_out(crowd, place, sources):
    task = Task(place(0), sources, "ignoring", CALLS, broken="the bucket ignores conditions")
    assert found_out(crowd, task, 20, place)
    store = ignoring(place(99).store())
    assert not all(finding.ok for finding in diagnose(Registry(store)))


def test_artreg_never_writes_to_a_bucket_that_ignores_conditions(ceph_place):
    with pytest.raises(StorageError, match="cannot hold a registry"):
        ignoring(Place(ceph_place.prefix, ceph_place.bucket, ceph_place.options()).store()).prepare_writing()
