"""Checking the history of an alias: its chain, its signatures, what it pins, and the pointer that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from artreg.core import keys
from artreg.core.allowed_signers import SignedBy
from artreg.core.names import Alias, ModelName
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.registry.check import Checked, Problem
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head, records
from artreg.registry.move import pointer_problem
from artreg.registry.signed_moves import InForce, move_fault, signature_faults
from artreg.registry.versions import list_entries, read_manifest

POLICIES = "the policies"
"""What the check of the policies that were pushed is called."""

Pin = tuple[Version, str, str]
"""A version, the digest that it must have, and which record says so."""


def check_policies(registry: Registry) -> tuple[InForce, tuple[Checked, ...]]:
    """Return the policies that were pushed, and what was found of them if they are damaged."""
    if next(list_entries(registry.store, keys.policies_prefix()), None) is None:
        return InForce(), ()
    from artreg.registry.stored_policy import policies  # noqa: PLC0415  # policies load every kind of gate

    try:
        return InForce(tuple(stored.policy for stored in policies(registry))), ()
    except IntegrityError as error:
        problem = Problem(keys.policies_prefix(), error.message)
        return InForce(), (Checked(POLICIES, 0, 0, (problem,)),)


def check_history(
    registry: Registry, model: ModelName, alias: Alias, in_force: InForce, least: int = 0
) -> tuple[Checked, list[Pin]]:
    """Check the records of an alias, and its pointer.

    Args:
        registry: The registry.
        model: The model.
        alias: The alias.
        in_force: The policies that were pushed, which say what must be signed.
        least: How many records there must be.

    Returns:
        What was found, and which digests the records pin.
    """
    problems: list[Problem] = []
    pinned: list[Pin] = []
    size, count = 0, 0

    def seen() -> Iterator[PromotionRecord]:
        nonlocal size, count
        for head in records(registry, model, alias):
            size, count = size + len(head.record.encode()), count + 1
            pinned.extend(pins_of([head]))
            yield head.record

    try:
        problems += [Problem(f"{keys.HISTORY}/{alias}", fault) for fault in signature_faults(seen(), in_force)]
        problem = _settled_pointer_problem(registry, model, alias) if count else "the pointer has no history"
        if count < least:
            problem = f"records are missing: there are {count}, but somebody saw record {least}"
        if problem:
            problems.append(Problem(str(alias), problem))
    except IntegrityError as error:
        problems.append(Problem(f"{keys.HISTORY}/{alias}", error.message))
    return Checked(f"{model}@{alias}", count, size, tuple(problems)), pinned


def pins_of(heads: Iterable[Head]) -> Iterator[Pin]:
    """Yield what records pin."""
    for record in (head.record for head in heads):
        if record.version is not None and record.digest is not None:
            yield record.version, record.digest, f"record {record.generation} of {record.alias}"


def history_faults(
    registry: Registry, model: ModelName, heads: list[Head], in_force: InForce, moved_by: SignedBy | None
) -> list[str]:
    """Return what is wrong with the whole history of an alias whose links were followed.

    Args:
        registry: The registry.
        model: The model.
        heads: All its records, newest first.
        in_force: The policies that were pushed, which say what must be signed.
        moved_by: Whose signature the newest move must bear.

    Raises:
        InvalidInput: There is no ssh-keygen to check signatures with.
        StorageError: Storage cannot be read.
    """
    told = [head.record for head in heads]
    faults = signature_faults(told, in_force)
    missing = "" if moved_by is None else move_fault(told, moved_by)
    digests: dict[Version, str] = {}
    for version, digest, said_by in pins_of(heads):
        if version not in digests:
            digests[version] = _digest(registry, model, version)
        if digests[version] != digest:
            faults.append(f"{model}@{version} is not what {said_by} pins: {digests[version] or 'it is gone'}")
    return [*faults, missing] if missing else faults


def _digest(registry: Registry, model: ModelName, version: Version) -> str:
    try:
        return read_manifest(registry, model, version).digest
    except IntegrityError as error:
        return error.message
    except NotFound:
        return ""


def _settled_pointer_problem(registry: Registry, model: ModelName, alias: Alias) -> str:
    """Say what is wrong with a pointer; one that is being set just now is looked at again."""
    seen = -1
    while (head := find_head(registry, model, alias)) is not None:
        problem = pointer_problem(registry, head.record)
        if not problem or head.record.generation == seen:
            return problem
        seen = head.record.generation
    return "the history is gone"
