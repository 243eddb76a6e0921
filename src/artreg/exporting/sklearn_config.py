"""The config.json by which the hub knows a scikit-learn model: what skops calls `config["sklearn"]`."""

from __future__ import annotations

from typing import Any

from artreg.card.front_matter import PIPELINES
from artreg.core.comparison.facts import section
from artreg.core.lineage import Origin
from artreg.exporting.sample import Sample

_NEEDED = ("scikit-learn", "skops", "numpy", "pandas")


def sklearn_config(origin: Origin, sample: Sample) -> dict[str, Any] | None:
    """Return the config of a scikit-learn model in one file whose task is known, else None.

    Args:
        origin: The version.
        sample: Rows to try it by.
    """
    names = list(origin.model_files)
    task = PIPELINES.get(origin.task or "")
    packages = section(origin.axis("environment"), "packages")
    suffix = names[0].rpartition(".")[2].lower() if len(names) == 1 else ""
    if task is None or "scikit-learn" not in packages or suffix not in {"skops", "joblib", "pkl", "pickle"}:
        return None
    config: dict[str, Any] = {
        "environment": [f"{name}={packages[name]}" for name in _NEEDED if name in packages],
        "model": {"file": names[0]},
        "model_format": "skops" if suffix == "skops" else "pickle",
        "task": task,
        "use_intelex": False,
    }
    if sample.columns:
        config["columns"] = sample.columns
        config["example_input"] = {name: [row[at] for row in sample.rows] for at, name in enumerate(sample.columns)}
    return {"sklearn": config}
