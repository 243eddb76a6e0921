"""A filesystem artifact registry with a promotion CLI.

>>> import artreg
>>> registry = artreg.open("registry")
>>> registry.resolve("churn@prod").version
"""

from artreg.api import Registry
from artreg.api import open_registry as open  # noqa: A004  # `artreg.open` reads as it should; import it by that name only
from artreg.errors import (
    AlreadyExists,
    ArtregError,
    Conflict,
    GateRejected,
    IntegrityError,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    StorageError,
)

__all__ = [
    "AlreadyExists",
    "ArtregError",
    "Conflict",
    "GateRejected",
    "IntegrityError",
    "InvalidInput",
    "NotFound",
    "OutcomeUnknown",
    "Registry",
    "StorageError",
    "open",
]
