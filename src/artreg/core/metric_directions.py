"""Which way each metric of training improves."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.significance import HIGHER_IS_BETTER

DIRECTIONS: Mapping[str, bool] = {
    **HIGHER_IS_BETTER,
    "balanced_accuracy": True,
    "macro_f1": True,
    "roc_auc_ovr": True,
    "r2": True,
    "rmse": False,
    "mae": False,
    "median_absolute_error": False,
}
_CROSS_VALIDATED = "cv."


def higher_is_better(key: str) -> bool | None:
    """Return whether a metric is better when it is higher, or None where that is not known.

    Args:
        key: Its dotted key in `metrics.json`; of a cross-validation the mean goes as the metric itself does.
    """
    if key.startswith(_CROSS_VALIDATED) and key.endswith(".mean"):
        key = key.removeprefix(_CROSS_VALIDATED).removesuffix(".mean")
    return DIRECTIONS.get(key)
