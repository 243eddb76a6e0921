"""The guides for moving in from other tools: what they show is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.sessions import environment, read
from importing.repositories import WHO


@pytest.fixture
def asked() -> dict[str, str]:
    """The environment of somebody who commits."""
    who = {name: value for name, value in WHO.items() if not name.endswith("DATE")}
    return environment(ARTREG_ACTOR="ada@example.org", **who)


def test_the_session_about_gto(tmp_path: Path, asked: dict[str, str]) -> None:
    assert read("docs/howto/from-gto.md", tmp_path, asked) > 5


def test_the_session_about_pins(tmp_path: Path, asked: dict[str, str]) -> None:
    assert read("docs/howto/from-pins.md", tmp_path, asked) > 5
