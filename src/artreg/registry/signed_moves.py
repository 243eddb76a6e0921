"""Signed moves: whoever moves an alias signs the record, where the policy demands it or a key is at hand.

The policy names the moves that must be signed and the keys. It counts which policy was in force: a record names the one
that it was judged by, and no later record of the alias can go back to an older one, or to one that nobody pushed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.record import MOVES, Action, PromotionRecord
from artreg.errors import InvalidInput
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry
from artreg.registry.signing import allowed_signer, is_signature, known_signers, public_key, sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from artreg.core.policy import AliasPolicy, Policy


class Signers(Frozen):
    """Who must sign the moves of an alias, and by which keys.

    Attributes:
        rules: What the policy says of the alias.
        keys: Public SSH keys by the names of those whose signatures they verify.
    """

    rules: AliasPolicy
    keys: Mapping[str, str]

    def demand(self, action: Action) -> bool:
        """Return whether such a move must be signed."""
        return action.value in self.rules.signed_moves


def require_key(registry: Registry, signers: Signers, action: Action) -> None:
    """Return if the actor can sign a move, as far as the policy demands it: before anything else is looked at.

    Raises:
        InvalidInput: There is no key, or the policy names none for the actor.
    """
    if not signers.demand(action):
        return
    if registry.signing_key is None:
        raise InvalidInput(
            f"the policy demands that every {action.value} of this alias is signed; nothing was moved",
            hint="add --sign-key FILE, or set signing_key [ARTREG_SIGNING_KEY]",
        )
    if registry.actor not in signers.keys:
        raise InvalidInput(
            f"the policy names no key for {registry.actor}; nothing was moved",
            hint=f"it names those of {', '.join(sorted(signers.keys))}; --actor or ARTREG_ACTOR says who acts",
        )


def sign_move(registry: Registry, record: PromotionRecord, signers: Signers) -> PromotionRecord:
    """Return a record with the actor's signature, if there is a key to sign with.

    Raises:
        InvalidInput: The policy demands a signature, and there is no key, or not the one that it names for the actor.
    """
    require_key(registry, signers, record.action)
    if registry.signing_key is None:
        return record
    from pathlib import Path  # noqa: PLC0415  # verifying needs none

    signed = replace(record, signature=sign(record.statement(), Path(registry.signing_key).expanduser()))
    if signers.demand(record.action) and not is_signed_move(signed, known_signers(signers.keys)):
        raise InvalidInput(
            f"{registry.signing_key} is not the key that the policy names for {registry.actor}; nothing was moved",
            hint="sign with that key, or let the policy name this one: artreg policy push",
        )
    return signed


def is_signed_move(record: PromotionRecord, allowed: AllowedSigners) -> bool:
    """Return whether a record is signed by a key that is allowed to sign for whoever it says wrote it."""
    signature = record.signature
    return signature is not None and is_signature(record.statement(), signature, record.who, allowed.lines)


class InForce(Frozen):
    """Every policy that was pushed, by which the moves of an alias are judged afterwards.

    Attributes:
        policies: In order.
    """

    policies: tuple[Policy, ...] = ()

    def number(self, digest: str | None) -> int:
        """Return the number of the newest policy with a digest, 0 if none was pushed that has it."""
        numbers = (number for number, policy in enumerate(self.policies, 1) if policy.digest == digest)
        return max(numbers, default=0)

    def signers(self, record: PromotionRecord, number: int) -> Signers | None:
        """Return what the policy of a number says of the alias of a record; None where it says nothing."""
        if not number:
            return None
        policy = self.policies[number - 1]
        rules = policy.names(record.model).get(record.alias.name)
        return None if rules is None else Signers(rules, policy.signers)


def signature_faults(records: Iterable[PromotionRecord], in_force: InForce) -> list[str]:
    """Return what is wrong with the signatures of an alias's records.

    Args:
        records: All of them, newest first.
        in_force: The policies that were pushed.
    """
    numbers = {policy.digest: in_force.number(policy.digest) for policy in in_force.policies}
    number, faults = 0, []
    for record in reversed([_light(record) for record in records]):
        number = max(number, numbers.get(record.policy or "", 0))
        fault = _fault(record, in_force.signers(record, number))
        faults += [f"record {record.generation} of {record.alias} {fault}"] if fault else []
    return faults


def move_fault(records: Iterable[PromotionRecord], wanted: SignedBy) -> str:
    """Say why nobody whose word is wanted moved an alias to where it stands, or '' if somebody did.

    What that record pins and follows from is signed with it, so that this one signature vouches for the whole past.

    Args:
        records: Those of the alias, newest first.
        wanted: Whose signature the newest move must bear.
    """
    for record in records:
        if record.action in MOVES:
            if wanted.accepts(record.who) and is_signed_move(record, wanted.allowed):
                return ""
            names = " or ".join(wanted.names) or "anybody whose key is known"
            return f"record {record.generation} of {record.alias}, by {record.who}, is not signed by {names}"
    return "nobody moved it yet"


def _light(record: PromotionRecord) -> PromotionRecord:
    """Leave out the verdicts of a record without a signature: very many of them are kept until the first is reached."""
    return record if record.signature else replace(record, gates=())


def _fault(record: PromotionRecord, signers: Signers | None) -> str:
    if record.signature is None:
        return "is not signed, which the policy demands" if signers and signers.demand(record.action) else ""
    if signers and signers.demand(record.action):
        if record.who not in signers.keys:
            return f"is signed by {record.who}, whose key the policy does not name"
        allowed = allowed_signer(record.who, signers.keys[record.who])
    else:  # nobody says whose key it must be: see at least that it is a signature of this record
        key = public_key(record.signature)
        if not key or record.who.strip() != record.who:
            return "has a signature that is none"
        allowed = f'* namespaces="artreg" {key}'
    return "" if is_signed_move(record, AllowedSigners((allowed,))) else "has a signature that does not match it"
