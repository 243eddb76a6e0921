"""Which versions are to be verified this time: those not verified for a while, a sample, or a share of each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from artreg.core import canonical
from artreg.core.verification import Seen
from artreg.errors import InvalidInput
from artreg.frozen import Frozen

_DIGITS = 13  # hexadecimal, which a float holds exactly


class Selection(Frozen):
    """What must hold of a version for it to be verified; all of it must.

    Attributes:
        since: It was not verified, whole and with the digest that it has now, for so long.
        sample: The share of versions that are drawn, from 0 to 1.
        salt: Of the draw: another salt, another sample.
        subset: Which share, and of how many: (3, 7) is the third of seven. Each version is in exactly one of them, and
            always in the same.
    """

    since: timedelta | None = None
    sample: float | None = None
    salt: str = ""
    subset: tuple[int, int] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.sample is None and self.subset is None

    def takes(self, ref: str, seen: Seen | None, now: datetime) -> bool:
        """Return whether a version is to be verified.

        Args:
            ref: Its full name, such as `demo/churn@1.2.1`.
            seen: Its last verification, if that was of the bytes that its manifest names now.
            now: The present time.
        """
        if self.since is not None and seen is not None and seen.ok and now - seen.moment < self.since:
            return False
        return self.draws(ref)

    def draws(self, ref: str) -> bool:
        """Return whether a version may be taken at all, whenever it was verified: for that nothing of it is read."""
        if self.subset is not None and _number(ref) % self.subset[1] != self.subset[0] - 1:
            return False
        return self.sample is None or _number(f"{self.salt}/{ref}") / 16**_DIGITS < self.sample


EVERYTHING = Selection()
"""Leaves nothing out."""


def parse_share(text: str) -> float:
    """Read a share such as `5%` or `0.05`.

    Raises:
        InvalidInput: It is none from 0 to 100 %.
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidInput(f"{text!r} is not a share", hint="write 5% or 0.05")
    return share


def parse_subset(text: str) -> tuple[int, int]:
    """Read which of how many shares is meant, such as `3/7`.

    Raises:
        InvalidInput: It is no such thing.
    """
    part, slash, count = text.partition("/")
    numbers = [int(word) for word in (part, count) if word.isascii() and word.isdigit() and len(word) < _DIGITS]
    if not slash or len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1]:  # noqa: PLR2004
        raise InvalidInput(f"{text!r} is not one of several shares", hint="write 3/7 for the third of seven")
    return numbers[0], numbers[1]


def newest(found: Mapping[str, Seen], more: Mapping[str, Seen]) -> dict[str, Seen]:
    """Return of each version the later of two verifications."""
    merged = dict(found)
    for version, seen in more.items():
        if version not in merged or merged[version].moment <= seen.moment:
            merged[version] = seen
    return merged


def _number(text: str) -> int:
    return int(canonical.digest(text.encode())[:_DIGITS], 16)
