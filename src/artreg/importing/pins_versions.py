"""Which version a pin's version becomes.

pins names a version by when it was written and a few digits of its hash: `20240501T133700Z-a1b2c`. It becomes
`20240501.133700.0`: the day, the time, and which it is of those written within that second. That needs no memory, so it
stays the same when older versions are pruned on the board, while counting them from the oldest would not; and it is
ordered as pins orders them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from artreg.core.version import Version
from artreg.errors import InvalidInput

_SHOWN = 100
_NAME = re.compile(r"([0-9]{8})T([0-9]{6})Z-[0-9A-Za-z]{1,64}")


def is_version_name(name: str) -> bool:
    """Return whether pins writes versions under such a name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    try:
        datetime.strptime(f"{found[1]} {found[2]}", "%Y%m%d %H%M%S")  # noqa: DTZ007  # only whether there is such a time
    except ValueError:
        return False
    return True


def require_version_name(name: str) -> None:
    """Return if pins writes versions under such a name.

    Raises:
        InvalidInput: It does not.
    """
    if not is_version_name(name):
        raise InvalidInput(
            f"{name[:_SHOWN]!r} is no version that pins writes: these are named such as 20240501T133700Z-a1b2c",
            hint="move it out of the board, or write the pin anew",
        )


def numbered(names: Iterable[str]) -> Mapping[str, Version]:
    """Return the version that each of a pin's versions becomes, oldest first; all are versions' names."""
    numbers: dict[str, Version] = {}
    within: dict[str, int] = {}
    for name in sorted(names):
        second = name.partition("-")[0]
        day, time = second.removesuffix("Z").split("T")
        numbers[name] = Version(int(day), int(time), within.setdefault(second, 0))
        within[second] += 1
    return numbers
