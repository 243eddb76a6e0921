"""What tests of faults share."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def broken_connections() -> Iterator[None]:
    """Close the connections that a test broke and left behind, so that they are no later test's warning."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
