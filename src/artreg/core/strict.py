"""Reads documents that machines wrote, strictly: every key of its kind, and the very bytes that writing gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from artreg.core import canonical
from artreg.errors import ArtregError, IntegrityError
from artreg.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Document = TypeVar("Document", bound="Written")

_SHOWN = 80

LARGEST_COUNT = 2**63 - 1
"""No number of bytes, rows or records is larger; Python's own numbers have no end, and no float holds them."""


class Written(Protocol):
    """What a document is read into, and written from."""

    def encode(self) -> bytes:
        """Return the bytes that are stored."""


def parse_strictly(data: bytes, what: str, expected: str, build: Callable[[Mapping[str, Any]], Document]) -> Document:
    """Read a document that must stand exactly as it is written.

    Args:
        data: Its bytes.
        what: Its name, for errors.
        expected: Its format, such as `artreg/record/1`.
        build: Makes the value of the JSON object; `KeyError`, `TypeError` and the like say that it is damaged.

    Raises:
        IntegrityError: It is of another format, damaged, or was altered.
    """
    document = canonical.loads(data, what)
    if document.get("format") != expected:
        raise IntegrityError(
            f"{what} has the format {str(document.get('format'))[:_SHOWN]!r}, which this artreg does not know",
            hint="a newer artreg may have written it: upgrade",
        )
    try:
        value = build(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArtregError) as error:
        raise IntegrityError(f"{what} is damaged: {error}") from error
    if value.encode() != data:
        canonical.loads_canonical(data, what)  # says so where not even the form is as it was written
        raise IntegrityError(f"{what} was altered: it does not match its own digest")
    return value


def counted(document: Mapping[str, Any], key: str) -> int:
    """Return the value of a key that must be a number of things: whole, and no larger than 64 bits hold.

    Raises:
        KeyError: It is not there.
        TypeError: It is no number.
        ValueError: It is negative or too large.
    """
    value: int = typed(document, key, int)
    if not 0 <= value <= LARGEST_COUNT:
        raise ValueError(f"{key} is out of range")
    return value


def typed(document: Mapping[str, Any], key: str, kind: Any) -> Any:
    """Return the value of a key that must be of a kind; true and false are no numbers.

    Raises:
        KeyError: It is not there.
        TypeError: It is of another kind.
    """
    value = document[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{key} has the wrong type")
    return value
