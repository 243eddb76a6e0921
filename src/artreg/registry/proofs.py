"""Proofs: a version was trained again, and gave the same digests."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.registry.handle import Registry
from artreg.registry.version_log import Draft, VersionLog, append_next, digest_of, read_log


def record_proof(
    registry: Registry, model: ModelName, version: Version, payload: Mapping[str, object]
) -> tuple[VersionEvent, bool]:
    """Record that a version was trained again with the same result.

    The same proof by the same person is recorded once, so that what runs every night does not grow the log.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        payload: What was compared and where: such as `digests`, `machine`, `tolerance`; representable in JSON.

    Returns:
        The proof, and whether this call recorded it.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest or its log is damaged.
        InvalidInput: The payload is too large, or no JSON.
        StorageError: Storage failed; the same command run again goes on.
    """

    def decide(log: VersionLog) -> Draft | None:
        digest = digest_of(registry, log)
        return None if _same(registry, log, payload) else Draft(EventKind.REPRODUCED, digest, payload=dict(payload))

    log, changed = append_next(registry, model, version, decide)
    proof = _same(registry, log, payload)
    assert proof is not None
    return proof, changed


def list_proofs(registry: Registry, model: ModelName, version: Version) -> tuple[VersionEvent, ...]:
    """Return the proofs that a version was reproduced, oldest first.

    Raises:
        IntegrityError: The log is damaged.
    """
    return read_log(registry, model, version).proofs


def _same(registry: Registry, log: VersionLog, payload: Mapping[str, object]) -> VersionEvent | None:
    own = (proof for proof in log.proofs if proof.who == registry.actor and dict(proof.payload) == dict(payload))
    return next(own, None)
