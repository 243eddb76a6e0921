"""The guides for moving in from other tools: what they show is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.sessions import environment, read
from importing.repositories import WHO


@pytest.mark.parametrize("page", ["docs/howto/from-gto.md", "docs/howto/from-pins.md"])
def test_a_guide_shows_what_happens(page: str, tmp_path: Path) -> None:
    who = {name: value for name, value in WHO.items() if not name.endswith("DATE")}
    assert read(page, tmp_path, environment(ARTREG_ACTOR="ada@example.org", **who)) > 5
