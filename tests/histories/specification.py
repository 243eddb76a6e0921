"""What a registry may tell its clients: plain functions over plain values, one object at a time.

The objects are the versions (is it there, with which content, is it yanked?) and the aliases (which moves did it make,
where can it go back to?). What one call says of several objects is taken apart: each is asked on its own.

Two things go across objects. A yank forbids every alias to come to its version, from some moment of the call on; so it
is an operation on each alias, too. And whoever goes back passes over what is yanked when it looks, which is before it
moves: there it is asked only whether the version may have been yanked at some moment of the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from histories.linearizability import Found, Operation, linearize

SPENT = "a number that was given up"
READS = {"missing", "there", "passed over", "at", "history", "nothing below"}


@dataclass(frozen=True)
class Event:
    """One call of one process, as it was recorded.

    Attributes:
        process: Who made it.
        start: When, by the machine's own clock.
        end: When the answer was there; None if there was none.
        call: What was asked for: a word, then what it is about.
        told: What the answer was: a word, then what it says; None if there was none.
    """

    process: int
    start: int
    end: int | None
    call: tuple
    told: tuple | None


@dataclass(frozen=True)
class Version:
    """A version: its content, `SPENT`, or None while there is none; and whether it is yanked."""

    content: str | None = None
    yanked: bool = False

    @property
    def there(self) -> bool:
        return self.content not in {None, SPENT}


@dataclass(frozen=True)
class Alias:
    """An alias.

    Attributes:
        moves: Where each move went, and the write id of its record.
        stack: Where it is, on top of what a rollback could come back to.
        newest: The number that its newest record has at least.
        forbidden: The versions that it may not come to.
    """

    moves: tuple[tuple[str, str], ...] = ()
    stack: tuple[str, ...] = ()
    newest: int = 0
    forbidden: frozenset[str] = frozenset()

    def moved(self, stack: tuple[str, ...], tag: str, generation: int) -> Alias:
        return Alias((*self.moves, (stack[-1], tag)), stack, generation, self.forbidden)

    def seen(self, generation: int) -> Alias:
        return Alias(self.moves, self.stack, generation, self.forbidden)


def of_version(state: Version, what: tuple) -> Iterator[Version]:  # noqa: C901  # a table
    """What can follow when a version is told `what`."""
    there, absent = state.there, not state.there
    match what:
        case "publish", text, "created" if state.content is None:
            yield Version(text, state.yanked)
        case "publish", text, None:
            yield state if state.content is not None else Version(text, state.yanked)
        case "publish", text, "there" if state.content == text:
            yield state
        case "publish", text, "taken" if there and state.content != text:
            yield state
        case "publish", _, "spent" if state.content == SPENT:
            yield state
        case "give up", _ if absent:
            yield Version(SPENT)
        case "yank", (True | False) as changed if there and changed != state.yanked:
            yield Version(state.content, True)
        case "unyank", (True | False) as changed if there and changed == state.yanked:
            yield Version(state.content, False)
        case ("yank" | "unyank") as how, None if there:
            yield Version(state.content, how == "yank")
        case "missing", None if absent:
            yield state
        case "there", text, yanked if there and text in {None, state.content} and yanked in {None, state.yanked}:
            yield state
        case "passed over", None if absent or state.yanked:
            yield state


def of_alias(state: Alias, what: tuple) -> Iterator[Alias]:  # noqa: C901  # a table
    """What can follow when an alias is told `what`."""
    here = state.stack[-1] if state.stack else None
    match what:
        case "promote", version, tag, generation if version not in state.forbidden:
            number = state.newest + 1 if generation is None else generation
            if number > state.newest:
                yield state.moved((*state.stack, version), tag, number)
        case "back", version, tag, generation, maybe_yanked:
            number = state.newest + 1 if generation is None else generation
            for stack in _below(state.stack, maybe_yanked):
                if version in {None, stack[-1]} and stack[-1] not in state.forbidden and number > state.newest:
                    yield state.moved(stack, tag, number)
        case "nothing below", maybe_yanked if all(it == here or it in maybe_yanked for it in state.stack[:-1]):
            yield state
        case "at", version, generation if version == here:
            number = state.newest if generation is None else generation
            if number >= state.newest:
                yield state.seen(number)
        case "history", moves, generation if moves == state.moves and generation >= state.newest:
            yield state.seen(generation)
        case "forbid", version:
            yield Alias(state.moves, state.stack, state.newest, state.forbidden | {version})
        case "allow", version:
            yield Alias(state.moves, state.stack, state.newest, state.forbidden - {version})


def _below(stack: tuple[str, ...], maybe_yanked: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """What a rollback may leave of a stack, past what may have been yanked when it looked."""
    for depth in range(len(stack) - 1, 0, -1):
        if stack[depth - 1] != stack[-1]:
            yield stack[:depth]
            if stack[depth - 1] not in maybe_yanked:
                return


class History:
    """Everything that was recorded of one registry.

    Args:
        events: The calls.
        versions: All versions that were ever named, without pre-releases, in order.
        aliases: All aliases.
    """

    def __init__(self, events: Sequence[Event], versions: Sequence[str], aliases: Sequence[str]) -> None:
        self.events = events
        self.versions = versions
        self.aliases = aliases

    def violations(self) -> list[str]:
        """Say what cannot have been."""
        objects: dict[tuple[str, str], list[Operation]] = {}
        wrong = [f"{event} is no answer" for event in self.events if not self._known(event)]
        wrong += [f"{event} has no cause" for event in self.events if not self._has_cause(event)]
        for event in self.events:
            for kind, name, what in self._parts(event):
                objects.setdefault((kind, name), []).append(Operation(event.start, event.end, what, what[0] in READS))
        for (kind, name), operations in sorted(objects.items()):
            found = linearize(operations, *((Version(), of_version) if kind == "version" else (Alias(), of_alias)))
            if not found.ok:
                wrong.append(f"{kind} {name}: {_shown(found)}")
        return wrong

    def _known(self, event: Event) -> bool:
        return event.told is None or event.told[0] not in {"error", "wrong"}

    def _has_cause(self, event: Event) -> bool:
        """Nobody is told of a conflict who was alone."""
        writers = {"publish", "promote", "rollback", "yank", "unyank", "gc"}
        return event.told != ("conflict",) or any(
            other is not event and other.call[0] in writers and _overlap(other, event) for other in self.events
        )

    def _parts(self, event: Event) -> Iterator[tuple[str, str, tuple]]:  # noqa: C901, PLR0912  # a table
        """What a call says of each object."""
        told = event.told
        if told is not None and told[0] == "conflict":
            return
        yield from self._of_writers(event, told)
        match event.call, told:
            case ("resolve", name), ("missing",):
                yield self._kind(name), name, ("at", None, None) if name in self.aliases else ("missing", None)
            case ("resolve", name), ("at", version, generation, warned):
                if name in self.aliases:
                    yield "alias", name, ("at", version, generation)
                    warned = None if not warned and self._doubtful(version, event) else warned
                yield "version", version, ("there", None, warned)
            case ("pull", name), ("missing",):
                yield self._kind(name), name, ("at", None, None) if name in self.aliases else ("missing", None)
            case ("pull", name), ("pulled", version, text):
                if name in self.aliases:
                    yield "alias", name, ("at", version, None)
                yield "version", version, ("there", text, None)
            case ("latest",), (_, found):
                for version in reversed(self.versions):
                    if version == found:
                        yield "version", version, ("there", None, False)
                        break
                    yield "version", version, ("passed over", None)
            case ("list",), ("listing", versions, aliases):
                for version in self.versions:
                    if version not in versions:
                        yield "version", version, ("missing", None)
                    else:
                        doubt = not versions[version] and self._doubtful(version, event)
                        yield "version", version, ("there", None, None if doubt else versions[version])
                for alias in self.aliases:
                    yield "alias", alias, ("at", aliases.get(alias), None)
            case ("history", alias), ("records", moves, generation):
                yield "alias", alias, ("history", moves, generation)

    def _of_writers(self, event: Event, told: tuple | None) -> Iterator[tuple[str, str, tuple]]:  # noqa: C901, PLR0912
        match event.call, told:
            case ("publish", version, text), _:
                yield "version", version, ("publish", text, told and told[0])
            case ("gc",), _:
                for version in self.versions if told is None else told[1]:
                    yield "version", version, ("give up", told and told[0])
            case (("yank" | "unyank"), version), ("missing",):
                yield "version", version, ("missing", None)
            case (("yank" | "unyank") as how, version), _:
                yield "version", version, (how, told and told[1])
                if how == "yank" or told is None or told[1]:
                    for alias in self.aliases:
                        yield "alias", alias, ("forbid" if how == "yank" else "allow", version)
            case ("promote", alias, version, tag), (None | ("moved", *_)):
                yield "alias", alias, ("promote", version, tag, told and told[1])
                if told:
                    yield "version", version, ("there", None, None)
            case ("promote", alias, version, _), ("stood", generation):
                yield "alias", alias, ("at", version, generation)
            case ("promote", _, version, _), ("refused",):
                yield "version", version, ("there", None, True)
            case ("promote", _, version, _), ("missing",):
                yield "version", version, ("missing", None)
            case ("rollback", alias, tag), (None | ("moved", *_)):
                version, generation = told[1:] if told else (None, None)
                yield "alias", alias, ("back", version, tag, generation, self._maybe_yanked(event))
            case ("rollback", alias, _), ("missing",):
                yield "alias", alias, ("nothing below", self._maybe_yanked(event))

    def _kind(self, name: str) -> str:
        return "alias" if name in self.aliases else "version"

    def _doubtful(self, version: str, event: Event) -> bool:
        """Whether somebody was about to yank the version meanwhile: it is marked only when that is acknowledged."""
        return any(other.call == ("yank", version) and _overlap(other, event) for other in self.events)

    def _maybe_yanked(self, event: Event) -> frozenset[str]:
        """The versions that may have been yanked at some moment of a call."""
        return frozenset(
            yank.call[1]
            for yank in self.events
            if yank.call[0] == "yank" and _start(yank) < _end(event) and not self._is_over(yank, event)
        )

    def _is_over(self, yank: Event, event: Event) -> bool:
        return any(
            (other.call, other.told and other.told[0]) == (("unyank", yank.call[1]), "said")
            and other.start > _end(yank)
            and _end(other) < event.start
            for other in self.events
        )


def _start(event: Event) -> float:
    return event.start


def _end(event: Event) -> float:
    return inf if event.end is None else event.end


def _overlap(one: Event, other: Event) -> bool:
    return _start(one) <= _end(other) and _start(other) <= _end(one)


def _shown(found: Found) -> str:
    lines = [f"  {it.start} {it.end} {it.what}" for it in found.order]
    return "\n".join(
        ["explained:", *lines, "then one of:", *(f"  {it.start} {it.end} {it.what}" for it in found.stuck)]
    )
