"""Versions: SemVer 2.0 without build metadata (https://semver.org)."""

from __future__ import annotations

from enum import Enum
from functools import total_ordering

from artreg.errors import InvalidInput
from artreg.frozen import Frozen

_DIGITS = 18  # more than anybody counts to, and few enough for a 64-bit number
_LIMIT = 10**_DIGITS
_LENGTH_LIMIT = 100  # a version is the name of a folder


class Part(Enum):
    """The part of a version that the next one raises."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@total_ordering
class Version(Frozen):
    """A version, ordered by SemVer's precedence (section 11)."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @staticmethod
    def parse(text: str) -> Version:
        """Read a version; a leading `v` is accepted and dropped.

        Raises:
            InvalidInput: It is none.
        """
        version = stored_version(text.removeprefix("v"))
        if version is None or len(text) > _LENGTH_LIMIT:
            raise InvalidInput(
                f"{text[:_LENGTH_LIMIT]!r} is not a version",
                hint="write MAJOR.MINOR.PATCH, such as 1.2.1 or 1.3.0-rc.1 (SemVer without build metadata)",
            )
        return version

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
        return self.precedence() < other.precedence()

    def __str__(self) -> str:
        release = f"{self.major}.{self.minor}.{self.patch}"
        return f"{release}-{'.'.join(self.prerelease)}" if self.prerelease else release

    def precedence(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """Return what orders versions."""
        if not self.prerelease:
            return self.major, self.minor, self.patch, True, ()
        identifiers = tuple((not i.isdigit(), int(i) if i.isdigit() else 0, i) for i in self.prerelease)
        return self.major, self.minor, self.patch, False, identifiers


FIRST = Version(1, 0, 0)
"""What a model's first version is called unless somebody names it."""


def is_version(text: str) -> bool:
    """Return whether `text` is a version exactly as it is stored, without a leading `v`."""
    return stored_version(text) is not None


def stored_version(text: str) -> Version | None:
    """Return the version that is stored under a name, or None if that is no version's."""
    if len(text) > _LENGTH_LIMIT:
        return None
    release, dash, prerelease = text.partition("-")
    try:
        major, minor, patch = map(int, release.split("."))
    except ValueError:
        return None
    if f"{major}.{minor}.{patch}" != release or max(major, minor, patch) >= _LIMIT:  # `int` takes " 1", "01" and "1_0"
        return None
    if not dash:
        return Version(major, minor, patch)
    identifiers = tuple(prerelease.split("."))
    return Version(major, minor, patch, identifiers) if all(map(_is_identifier, identifiers)) else None


def _is_number(text: str) -> bool:
    whole = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return whole and (text == "0" or text[0] != "0")


def _is_identifier(text: str) -> bool:
    return _is_number(text) or (text.isascii() and text.replace("-", "a").isalnum() and not text.isdigit())
