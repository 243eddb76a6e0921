from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from artreg.core.config import TrainingConfig, parse_config
from artreg.training.churn import write_churn

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = 1000


@pytest.fixture(scope="session")
def configs() -> Path:
    return CONFIGS


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/churn.csv` (whole) and `data/small.csv`."""
    folder = tmp_path_factory.mktemp("base")
    write_churn(folder / "data" / "churn.csv")
    write_churn(folder / "data" / "small.csv", SMALL)
    return folder


@pytest.fixture
def now() -> Callable[[], datetime]:
    return lambda: datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


MakeConfig = Callable[..., TrainingConfig]


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """Make a config of few iterations over `data/small.csv`, with overrides."""

    def make(*overrides: str, **top: Any) -> TrainingConfig:
        data = {"path": "data/small.csv", "id_column": "customer_id", "target": "churned", "salt": "s"}
        return parse_config({"data": data, **top}, overrides)

    return make
