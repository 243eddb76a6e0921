"""Clients that take part in histories, and what they publish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from histories.judged import CLIENTS
from histories.record import Crowd, make_contents


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with Crowd(CLIENTS) as crowd:
        yield crowd


@pytest.fixture
def sources(tmp_path: Path) -> str:
    return make_contents(tmp_path / "sources")
