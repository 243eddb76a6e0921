"""Many processes at once on a real S3."""

import pytest

from faults.races import Race, race_bumpers, race_promoters, race_publishers, race_readers
from sizes import size

pytestmark = pytest.mark.s3


@pytest.fixture
def race(ceph_place, tmp_path) -> Race:
    return Race(f"s3://{ceph_place.bucket}/{ceph_place.prefix}", ceph_place.options(), tmp_path)


def test_promoters_lose_no_move(race):
    race_promoters(race, *size((8, 25), (8, 25), (20, 50)), rest=size(0.0, 0.0, 0.5))


def test_publishers_of_one_version_have_one_winner(race):
    race_publishers(race, 16, size(50, 100, 200))


def test_publishers_of_the_next_version_all_get_one(race):
    race_bumpers(race, 6, 3)


def test_readers_get_whole_versions_while_the_alias_moves(race):
    race_readers(race, promoters=3, moves=10, readers=2)
