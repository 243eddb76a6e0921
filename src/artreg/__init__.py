"""A filesystem artifact registry with a promotion CLI.

>>> import artreg
>>> registry = artreg.open("registry")
>>> registry.resolve("churn@prod").version
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from artreg.loading.trust import THIS_REGISTRY, Digest, Signer

__all__ = [
    "THIS_REGISTRY",
    "AlreadyExists",
    "ArtregError",
    "Conflict",
    "Digest",
    "GateRejected",
    "IntegrityError",
    "InvalidInput",
    "NotFound",
    "OutcomeUnknown",
    "Registry",
    "Signer",
    "StorageError",
    "open",
]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: the command line needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'artreg' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    homes = {"open": "api", "Registry": "api", **dict.fromkeys(("THIS_REGISTRY", "Digest", "Signer"), "loading.trust")}
    home = import_module(f"artreg.{homes.get(name, 'errors')}")
    found = getattr(home, "open_registry" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
