"""The soak, for a few seconds: that it reads, writes, and notices what it is there to notice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "scripts" / "soak.py"


@pytest.mark.slow
def test_a_short_soak_is_clean(tmp_path):
    words = [sys.executable, SOAK, "--minutes", "0.05", "--rest", "0.02", "--json", "--root", tmp_path / "registry"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert (found["torn"], found["failed"], found["damaged"]) == ([], [], [])
    assert found["reads"] > 10
    assert found["writes"] > 5
    assert set(found["processes"]) == {"reader 0", "reader 1", "writer 0", "writer 1"}
