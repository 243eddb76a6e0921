"""Ages, as people write them: 90s, 15m, 24h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

_AGE = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_age(text: str) -> timedelta:
    """Read an age such as 90s, 15m, 24h or 7d.

    Raises:
        ValueError: It is none of these.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an age: write a number and s, m, h or d, such as 24h")
    return timedelta(**{_UNITS[match["unit"]]: int(match["count"])})


def shown(age: timedelta) -> str:
    """Return an age as people say it."""
    seconds = int(age.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds} s"
