"""Numbers of bytes, as people write them: 500MB, 20GiB."""

from __future__ import annotations

import re

_COUNT = r"(?P<count>[0-9]{1,12}(?:\.[0-9]{1,3})?) ?(?P<unit>[kMGT]?)(?P<binary>i?)B?"
_POWERS = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4}


def parse_bytes(text: str) -> int:
    """Read a number of bytes such as 0, 500MB or 1.5TiB.

    Raises:
        ValueError: It is none.
    """
    match = re.fullmatch(_COUNT, text.replace("K", "k"))
    if match is None:
        raise ValueError(f"{text!r} is not a number of bytes: write it as 20GiB or 500MB")
    base = 1024 if match["binary"] else 1000
    return int(float(match["count"]) * base ** _POWERS[match["unit"]])
