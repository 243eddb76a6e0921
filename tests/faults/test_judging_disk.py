"""Many processes on a disk: some move aliases, some forbid it."""

import os

from artreg.store.options import StorageOptions
from faults.judges import race_judges
from faults.races import Race

FULL = bool(os.environ.get("ARTREG_TEST_FULL"))  # as .ci/run sets it


def test_movers_never_overtake_judges(tmp_path):
    race = Race(str(tmp_path / "registry"), StorageOptions(), tmp_path)
    race_judges(race, movers=8, seconds=10 if FULL else 3, rest=0.05)
