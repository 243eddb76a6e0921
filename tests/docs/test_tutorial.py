"""The tutorial, followed word for word by somebody who has nothing but a clone.

`ARTREG_TEST_WRITE=1 pytest -m slow tests/docs/test_tutorial.py` writes what its commands print into the page anew.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.sessions import ROOT, newcomer, read


@pytest.mark.slow  # it installs everything anew, by uv
def test_the_tutorial_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "artreg"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    assert read("docs/tutorial.md", clone, newcomer()) >= 30
