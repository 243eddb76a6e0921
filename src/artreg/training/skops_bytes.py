"""Writes estimators as skops, so that equal models give equal bytes.

skops names every part of a model by its address in memory and stamps its archive with the present time. Neither says
anything of the model: the parts are numbered anew in the order in which the schema names them, and the archive is
written without a clock.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""The types that artreg's own models need besides those that skops trusts by itself.

A dtype and a tree's arrays hold data only. The partial is scikit-learn's own way to say how it checks its input; what
it calls must be trusted by name as well, and the only such function is the check of arrays.
"""

_SCHEMA = "schema.json"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def dump(estimator: Any) -> bytes | None:
    """Return a fitted estimator as skops, or None where it cannot be loaded from that without running code."""
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        raw = skops.io.dumps(estimator)
        if set(skops.io.get_untrusted_types(data=raw)) - set(TRUSTED):
            return None
    except (UnsupportedTypeException, TypeError, NotImplementedError):
        return None
    return _normalised(raw)


def load(data: bytes) -> Any:
    """Return the estimator that bytes hold; nothing but the types that skops and `TRUSTED` name is made.

    Raises:
        TypeError: They need another type.
    """
    import skops.io

    return skops.io.loads(data, trusted=list(TRUSTED))


def _normalised(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[Any, int] = {}
    names: dict[str, str] = {}
    schema = _renumbered(json.loads(members.pop(_SCHEMA)), numbers, names)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for old, new in sorted(names.items(), key=lambda pair: pair[1]):
            archive.writestr(_entry(new), members[old])
        archive.writestr(_entry(_SCHEMA), json.dumps(schema, indent=2, ensure_ascii=True))
    return buffer.getvalue()


def _renumbered(node: Any, numbers: dict[Any, int], names: dict[str, str]) -> Any:
    """Return a part of the schema with ids and file names in the order of their first appearance."""
    if isinstance(node, list):
        return [_renumbered(item, numbers, names) for item in node]
    if not isinstance(node, Mapping):
        return node
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            result[key] = numbers.setdefault(value, len(numbers) + 1)
        elif key == "file" and isinstance(value, str):
            result[key] = names.setdefault(value, f"{len(names) + 1:06d}{value[value.rindex('.') :]}")
        else:
            result[key] = _renumbered(value, numbers, names)
    return result


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_NO_TIME)
    entry.create_system = 3  # the same whatever the system
    entry.external_attr = 0o644 << 16
    return entry
