"""The config.json by which the hub knows a scikit-learn model: what skops calls `config["sklearn"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artreg.card.front_matter import PIPELINES
from artreg.core.comparison.facts import section
from artreg.core.lineage import Origin

_EXAMPLES = 3
_NEEDED = ("scikit-learn", "skops", "numpy", "pandas")


def sklearn_config(origin: Origin, sample: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the config of a scikit-learn model in one file whose task is known, else None.

    Args:
        origin: The version.
        sample: Its `sample.json`: the names of the features, and rows of them.
    """
    names = list(origin.model_files)
    task = PIPELINES.get(origin.task or "")
    packages = section(origin.axis("environment"), "packages")
    suffix = names[0].rpartition(".")[2].lower() if len(names) == 1 else ""
    if task is None or "scikit-learn" not in packages or suffix not in {"skops", "joblib", "pkl", "pickle"}:
        return None
    columns, rows = _sample(sample)
    config: dict[str, Any] = {
        "environment": [f"{name}={packages[name]}" for name in _NEEDED if name in packages],
        "model": {"file": names[0]},
        "model_format": "skops" if suffix == "skops" else "pickle",
        "task": task,
        "use_intelex": False,
    }
    if columns:
        config["columns"] = columns
        config["example_input"] = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    return {"sklearn": config}


def _sample(sample: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the features, and the first rows that have a value for each."""
    columns = [
        name
        for key in ("categorical", "numeric")
        if isinstance(names := sample.get(key), list)
        for name in names
        if isinstance(name, str)
    ]
    found = sample.get("rows")
    rows = (
        [row for row in found if isinstance(row, list) and len(row) == len(columns)] if isinstance(found, list) else []
    )
    return columns, rows[:_EXAMPLES]
