"""Files that are numbered from 1 without a gap: records of an alias, events of a version."""

from __future__ import annotations

from artreg.core import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from artreg.store.interface import Entry


class Missing(Exception):  # whoever asked says what it means
    """One is missing among those that are numbered without a gap."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def follow(entries: Iterable[Entry], newest: int = 0) -> int:
    """Return the last number among entries that follow a number; what is not numbered does not count.

    Raises:
        Missing: One is.
    """
    for entry in entries:
        if entry.name == keys.record_name(newest + 1):  # nearly always, and sooner seen than read
            newest += 1
            continue
        number = keys.parse_record_name(entry.name)
        if number is not None:
            raise Missing(newest + 1)
    return newest


def settled(look: Callable[[], int]) -> int:
    """Return what `look` returns, which may say at first that one is missing.

    A folder that is read while others add to it may show the later of two new files without the earlier one; looked at
    again it shows both, since what was there before is always shown.

    Raises:
        Missing: One is.
    """
    missing = 0
    while True:
        try:
            return look()
        except Missing as error:
            if error.number == missing:
                raise
            missing = error.number
