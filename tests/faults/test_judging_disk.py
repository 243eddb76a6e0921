"""Many processes on a disk: some move aliases, some forbid it."""

from artreg.store.options import StorageOptions
from faults.judges import race_judges
from faults.races import Race
from sizes import size


def test_movers_never_overtake_judges(tmp_path):
    race = Race(str(tmp_path / "registry"), StorageOptions(), tmp_path)
    race_judges(race, movers=8, seconds=size(1.5, 10, 60), rest=0.05)
