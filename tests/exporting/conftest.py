"""A registry with one version as training makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from exporting.made import published, registry_on, trained


@pytest.fixture
def registry(local_store: LocalStore, tmp_path: Path) -> Registry:
    made = registry_on(local_store)
    published(made, tmp_path / "made", trained())
    return made
