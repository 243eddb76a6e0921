"""GTO's tags: what each says, and what follows from all of them of one model.

A tag is `name@v1.2.1` (a version is registered), `name#prod` (a stage is assigned to the version of its commit),
`name@deprecated`, and with `!` the first two are taken back; a counter such as `#3` may follow. In the name of a model
`=` stands for `:`, which no tag may have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum

from artreg.frozen import Frozen

_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9/_-]*[a-zA-Z0-9])?"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = (
    r"v(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
    rf"(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_TAG = (
    rf"(?P<model>(?:[a-zA-Z0-9_./-]+=)?{_WORD})"
    rf"(?:(?:\#(?P<stage>{_WORD})|@(?P<version>{_VERSION}))(?P<back>!?)|@(?P<deprecated>deprecated))"
    r"(?:\#(?P<counter>[0-9]{1,18}))?"
)
_LONGEST = 1000


class Action(IntEnum):
    """What a tag does; of those made within a second GTO takes them in this order."""

    DEPRECATE = 2
    REGISTER = 3
    DEREGISTER = 4
    ASSIGN = 5
    UNASSIGN = 6


class Tag(Frozen):
    """What the name of a tag says.

    Attributes:
        name: The tag.
        model: The model, as GTO shows it: `churn`, or `folder:churn`.
        action: What it does.
        version: The version with its `v`, or ''.
        stage: The stage, or ''.
        counter: The number at its end, 0 where there is none.
    """

    name: str
    model: str
    action: Action
    version: str
    stage: str
    counter: int


class Event(Frozen):
    """A tag with what it was made of.

    Attributes:
        tag: What its name says.
        commit: The commit that it points at.
        seconds: When it was made, in seconds since 1970.
        minutes_east: The time zone of whoever made it.
        who: Who made it, name and address.
        message: What was said.
    """

    tag: Tag
    commit: str
    seconds: int
    minutes_east: int
    who: str
    message: str

    @property
    def at(self) -> str:
        """When it was made, RFC 3339."""
        zone = timezone(timedelta(minutes=self.minutes_east)) if abs(self.minutes_east) < 24 * 60 else UTC
        try:
            return datetime.fromtimestamp(self.seconds, zone).isoformat()
        except (ValueError, OverflowError, OSError):
            return ""


class Stage(Frozen):
    """Where a stage stands.

    Attributes:
        assigned: The tag that assigned it.
        versions: The versions that are registered at its commit: there should be one.
    """

    assigned: Event
    versions: tuple[str, ...]


class Withdrawn(Frozen):
    """A version that was taken back.

    Attributes:
        registered: The tag that registered it last.
        back: The tag that took it back.
    """

    registered: Event
    back: Event


def parse_tag(name: str) -> Tag | None:
    """Return what a tag's name says, or None if it is none of GTO's."""
    found = re.fullmatch(_TAG, name) if len(name) <= _LONGEST else None
    if found is None:
        return None
    if found["deprecated"]:
        action = Action.DEPRECATE
    elif found["version"]:
        action = Action.DEREGISTER if found["back"] else Action.REGISTER
    else:
        action = Action.UNASSIGN if found["back"] else Action.ASSIGN
    model = found["model"].replace("=", ":")
    return Tag(name, model, action, found["version"] or "", found["stage"] or "", int(found["counter"] or 0))


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return tags as they were made, oldest first."""
    return sorted(events, key=lambda it: (it.seconds, it.tag.counter, it.tag.action, it.tag.name))


def is_deprecated(events: Sequence[Event]) -> bool:
    """Return whether the last that was done with a model, whose tags these are in order, is that it was deprecated."""
    return bool(events) and events[-1].tag.action is Action.DEPRECATE


def registered(events: Sequence[Event]) -> dict[str, list[Event]]:
    """Return each version that is registered, and not taken back, with the tag that did so, oldest first.

    More than one tag says that it is registered at more than one commit.

    Args:
        events: The tags of one model, in order.
    """
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.tag.action in (Action.REGISTER, Action.DEREGISTER):
            last[event.tag.version, event.commit] = event
    found: dict[str, list[Event]] = {}
    for event in in_order(last.values()):
        if event.tag.action is Action.REGISTER:
            found.setdefault(event.tag.version, []).append(event)
    return found


def withdrawn(events: Sequence[Event]) -> dict[str, Withdrawn]:
    """Return each version that was registered, and is not any more; of several commits that which lost it last counts.

    Args:
        events: The tags of one model, in order.
    """
    now = registered(events)
    once: dict[tuple[str, str], Event] = {}
    found: dict[str, Withdrawn] = {}
    for event in events:
        place = event.tag.version, event.commit
        if event.tag.action is Action.REGISTER:
            once[place] = event
        elif event.tag.action is Action.DEREGISTER and place in once and event.tag.version not in now:
            found[event.tag.version] = Withdrawn(once[place], event)
    return found


def stages(events: Sequence[Event]) -> Iterator[Stage]:
    """Yield where each stage of a model stands, oldest assignment first.

    As in GTO, a stage that is taken from one version goes back to the one that had it before and never lost it, and one
    whose version is taken back is as if it had not been assigned.

    Args:
        events: The tags of one model, in order.
    """
    once: dict[str, set[str]] = {}  # commit -> versions that were registered there
    for event in events:
        if event.tag.action in (Action.REGISTER, Action.DEREGISTER):
            once.setdefault(event.commit, set()).add(event.tag.version)
    now = registered(events)
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.tag.stage:
            last[event.tag.stage, event.commit] = event
    holders: dict[str, Stage] = {}
    for event in in_order(last.values()):
        here = [version for version, tags in now.items() if event.commit in {it.commit for it in tags}]
        if event.tag.action is Action.ASSIGN and (here or event.commit not in once):
            holders[event.tag.stage] = Stage(event, tuple(sorted(here)))
    yield from sorted(holders.values(), key=lambda it: (it.assigned.seconds, it.assigned.tag.counter))
