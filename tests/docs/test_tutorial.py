"""The tutorial, followed word for word by somebody who has nothing but a clone.

`ARTREG_TEST_WRITE=1 pytest -m slow tests/docs/test_tutorial.py` writes what its commands print into the page anew.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from docs.sessions import ROOT, done, every_block, follow, newcomer, rewritten

PAGE = "docs/tutorial.md"


@pytest.mark.slow  # it installs everything anew, by uv
def test_the_tutorial_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "artreg"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    page = every_block(PAGE)
    if os.environ.get("ARTREG_TEST_WRITE"):
        text = (ROOT / PAGE).read_text()
        (ROOT / PAGE).write_text(rewritten(text, done(page, clone, newcomer()), clone))
    else:
        assert follow(page, clone, newcomer()) >= 30
