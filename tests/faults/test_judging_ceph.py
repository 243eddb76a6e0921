"""Many processes on a real S3: some move aliases, some forbid it."""

import pytest

from faults.judges import race_judges
from faults.races import Race

pytestmark = pytest.mark.s3


def test_movers_never_overtake_judges(ceph_place, tmp_path):
    race = Race(f"s3://{ceph_place.bucket}/{ceph_place.prefix}", ceph_place.options(), tmp_path)
    race_judges(race, movers=8, seconds=20, rest=1)
