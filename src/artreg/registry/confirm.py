"""Confirming: saying that an alias still stands where it does, for those who ask how old the last word is."""

from __future__ import annotations

from artreg.core.names import Alias, ModelName
from artreg.core.policy import Policy
from artreg.core.record import Action
from artreg.registry.handle import Registry
from artreg.registry.history import require_head
from artreg.registry.move import Moved, commit_in_place, draft_in_place
from artreg.registry.promote import require_permission
from artreg.registry.signed_moves import Signers, sign_move


def confirm(
    registry: Registry, model: ModelName, alias: Alias, policy: Policy, reason: str = "", *, dry_run: bool = False
) -> Moved:
    """Say that an alias still stands where it does; signed, where there is a key.

    Args:
        registry: The registry.
        model: The model.
        alias: The alias.
        policy: Says who may move the alias, and so confirm it.
        reason: Why, if there is anything to say.
        dry_run: Say what would be done, but write nothing.

    Raises:
        NotFound: The alias points nowhere.
        InvalidInput: The policy names no such alias, or does not let the actor move it; or the key cannot sign.
        Conflict: Somebody else moved the alias meanwhile; nothing was changed.
        IntegrityError: The history is damaged.
        StorageError: Storage failed; the message says what was done.
    """
    rules = policy.of(model, alias)
    require_permission(rules, registry.actor, alias)
    head = require_head(registry, model, alias)
    record = draft_in_place(registry, head, model, alias, action=Action.CONFIRM, reason=reason)
    if not dry_run:
        record = sign_move(registry, record, Signers(rules, policy.signers))
        commit_in_place(registry, record)
    return Moved(record, changed=True, dry_run=dry_run)
