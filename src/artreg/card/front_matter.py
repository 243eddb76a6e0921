"""The front matter of a model card, as the Hugging Face Hub reads it.

See https://huggingface.co/docs/hub/model-cards#model-card-metadata. Only what is known is said. `datasets` names data
sets of the hub, so other data stand in `model-index` alone, where a name is free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from artreg.core.comparison.facts import section
from artreg.core.lineage import Making, Origin
from artreg.core.model_card import split_card
from artreg.errors import InvalidInput
from artreg.yamldoc import parse_yaml

PIPELINES = {"classification": "tabular-classification", "regression": "tabular-regression"}
"""The hub's tasks, by those of a training config."""

_SPDX = (
    "AFL-3.0 AGPL-3.0 Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY-4.0 "
    "CC-BY-NC-4.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-4.0 CC0-1.0 ECL-2.0 EPL-2.0 EUPL-1.2 "
    "GPL-2.0 GPL-3.0 ISC LGPL-2.1 LGPL-3.0 MIT MPL-2.0 MS-PL OSL-3.0 PostgreSQL Unlicense WTFPL Zlib"
)
LICENSES = {name.lower(): name for name in _SPDX.split(" ")} | {"odbl": "ODbL-1.0", "openrail": ""}
"""Licenses that the hub knows, with SPDX's name or '' where it has none; any other is `other` there, with a name."""

FACTS = ("library_name", "pipeline_tag", "metrics", "model-index")
"""What of a front matter artreg fills in, whatever stood there; all else is what people say."""

_SKLEARN = {"skops", "joblib", "pkl", "pickle"}
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")
_HUB_DATA = re.compile(r"hf://datasets/([\w.-]{1,96}/[\w.-]{1,96})(?:@[^/]*)?/.*", re.ASCII)
_LONGEST = 200
_MOST = 100


def front_matter(making: Making, formats: frozenset[str]) -> dict[str, Any]:
    """Return the front matter of a model's card.

    Args:
        making: What is known of how the model came to be.
        formats: The suffixes of its files, without dots.
    """
    pipeline = PIPELINES.get(making.task or "")
    result = _result(making, pipeline)
    hub_data = _HUB_DATA.fullmatch(str((making.data or {}).get("uri")))
    known: dict[str, Any] = {
        **_license(making),
        "library_name": _library(making, formats),
        "pipeline_tag": pipeline,
        "tags": ["artreg", *(name for name in sorted(formats) if _TAG.fullmatch(name))],
        "datasets": [hub_data[1]] if hub_data else None,
        "metrics": [name[:_LONGEST] for name in test_metrics(making)],
        "model-index": [{"name": str(making.model), "results": [result]}] if result else None,
    }
    return {key: value for key, value in known.items() if value}


def merged(theirs: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people say in a front matter together with what is known."""
    tags = theirs.get("tags")
    kept = {key: value for key, value in theirs.items() if key not in FACTS}
    both = {**known, **kept}
    if isinstance(tags, list):
        both["tags"] = list(dict.fromkeys([*tags, *known["tags"]]))
    return both


def test_metrics(making: Making) -> dict[str, float]:
    """Return the figures at the top of metrics.json, which are those of the rows kept for judging."""
    numbers = {key: value for key, value in (making.metrics or {}).items() if is_number(value)}
    return dict(sorted(numbers.items())[:_MOST])


def is_number(value: object) -> bool:
    """Return whether a value of a document is a figure."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def license_of(making: Making) -> str | None:
    """Return the license of a model: what its own card says, else whoever published or imported it."""
    imported = section(making.run, "imported")
    card = stated(making.card) if isinstance(making, Origin) and making.card is not None else {}
    name = "license_name" if card.get("license") == "other" else "license"
    for place in ({"license": card.get(name)}, section(making.run, "supplied"), imported, section(imported, "card")):
        found = place.get("license")
        if isinstance(found, str) and found.strip():
            return found.strip()[:_LONGEST]
    return None


def stated(card: str) -> Mapping[str, Any]:
    """Return what the front matter of a card says; nothing if it has none, or one that cannot be read."""
    try:
        return split(card, "the card")[0] or {}
    except InvalidInput:
        return {}


def split(text: str, what: str) -> tuple[Mapping[str, Any] | None, str]:
    """Return what a front matter says, None if there is none, and what follows it.

    Raises:
        InvalidInput: It cannot be read.
    """
    front, body = split_card(text)
    if front is None:
        return None, f"\n{body}"
    document = parse_yaml(f"\n{front}".encode(), f"the front matter of {what}")  # lines as in the card
    if document is not None and not isinstance(document, Mapping):
        raise InvalidInput(
            f"the front matter of {what} is no mapping", hint="write keys with values, such as license: mit"
        )
    return document or {}, body


def _license(making: Making) -> dict[str, str]:
    name = license_of(making)
    if name is None:
        return {}
    return {"license": name.lower()} if name.lower() in LICENSES else {"license": "other", "license_name": name}


def _library(making: Making, formats: frozenset[str]) -> str | None:
    """Return the hub's name of the library that loads the model, where it has one."""
    known = "skops" in formats or "scikit-learn" in section(making.axis("environment"), "packages")
    return "sklearn" if formats and formats <= _SKLEARN and known else None


def _result(making: Making, pipeline: str | None) -> Mapping[str, Any] | None:
    metrics = test_metrics(making)
    if pipeline is None or not metrics or making.data is None:
        return None
    name = str(making.data.get("name") or "data")[:_LONGEST]
    dataset = {"type": name, "name": name, "split": "test"}
    digest = making.data.get("content_hash")
    revision = {"revision": digest} if isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest) else {}
    return {
        "task": {"type": pipeline, "name": pipeline.replace("-", " ")},
        "dataset": dataset | revision,
        "metrics": [{"type": key[:_LONGEST], "name": key[:_LONGEST], "value": value} for key, value in metrics.items()],
    }
