"""Aliases that move in: by the registry's own protocol and policy, and never over what was decided here since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from artreg.core.gates.from_alias import FromGate
from artreg.core.names import Alias, ModelName
from artreg.core.policy import Policy
from artreg.core.version import Version
from artreg.errors import ArtregError, Conflict, GateRejected, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing.foresight import foresee
from artreg.importing.naming import option
from artreg.importing.source import BEGINS, Incoming, IncomingAlias, Trouble, reason
from artreg.registry.evidence import Instrument
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head
from artreg.registry.move import Moved, stay
from artreg.registry.promote import promote

_UNKNOWN = NotFound("the source has no such version")


class Terms(Frozen):
    """By what aliases are moved.

    Attributes:
        policy: What a version must show.
        instruments: What measures for gates, by their kinds.
        policy_now: Gives the digest of the policy that holds at this moment.
    """

    policy: Policy
    instruments: Mapping[str, Instrument]
    policy_now: Callable[[], str]


class AliasSet(Frozen):
    """An alias of a source that is set here now, or would be.

    Attributes:
        item: How the source calls it.
        model: The model.
        alias: The alias here.
        version: The version that it points at.
        changed: Whether this call moved it, or would; False if it stood there already.
        generation: The number of the move; None as long as it is only to come.
        unasked: The kinds of gates that a dry run could not ask, and that may refuse it yet.
        over: Others of the source that become this alias too, but point at another version, and do not count.
    """

    item: str
    model: ModelName
    alias: Alias
    version: Version
    changed: bool
    generation: int | None
    unasked: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


class Chosen(Frozen):
    """An alias that is to be set.

    Attributes:
        incoming: What the source says of it.
        alias: What it is called here.
        version: What the source says of the version that it points at.
        over: Others that become this alias too, but point at another version.
    """

    incoming: IncomingAlias
    alias: Alias
    version: Incoming
    over: tuple[str, ...] = ()


def chosen(
    aliases: Sequence[IncomingAlias],
    names: Mapping[str, Alias | None],
    came: Mapping[tuple[ModelName, Version], Incoming],
    failed: Mapping[tuple[ModelName, Version], ArtregError],
    policy: Policy,
) -> tuple[list[Chosen], list[Trouble]]:
    """Say which aliases are to be set, and in which order: those through which others are led come last.

    Args:
        aliases: What the source has; if two become one here, the later one holds.
        names: What the user says that they become, by their names there; None for one that is to be left out.
        came: The versions that came, now or before.
        failed: Why others did not, as far as that is known.
        policy: Says which aliases there are.
    """
    becoming: dict[tuple[ModelName, Alias], list[IncomingAlias]] = {}
    troubles = []
    for incoming in aliases:
        alias = names.get(incoming.name, incoming.alias)
        if alias is None and incoming.name in names:
            continue
        if alias is None or alias.name not in policy.names(incoming.model):
            troubles.append(Trouble(incoming.item, _nameless(incoming, policy)))
        elif (version := (incoming.model, incoming.version)) not in came:
            troubles.append(Trouble(incoming.item, _versionless(incoming, failed.get(version, _UNKNOWN))))
        else:
            becoming.setdefault((incoming.model, alias), []).append(incoming)
    known = [
        Chosen(same[-1], alias, came[model, same[-1].version], _over(same)) for (model, alias), same in becoming.items()
    ]
    furthest = sorted(known, key=lambda one: -len(_before(policy, one.incoming.model, one.alias)))
    return furthest, troubles


def set_alias(registry: Registry, kind: str, wanted: Chosen, terms: Terms, *, dry_run: bool) -> AliasSet:
    """Set an alias as the source has it.

    One that stands there already is left alone, and so is one that somebody set here: only what an import set does an
    import move. Where a gate wants the version to stand in another alias first, as a model of another tool never did
    here, it is led through that one, past that one's own gates.

    Args:
        registry: The registry.
        kind: What the source is; stands in the record's reason.
        wanted: The alias.
        terms: By what it is moved.
        dry_run: Say what would be done; gates are asked as far as they can be of a version that is still to come.

    Raises:
        GateRejected: A gate said no.
        Conflict: The alias, or one before it, was set by somebody here, or is being moved at this moment.
        InvalidInput: The policy does not let the actor move it.
        IntegrityError: The version or the alias's history is damaged.
        StorageError: The registry failed.
    """
    incoming, alias = wanted.incoming, wanted.alias
    model, version = incoming.model, incoming.version
    head = find_head(registry, model, alias)
    if head is not None and head.record.version == version:
        stay(registry, head, dry_run=dry_run)
        return AliasSet(incoming.item, model, alias, version, False, head.record.generation, over=wanted.over)
    _require_ours(head, incoming, alias)
    why = reason(kind, incoming.item + (f" ({incoming.why})" if incoming.why else ""))
    unasked: dict[str, None] = {}
    moved = None
    for step in [*_before(terms.policy, model, alias), alias]:
        standing = head if step == alias else find_head(registry, model, step)
        if standing is not None and standing.record.version == version:
            continue
        _require_ours(standing, incoming, step)
        way = "" if step == alias else f", on its way to {alias}"
        with _explaining(incoming, way):
            if dry_run:
                unasked |= dict.fromkeys(foresee(registry, wanted.version, step, terms.policy))
            else:
                moved = _promote(registry, incoming, step, terms, head=standing, reason=f"{why}{way}")
    if moved is None:
        return AliasSet(incoming.item, model, alias, version, True, None, tuple(unasked), wanted.over)
    return AliasSet(incoming.item, model, alias, version, moved.changed, moved.record.generation, over=wanted.over)


def _over(same: Sequence[IncomingAlias]) -> tuple[str, ...]:
    """Return which of those that become one alias point at another version than the last one, which holds."""
    return tuple(one.item for one in same if one.version != same[-1].version)


def _promote(
    registry: Registry, incoming: IncomingAlias, alias: Alias, terms: Terms, *, head: Head | None, reason: str
) -> Moved:
    return promote(
        registry,
        incoming.model,
        incoming.version,
        alias,
        terms.policy,
        reason=reason,
        expect=None if head is None else head.record.version,
        instruments=terms.instruments,
        policy_now=terms.policy_now,
    )


@contextmanager
def _explaining(incoming: IncomingAlias, way: str = "") -> Iterator[None]:
    """Say of a gate that refuses what whoever moves in can do about it."""
    try:
        yield
    except GateRejected as error:
        raise GateRejected(
            f"{error.message}{way}",
            hint=f"a policy of its own may let it in while you move: artreg policy; {_without(incoming)} leaves it out",
            **error.details,
        ) from error


def _require_ours(head: Head | None, incoming: IncomingAlias, alias: Alias) -> None:
    """Return if nobody but an import has set an alias."""
    if head is None or head.record.version is None or head.record.why.startswith(BEGINS):
        return
    model, version = incoming.model, incoming.version
    raise Conflict(
        f"{alias} of {model} points at {head.record.version}, as {head.record.who} set it here; "
        f"{incoming.item} means {version}",
        hint=f"decide which holds: artreg promote {model} {version} --to {alias}, or {_without(incoming)}",
    )


def _before(policy: Policy, model: ModelName, alias: Alias) -> list[Alias]:
    """Return the aliases in which a version must stand before this one, the first one first."""
    names, before, asked = policy.names(model), [], [alias.name]
    while asked:
        asked = [it.alias for name in asked if name in names for it in names[name].gates if isinstance(it, FromGate)]
        asked = [name for name in asked if name != alias.name and name not in before]
        before += asked
    return [Alias(name) for name in reversed(before)]


def _versionless(incoming: IncomingAlias, error: ArtregError) -> ArtregError:
    """Return the error of the version that an alias points at, for the alias."""
    return type(error)(
        f"{incoming.item} points at {incoming.model}@{incoming.version}, which did not come",
        hint="see why, and run the command again once it can",
    )


def _nameless(incoming: IncomingAlias, policy: Policy) -> InvalidInput:
    known = ", ".join(policy.names(incoming.model))
    return InvalidInput(
        f"nothing says what {incoming.name!r} becomes: the policy's aliases are {known}",
        hint=f"{option('--alias', incoming.name, 'ALIAS')} says it, {_without(incoming)} leaves it out",
    )


def _without(incoming: IncomingAlias) -> str:
    return option("--alias", incoming.name, "")
