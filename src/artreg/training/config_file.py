"""Config files: read and checked, and written so that equal configs give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artreg.core.config import TrainingConfig, parse_config
from artreg.yamldoc import dump_yaml, read_yaml


def load_config(path: Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Read and check the config file at `path`.

    Args:
        path: A YAML (or JSON) file.
        overrides: `dotted.key=value` texts, which win over the file.

    Raises:
        InvalidInput: The file is not there, is no YAML, or does not say a valid config.
    """
    return parse_config(read_yaml(path, "config file"), overrides)


def dump_config(config: TrainingConfig) -> bytes:
    """Write a config as normalised YAML: every key, in a fixed order, so that equal configs give equal bytes."""
    return dump_yaml(config.model_dump(mode="json"))
