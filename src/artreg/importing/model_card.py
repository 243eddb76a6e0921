"""The head of a Hugging Face model card: YAML that people write, and the metrics that it claims."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from artreg.core.model_card import split_card
from artreg.errors import InvalidInput
from artreg.yamldoc import MAX_BYTES, parse_yaml

_NAME = 64  # characters of a metric's name


def front_matter(text: str) -> dict[str, Any]:
    """Return what the head of a card says; nothing if it has none.

    Raises:
        InvalidInput: It is no YAML, or not a mapping.
    """
    head, _ = split_card(text)
    if head is None:
        return {}
    if len(head) > MAX_BYTES:
        raise InvalidInput(f"the head of README.md is longer than {MAX_BYTES:,} characters")
    document = parse_yaml(head.encode(), "the head of README.md")
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InvalidInput("the head of README.md is no mapping")
    plain: dict[str, Any] = _plain(document)
    return plain


def claimed_metrics(head: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that the `model-index` of a card claims, by names that gates can ask for.

    A metric that is measured on one data set is called by its type, such as `roc_auc`; one that is measured on several
    by these too, such as `test_roc_auc`.
    """
    found = list(_metrics(head))
    kinds = [kind for kind, _, _ in found]
    metrics: dict[str, float] = {}
    for kind, where, value in found:
        name = kind if kinds.count(kind) == 1 else _slug(f"{where} {kind}")
        metrics.setdefault(name, value)
    return metrics


def _metrics(head: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    for model in _mappings(head.get("model-index")):
        for result in _mappings(model.get("results")):
            data = [result["dataset"]] if isinstance(result.get("dataset"), dict) else []
            where = " ".join(str(it[key]) for it in data for key in ("name", "split") if it.get(key))
            for metric in _mappings(result.get("metrics")):
                kind, value = _slug(str(metric.get("type") or metric.get("name") or "")), metric.get("value")
                if kind and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                    yield kind, where, value


def _mappings(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower())[:_NAME].strip("_")


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: keys are text, and so are numbers that it has no word for."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
