"""The policy that is stored in the registry's root: where there is one it holds, whatever lies beside the user."""

from __future__ import annotations

from artreg.core import canonical, keys
from artreg.core.policy import Policy, policy_of
from artreg.core.policy_record import PolicyRecord, parse_policy_record
from artreg.errors import AlreadyExists, Conflict, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.versions import list_entries
from artreg.store.commit import commit

_LARGEST = 4 * 2**20  # bytes; a policy file has a sixteenth of it at most


class StoredPolicy(Frozen):
    """The newest policy of a registry.

    Attributes:
        record: Its record.
        policy: What it says.
        sha256: Of the record's bytes.
    """

    record: PolicyRecord
    policy: Policy
    sha256: str


def stored_policy(registry: Registry) -> StoredPolicy | None:
    """Return the policy that is stored in the registry, or None if none is.

    Raises:
        IntegrityError: It is damaged, or written for a newer artreg: then nothing may be promoted by another one.
    """
    numbers = [keys.parse_record_name(entry.name) for entry in list_entries(registry.store, keys.policies_prefix())]
    found = [number for number in numbers if number is not None]
    if not found:
        return None
    if found != list(range(1, len(found) + 1)):
        raise IntegrityError("the policies of the registry have a gap", hint="restore the missing file from a copy")
    try:
        data = registry.store.read(keys.policy_key(len(found)), _LARGEST)
    except NotFound as error:
        raise IntegrityError("the newest policy of the registry is missing") from error
    record = parse_policy_record(data, len(found))
    try:
        policy = policy_of(record.policy)
        policy.check()
    except (InvalidInput, ValueError) as error:
        raise IntegrityError(
            f"policy {record.number} of the registry cannot be used: {error}",
            hint="a newer artreg may have written it: upgrade",
        ) from error
    return StoredPolicy(record, policy, canonical.digest(data))


def policies(registry: Registry) -> tuple[StoredPolicy, ...]:
    """Return every policy that was ever pushed, oldest first, each of which follows from the one before it.

    Raises:
        IntegrityError: One is missing or damaged, the chain is broken, or a newer artreg wrote one.
    """
    newest = stored_policy(registry)
    found: list[StoredPolicy] = []
    for number in range(1, newest.record.number + 1 if newest else 1):
        try:
            data = registry.store.read(keys.policy_key(number))
        except NotFound as error:
            raise IntegrityError(f"policy {number} of the registry is missing") from error
        record = parse_policy_record(data, number)
        if record.previous != (found[-1].sha256 if found else None):
            raise IntegrityError(
                f"the policies of the registry were rewritten: {number} does not follow from the one before it"
            )
        try:
            found.append(StoredPolicy(record, policy_of(record.policy), canonical.digest(data)))
        except InvalidInput as error:
            raise IntegrityError(error.message, hint="a newer artreg may have written it: upgrade") from error
    return tuple(found)


def push_policy(registry: Registry, policy: Policy, *, reason: str, dry_run: bool = False) -> tuple[PolicyRecord, bool]:
    """Store a policy in the registry; from then on it holds for everybody.

    Returns:
        The newest record, and whether this call wrote it; False if it says the same already.

    Raises:
        Conflict: Somebody else pushed one meanwhile; nothing was changed.
        StorageError: Storage failed.
    """
    registry.store.require_root()
    head = stored_policy(registry)
    if head is not None and head.policy.digest == policy.digest:
        if not dry_run:  # whoever pushed it may have died before it was durable
            registry.store.persist([keys.policy_key(head.record.number)])
        return head.record, False
    record = PolicyRecord(
        number=head.record.number + 1 if head else 1,
        policy=policy.document(),
        previous=head.sha256 if head else None,
        who=registry.actor,
        why=reason,
        time=registry.timestamp(),
        write_id=registry.new_id(),
    )
    if dry_run:
        return record, True
    registry.store.prepare_writing()
    try:
        commit(registry.store, keys.policy_key(record.number), record.encode())
    except AlreadyExists as error:
        raise Conflict(
            "somebody else pushed a policy meanwhile; nothing was changed", hint="look at it with artreg policy show"
        ) from error
    return record, True
