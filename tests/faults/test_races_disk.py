"""Many processes at once on a disk."""

import pytest

from artreg.store.options import StorageOptions
from faults.races import Race, race_bumpers, race_promoters, race_publishers, race_readers
from sizes import size


@pytest.fixture
def race(tmp_path) -> Race:
    return Race(str(tmp_path / "registry"), StorageOptions(), tmp_path)


def test_promoters_lose_no_move(race):
    race_promoters(race, *size((6, 10), (20, 50), (20, 50)))


def test_publishers_of_one_version_have_one_winner(race):
    race_publishers(race, 16, size(15, 100, 1000))


def test_publishers_of_the_next_version_all_get_one(race):
    race_bumpers(race, *size((6, 3), (8, 5), (8, 5)))


def test_readers_get_whole_versions_while_the_alias_moves(race):
    race_readers(race, promoters=3, moves=size(8, 20, 20), readers=2)
