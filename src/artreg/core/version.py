"""Versions: SemVer 2.0 without build metadata (https://semver.org)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import total_ordering

from artreg.errors import InvalidInput

_NUMBER = r"(?:0|[1-9][0-9]{0,17})"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
)
_LENGTH_LIMIT = 100  # a version is the name of a folder


class Part(Enum):
    """The part of a version that the next one raises."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version, ordered by SemVer's precedence (section 11)."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version; a leading `v` is accepted and dropped.

        Raises:
            InvalidInput: It is none.
        """
        match = _VERSION.fullmatch(text.removeprefix("v"))
        if match is None or len(text) > _LENGTH_LIMIT:
            raise InvalidInput(
                f"{text[:_LENGTH_LIMIT]!r} is not a version",
                hint="write MAJOR.MINOR.PATCH, such as 1.2.1 or 1.3.0-rc.1 (SemVer without build metadata)",
            )
        prerelease = tuple(match["pre"].split(".")) if match["pre"] else ()
        return cls(int(match["major"]), int(match["minor"]), int(match["patch"]), prerelease)

    def bumped(self, part: Part) -> Version:
        """Return the next release after this one, with `part` raised and what is lower set to 0."""
        if part is Part.MAJOR:
            return Version(self.major + 1, 0, 0)
        if part is Part.MINOR:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._precedence() < other._precedence()

    def __str__(self) -> str:
        release = f"{self.major}.{self.minor}.{self.patch}"
        return f"{release}-{'.'.join(self.prerelease)}" if self.prerelease else release

    def _precedence(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        identifiers = tuple((not i.isdigit(), int(i) if i.isdigit() else 0, i) for i in self.prerelease)
        return self.major, self.minor, self.patch, not self.prerelease, identifiers


FIRST = Version(1, 0, 0)
"""What a model's first version is called unless somebody names it."""


def is_version(text: str) -> bool:
    """Return whether `text` is a version exactly as it is stored, without a leading `v`."""
    return len(text) <= _LENGTH_LIMIT and _VERSION.fullmatch(text) is not None
