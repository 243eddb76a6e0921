"""The error for what is too large to be taken into memory."""

from __future__ import annotations

from artreg.errors import IntegrityError


def too_large(key: str, limit: int) -> IntegrityError:
    """Return the error for a file of which at most `limit` bytes were expected."""
    return IntegrityError(f"{key} is larger than {limit:,} bytes, which nothing of its kind is")
