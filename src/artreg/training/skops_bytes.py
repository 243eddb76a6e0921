"""Writes estimators as skops, so that equal models give equal bytes.

skops names every part of a model by its address in memory and stamps its archive with the present time. Neither says
anything of the model: the parts are numbered anew in the order in which the schema names them, and the archive is
written without a clock.
"""

from __future__ import annotations

import gc
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


def stored(estimator: Any) -> tuple[bytes, Any] | None:
    """Return a fitted estimator as skops, and as it is read back, or None where that would take running code."""
    import skops.io

    try:
        with _no_collection():
            data = _normalised(skops.io.dumps(estimator))
            return data, load(data)
    except (TypeError, NotImplementedError):  # it holds what skops cannot write, or a type that nobody trusts
        return None


def load(data: bytes) -> Any:
    """Return the estimator that bytes hold; nothing but the types that skops and `TRUSTED` name is made.

    Raises:
        TypeError: They need another type.
    """
    import skops.io

    return skops.io.loads(data, trusted=list(TRUSTED))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put garbage collection off: a schema is a tree of many small parts, and to look for cycles in it is in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
