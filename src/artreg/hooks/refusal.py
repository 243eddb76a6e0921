"""What says that an event was not delivered."""

from __future__ import annotations

_LONGEST = 400  # characters: it may be a receiver's own words, and is kept


class Refused(Exception):  # no error of artreg's: it is tried again, and kept
    """An attempt did not succeed.

    Args:
        message: Why.
        again: Whether it is worth trying soon.
        after: How many seconds the receiver asks to be left alone, if it does.
    """

    def __init__(self, message: str, *, again: bool = True, after: float = 0.0) -> None:
        super().__init__(message)
        self.message = message[:_LONGEST]
        self.again = again
        self.after = after
