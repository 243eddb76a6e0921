"""Approvals: people who stand up for a version's very bytes before an alias may point at them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.frozen import Frozen
from artreg.registry.fence import settle
from artreg.registry.handle import Registry
from artreg.registry.signing import SIGNATURE, allowed_signer, sign, statement, verify_signature
from artreg.registry.version_log import Draft, VersionLog, append_next, digest_as_it_is, digest_of, read_log, said
from artreg.registry.versions import read_manifest, read_run


class Given(Frozen):
    """How a version stands after an approval, or after one was taken back.

    Attributes:
        log: What was said of the version.
        alias: What the approval is for.
        approval: The actor's approval that holds, or None.
        changed: Whether this call said anything that was not so already; with a dry run, whether it would.
        fenced: Whether a move was stopped that may have counted on an approval taken back.
        dry_run: Whether nothing was written on purpose.
    """

    log: VersionLog
    alias: Alias
    approval: VersionEvent | None
    changed: bool
    fenced: bool = False
    dry_run: bool = False


class Approval(Frozen):
    """An approval that holds, as a listing shows it.

    Attributes:
        event: The approval.
        signed: Whether a key that the policy names for that person signed it.
        counted: Whether it can count: it speaks of these very bytes, and comes from another than who published them.
    """

    event: VersionEvent
    signed: bool
    counted: bool


def approve(
    registry: Registry,
    model: ModelName,
    version: Version,
    alias: Alias,
    reason: str = "",
    *,
    sign_key: Path | None = None,
    dry_run: bool = False,
) -> Given:
    """Stand up for a version as the registry's actor; once is enough.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        alias: What it may become.
        reason: Why.
        sign_key: An SSH key to sign with; an approval that was not signed is then given again.
        dry_run: Say what would be done, but write nothing.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest or its log is damaged.
        InvalidInput: The key cannot sign.
        StorageError: Storage failed; the same command run again goes on.
    """

    def decide(log: VersionLog) -> Draft | None:
        digest = digest_of(registry, log)
        there = _own(registry, log, alias)
        if there is not None and (sign_key is None or SIGNATURE in there.payload):
            return None
        time = registry.timestamp()
        payload: dict[str, object] = {}
        if sign_key is not None and not dry_run:
            said = statement(model, version, digest, alias, who=registry.actor, why=reason, time=time)
            payload[SIGNATURE] = sign(said, sign_key)
        return Draft(EventKind.APPROVE, digest, alias=alias, why=reason, payload=payload, time=time)

    if dry_run:
        return _would(registry, read_log(registry, model, version), alias, decide)
    log, changed = append_next(registry, model, version, decide)
    return Given(log, alias, _own(registry, log, alias), changed)


def revoke(
    registry: Registry, model: ModelName, version: Version, alias: Alias, reason: str = "", *, dry_run: bool = False
) -> Given:
    """Take back the approval of the registry's actor.

    When this returns, no move can come any more that was judged while the approval held; an alias that has moved stays.

    Raises:
        NotFound: There is no such version.
        IntegrityError: The log, or the history of an alias, is damaged.
        StorageError: Storage failed; the same command run again goes on.
    """

    def decide(log: VersionLog) -> Draft | None:
        digest = digest_as_it_is(registry, log)
        return Draft(EventKind.REVOKE, digest, alias=alias, why=reason) if _own(registry, log, alias) else None

    if dry_run:
        return _would(registry, read_log(registry, model, version), alias, decide)
    log, changed = append_next(registry, model, version, decide)
    with said(log, f"is no longer approved for {alias} by {registry.actor}"):
        fences = settle(registry, log)  # also where it was taken back already: whoever did so may have died before this
    return Given(log, alias, None, changed, fenced=any(fence.alias == alias for fence in fences))


def list_approvals(
    registry: Registry, model: ModelName, version: Version, *, signers: Mapping[str, str] | None = None
) -> tuple[Approval, ...]:
    """Return the approvals of a version that hold, in the order in which they were given.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        signers: Public SSH keys by the names of those whose signatures they verify.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its documents or its log are damaged.
    """
    log = read_log(registry, model, version)
    manifest = read_manifest(registry, model, version)
    publisher = read_run(registry, model, version, manifest).published_by
    return tuple(
        Approval(event, is_signed(event, signers or {}), (event.digest == manifest.digest) and event.who != publisher)
        for event in log.approvals
    )


def standing_approvals(
    log: VersionLog, alias: Alias, digest: str, signers: Mapping[str, str]
) -> tuple[tuple[str, bool], ...]:
    """Return who stands up for these very bytes as an alias, each with whether that is signed by a key of theirs."""
    return tuple(
        (event.who, is_signed(event, signers))
        for event in log.approvals
        if event.alias == alias and event.digest == digest
    )


def count_approvals(
    log: VersionLog,
    alias: Alias,
    *,
    digest: str,
    names: Collection[str] = (),
    not_by: str | None = None,
    accept: Callable[[VersionEvent], bool] | None = None,
) -> tuple[str, ...]:
    """Return the people whose approvals count, in order.

    Args:
        log: What was said of the version.
        alias: What it is to become.
        digest: The digest that an approval must speak of.
        names: Whose word counts; empty: anybody's.
        not_by: Whose does not, such as the publisher's.
        accept: What else an approval must fulfil, such as a signature.
    """
    return tuple(
        sorted(
            event.who
            for event in log.approvals
            if event.alias == alias
            and event.digest == digest
            and (not names or event.who in names)
            and event.who != not_by
            and (accept is None or accept(event))
        )
    )


def is_signed(event: VersionEvent, signers: Mapping[str, str]) -> bool:
    """Return whether an approval is signed by the key that stands in `signers` for whoever gave it."""
    key = signers.get(event.who)
    return key is not None and verify_signature(event, [allowed_signer(event.who, key)])


def _own(registry: Registry, log: VersionLog, alias: Alias) -> VersionEvent | None:
    own = (event for event in log.approvals if (event.alias, event.who) == (alias, registry.actor))
    return next(own, None)


def _would(registry: Registry, log: VersionLog, alias: Alias, decide: Callable[[VersionLog], Draft | None]) -> Given:
    changed = decide(log) is not None
    return Given(log, alias, _own(registry, log, alias), changed, dry_run=True)
