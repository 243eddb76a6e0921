"""What wants looking at in a registry, and which command comes next: pure rules over where things stand."""

from __future__ import annotations

from artreg.frozen import Frozen
from artreg.registry.standing import AliasStanding, ModelStanding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from artreg.core.names import ModelName
    from artreg.core.version import Version

    Naming = Callable[[ModelName], str]

STAGING, PROD = "staging", "prod"


_WHY = {
    "damaged": "is damaged",
    "doubtful": "is not to be believed",
    "yanked": "holds a yanked version",
    "pointer": "has a stale pointer",
    "unfinished": "was begun and not finished",
    "frozen": "is frozen",
}
"""Kinds of matters, the worst first, each in a few words."""


class Matter(Frozen):
    """Something that wants looking at.

    Attributes:
        ref: Of what: a model, or one of its aliases.
        kind: One of `_WHY`.
        message: What is so, as a sentence goes on after the ref.
        command: What to run, or ''.
    """

    ref: str
    kind: str
    message: str
    command: str = ""


class Step(Frozen):
    """The command that comes next, and why."""

    command: str
    why: str


def matters(models: Sequence[ModelStanding], short: Naming) -> list[Matter]:
    """Return what wants looking at, the worst first.

    Args:
        models: Where they stand.
        short: How a command names a model.
    """
    found = [matter for model in models for matter in _of_model(model, short)]
    order = list(_WHY)
    return sorted(found, key=lambda matter: order.index(matter.kind))


def next_step(models: Sequence[ModelStanding], found: Sequence[Matter], short: Naming) -> Step | None:
    """Return what to do next: what is wrong comes first, then the newest version on its way; None if nothing is due."""
    for matter in found:
        if matter.command:
            return Step(matter.command, f"{matter.ref} {_WHY[matter.kind]}")
    return next((step for model in models for step in _promotions(model, short)), None)


def first_step(*, exists: bool, config: bool) -> Step:
    """Return what to do first.

    Args:
        exists: Whether there is a root, with nothing in it.
        config: Whether there is a training config here.
    """
    if not exists:
        return Step("artreg init", "there is no registry yet")
    if config:
        return Step("artreg train", "there are no models yet")
    return Step("artreg publish DIR --model NAME --version 1.0.0", "there are no models yet")


def is_newer(version: Version | None, than: Version | None) -> bool:
    """Return whether a version is ahead of another; any is of none."""
    return version is not None and (than is None or version.precedence() > than.precedence())


def _of_model(model: ModelStanding, short: Naming) -> Iterator[Matter]:
    for alias in model.aliases:
        yield from _of_alias(f"{model.model}@{alias.alias}", f"{short(model.model)}@{alias.alias}", alias)
    for version in model.unfinished:
        yield Matter(f"{model.model}@{version}", "unfinished", _WHY["unfinished"], "artreg gc --dry-run")


def _of_alias(ref: str, name: str, alias: AliasStanding) -> Iterator[Matter]:
    if alias.damage:
        yield Matter(ref, "damaged", f"is damaged: {alias.damage}", f"artreg verify {name.partition('@')[0]}")
    if alias.doubt:
        yield Matter(ref, "doubtful", f"is not to be believed: {alias.doubt}", f"artreg history {name}")
    if alias.yank is not None:
        yank = alias.yank
        told = f"holds {yank.version}, which was yanked by {yank.who} at {yank.time}: {yank.why}"
        yield Matter(ref, "yanked", told, f"artreg rollback {name} --reason '…'")
    if alias.pointer:
        yield Matter(ref, "pointer", f"is stale: {alias.pointer}", "artreg gc")
    if alias.frozen is not None:
        frozen = alias.frozen
        yield Matter(ref, "frozen", f"is frozen until {frozen.until} by {frozen.who}: {frozen.why}")


def _promotions(model: ModelStanding, short: Naming) -> Iterator[Step]:
    held = {str(alias.alias): alias.version for alias in model.aliases if alias.frozen is None}
    frozen = {str(alias.alias) for alias in model.aliases} - held.keys()
    first = STAGING if STAGING in held or not model.aliases else next(iter(held), STAGING)
    name = short(model.model)
    if first not in frozen and is_newer(model.newest, held.get(first)):
        yield Step(f"artreg promote {name} {model.newest} --to {first}", f"{model.newest} is not in {first} yet")
    elif first == STAGING and PROD not in frozen and is_newer(held.get(STAGING), held.get(PROD)):
        yield Step(
            f"artreg promote {name} {STAGING} --to {PROD}", f"{held[STAGING]} is in {STAGING}, and {PROD} is behind"
        )
