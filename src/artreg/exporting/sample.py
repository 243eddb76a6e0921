"""The rows by which a model can be tried, as training keeps them in `sample.json`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from artreg.core import canonical
from artreg.errors import IntegrityError
from artreg.exporting.folder import Whole
from artreg.frozen import Frozen
from artreg.registry.handle import Registry

_NAME = "sample.json"
_EXAMPLES = 3


class Sample(Frozen):
    """Rows to try a model by.

    Attributes:
        categorical: The names of the features that are texts or truth values.
        numeric: The names of those that are numbers.
        rows: Of some rows a value for each feature, None where it is missing.
    """

    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    rows: tuple[list[Any], ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the features, in the order of the values."""
        return [*self.categorical, *self.numeric]


def read_sample(registry: Registry, whole: Whole) -> Sample:
    """Return the first rows of a version's sample; an empty one if it has none, or means something else by the name.

    Raises:
        IntegrityError: It is damaged.
    """
    if _NAME not in whole.origin.manifest.files:
        return Sample()
    data, document = whole.read(registry, _NAME), {}
    with suppress(IntegrityError):
        document = canonical.loads(data, _NAME)
    categorical, numeric = (_names(document.get(kind)) for kind in ("categorical", "numeric"))
    found, width = document.get("rows"), len(categorical) + len(numeric)
    rows = [row for row in found if isinstance(row, list) and len(row) == width] if isinstance(found, list) else []
    return Sample(categorical, numeric, tuple(rows[:_EXAMPLES]))


def _names(found: object) -> tuple[str, ...]:
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()
