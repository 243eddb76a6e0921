"""Where the signatures of versions are asked for: the one place that a loader knows of them."""

from __future__ import annotations

from artreg.errors import InvalidInput
from artreg.loading.trust import Signer
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved


def require_signature(registry: Registry, found: Resolved, signer: Signer) -> None:
    """Return if the version that was found is signed by a signer (`RequireSignature`).

    Raises:
        InvalidInput: Signatures of versions cannot be checked here.
    """
    raise InvalidInput(
        f"it cannot be checked here whether {signer.who} signed {found}", hint="trust a digest, or this registry"
    )
