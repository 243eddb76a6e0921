"""A registry that is a few plain dictionaries: what every command must do, with no storage and nobody else about.

Each method does to the dictionaries what its command does to a registry, and returns, or raises, what is to be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from artreg.core.names import Alias
from artreg.core.version import Version
from artreg.errors import AlreadyExists, Conflict, GateRejected, NotFound

POOR = "c"
"""The content whose metrics a policy with gates refuses."""


@dataclass
class Line:
    """An alias, record by record: what it did, where it pointed then, and what was below that to go back to."""

    actions: list[str] = field(default_factory=list)
    held: list[Version | None] = field(default_factory=list)
    stacks: list[tuple[Version, ...]] = field(default_factory=list)
    marked: bool = False
    frozen: tuple[datetime, str] | None = None

    @property
    def here(self) -> Version | None:
        return self.held[-1] if self.held else None

    @property
    def stack(self) -> tuple[Version, ...]:
        return self.stacks[-1] if self.stacks else ()


class Plain:
    """The model of a registry with one model in it.

    Attributes:
        versions: The content of each version.
        unfinished: The content of each version whose publisher died after it had claimed the number, in a bucket.
        spent: The numbers of those that were given up.
        yanked: Which versions are yanked.
        marked: Which bear the mark that they were.
        intents: For each version, which record of which alias was meant to point at it.
        lines: The aliases.
        stale: Those whose pointers a writer that died did not set.
    """

    def __init__(self, aliases: tuple[Alias, ...]) -> None:
        self.versions: dict[Version, str] = {}
        self.unfinished: dict[Version, str] = {}
        self.spent: set[Version] = set()
        self.yanked: set[Version] = set()
        self.intents: dict[Version, dict[Alias, int]] = {}
        self.lines = {alias: Line() for alias in aliases}
        self.stale: set[Alias] = set()

    def publish(self, version: Version, text: str) -> object:
        if version in self.versions:
            if self.versions[version] != text:
                raise AlreadyExists("other content")
            return False
        if version in self.spent:
            raise AlreadyExists("spent")
        if self.unfinished.get(version, text) != text:
            raise Conflict("somebody else is publishing")
        self.versions[version] = text
        return self.unfinished.pop(version, None) is None

    def promote(self, version: Version, alias: Alias, now: datetime, *, gated: bool) -> object:
        self._require(version)
        line = self.lines[alias]
        if line.here == version:
            self.stale.discard(alias)
            return False, str(version), len(line.held)
        if (gated and self.versions[version] == POOR) or version in self.yanked or _frozen(line, now):
            raise GateRejected("no")
        return self._move(alias, "promote", (*line.stack, version), now)

    def rollback(self, alias: Alias, now: datetime) -> object:
        self._require_set(alias)
        stack = self.back(alias)
        if not stack:
            raise NotFound("nothing before")
        return self._move(alias, "rollback", stack, now)

    def back(self, alias: Alias) -> tuple[Version, ...]:
        """The stack that a rollback would leave."""
        line = self.lines[alias]
        stack = line.stack[:-1]
        while stack and (stack[-1] in self.yanked or stack[-1] == line.here):
            stack = stack[:-1]
        return stack

    def rollback_to(self, alias: Alias, version: Version, now: datetime) -> object:
        self._require_set(alias)
        line = self.lines[alias]
        if line.here == version:
            self.stale.discard(alias)
            return False, str(version), len(line.held)
        if version not in line.held:
            raise NotFound("never held")
        if version in self.yanked:
            raise GateRejected("yanked")
        newest = max(index for index, held in enumerate(line.held) if held == version)
        return self._move(alias, "rollback", line.stacks[newest], now)

    def yank(self, version: Version, now: datetime) -> object:
        self._require(version)
        changed = version not in self.yanked
        self.yanked.add(version)
        fenced = []
        for alias, generation in sorted(self.intents.get(version, {}).items()):
            line = self.lines[alias]
            if len(line.held) < generation:
                self._stay(alias, "fence", now)
                fenced.append(str(alias))
            elif line.actions[-1] == "fence":
                self.stale.discard(alias)
        for alias in self._holders(version):
            line = self.lines[alias]
            if not line.marked:
                self._stay(alias, "yank", now)
                line.marked = True
            elif line.actions[-1] == "yank":
                self.stale.discard(alias)
        return changed, [str(alias) for alias in self._holders(version)], fenced

    def unyank(self, version: Version) -> object:
        self._require(version)
        changed = version in self.yanked
        self.yanked.discard(version)
        return changed, [str(alias) for alias in self._holders(version)], []

    def freeze(self, alias: Alias, until: datetime, why: str, now: datetime) -> object:
        self._require_set(alias)
        line = self.lines[alias]
        changed = line.frozen != (until, why)
        if changed:
            self._stay(alias, "freeze", now)
            line.frozen = (until, why)
        self.stale.discard(alias)
        return changed, str(line.here), len(line.held)

    def unfreeze(self, alias: Alias, now: datetime) -> object:
        self._require_set(alias)
        line = self.lines[alias]
        changed = _frozen(line, now)
        if changed:
            self._stay(alias, "unfreeze", now)
            line.frozen = None
        self.stale.discard(alias)
        return changed, str(line.here), len(line.held)

    def collect(self) -> object:
        """Give up what is unfinished, and set the pointers that are stale; return both."""
        given_up, healed = set(self.unfinished), {alias for alias in self.stale if self.lines[alias].here}
        self.spent |= given_up
        self.unfinished.clear()
        self.stale.clear()
        return sorted(map(str, given_up)), sorted(map(str, healed))

    def resolve_alias(self, alias: Alias) -> object:
        self._require_set(alias)
        line = self.lines[alias]
        return str(line.here), len(line.held), line.marked and line.here in self.yanked

    def resolve_version(self, version: Version) -> object:
        self._require(version)
        return version in self.yanked

    def latest(self) -> object:
        released = [version for version in self.versions.keys() - self.yanked if not version.prerelease]
        if not released:
            raise NotFound("none")
        return str(max(released))

    def listing(self) -> object:
        if not (self.versions or self.unfinished or self.spent):
            raise NotFound("no model")
        return {
            str(version): (version in self.yanked, sorted(map(str, self._holders(version))))
            for version in self.versions
        }

    def history(self, alias: Alias) -> list[tuple[str, str | None]]:
        """What the alias did and where it pointed, newest first."""
        line = self.lines[alias]
        told = zip(line.actions, line.held, strict=True)
        return [(action, None if held is None else str(held)) for action, held in reversed(list(told))]

    def pull(self, version: Version) -> object:
        self._require(version)
        return self.versions[version]

    def _require(self, version: Version) -> None:
        if version not in self.versions:
            raise NotFound("no version")

    def _require_set(self, alias: Alias) -> None:
        if self.lines[alias].here is None:
            raise NotFound("points nowhere")

    def _holders(self, version: Version) -> list[Alias]:
        return sorted(alias for alias, line in self.lines.items() if line.here == version)

    def _move(self, alias: Alias, action: str, stack: tuple[Version, ...], now: datetime) -> object:
        line = self.lines[alias]
        line.frozen = line.frozen if _frozen(line, now) else None
        line.marked = False
        self._record(alias, action, stack[-1], stack)
        self.intents.setdefault(stack[-1], {})[alias] = len(line.held)
        return True, str(stack[-1]), len(line.held)

    def _stay(self, alias: Alias, action: str, now: datetime) -> None:
        line = self.lines[alias]
        line.frozen = line.frozen if _frozen(line, now) else None
        self._record(alias, action, line.here, line.stack)

    def _record(self, alias: Alias, action: str, held: Version | None, stack: tuple[Version, ...]) -> None:
        line = self.lines[alias]
        line.actions.append(action)
        line.held.append(held)
        line.stacks.append(stack)
        if held is not None:
            self.stale.discard(alias)


def _frozen(line: Line, now: datetime) -> bool:
    return line.frozen is not None and line.frozen[0] > now
