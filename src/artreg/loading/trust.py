"""What a consumer must name before it loads a format that may run whatever is in the file."""

from __future__ import annotations

import re
from os import PathLike

from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved

THIS_REGISTRY = "this registry"
"""Trusts whoever may publish to the registry, and whoever may write to where it lies."""

_PREFIX = "sha256:"


class Digest(Frozen):
    """Trusts one version: the one with this digest, whatever it is called.

    Attributes:
        sha256: The version's digest, as `artreg resolve` shows it.
    """

    sha256: str

    def __post_init__(self) -> None:
        """Refuse what is no digest.

        Raises:
            InvalidInput: It is not 64 lower-case hexadecimal digits.
        """
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise InvalidInput(
                f"{self.sha256[:80]!r} is no digest",
                hint=f"write {_PREFIX} and the 64 digits that artreg resolve shows",
            )


class Signer(Frozen):
    """Trusts what somebody signed.

    Attributes:
        who: The name of the one who signed, as it stands in the file.
        allowed_signers: An OpenSSH allowed signers file: names with their public keys.
    """

    who: str
    allowed_signers: str | PathLike[str]


Trust = str | Digest | Signer
"""`THIS_REGISTRY`, `sha256:…`, a `Digest` or a `Signer`."""


def parse_trust(trust: object) -> Trust:
    """Return what a consumer trusts; a digest that was written as text becomes one.

    Raises:
        InvalidInput: It is none of the ways to name it.
    """
    if isinstance(trust, Digest | Signer):
        return trust
    if isinstance(trust, str) and trust == THIS_REGISTRY:
        return trust
    if isinstance(trust, str) and trust.startswith(_PREFIX):
        return Digest(trust.removeprefix(_PREFIX))
    raise InvalidInput(
        f"trust={trust!r} names nothing that can be trusted",
        hint=f"name the digest ({_PREFIX}…), a Signer, or {THIS_REGISTRY!r}",
    )


def require_trusted(registry: Registry, found: Resolved, trust: Trust) -> None:
    """Return if a version is the one that is trusted, or comes from whom is trusted.

    Raises:
        IntegrityError: It is another one, or is not signed so.
        InvalidInput: The allowed signers file, or `ssh-keygen`, is not there.
        StorageError: Its signatures cannot be read.
    """
    if isinstance(trust, Digest) and trust.sha256 != found.digest:
        raise IntegrityError(
            f"{found} has the digest {found.digest}, not the trusted {trust.sha256}",
            hint="look at it with artreg inspect before you trust the new digest",
        )
    if isinstance(trust, Signer):
        _require_signature(registry, found, trust)


def _require_signature(registry: Registry, found: Resolved, signer: Signer) -> None:
    from artreg.registry.signatures import signature_problem  # noqa: PLC0415  # few trust a signer
    from artreg.registry.signing import read_signed_by  # noqa: PLC0415

    wanted = read_signed_by([signer.who], signer.allowed_signers)
    problem = signature_problem(registry, found.model, found.version, found.digest, wanted)
    if problem is not None:
        raise IntegrityError(
            f"{found} cannot be trusted: {problem.problem}",
            hint="artreg show says who signed it; look at it with artreg inspect before you trust its digest",
        )


def untrusted(found: Resolved, file_format: str) -> InvalidInput:
    """Return the error for a version that is not loaded because loading it may run whatever is in it."""
    return InvalidInput(
        f"{found} is stored as {file_format}, which may run code when it is loaded",
        hint=(
            f"publish it as skops instead; or, if you know where it comes from, name what you trust: "
            f"trust='{_PREFIX}{found.digest}', a Signer, or {THIS_REGISTRY!r}"
        ),
        format=file_format,
        digest=found.digest,
    )
