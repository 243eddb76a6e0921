"""The labels of a target: as text, in order, and which of two is the positive one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from artreg.errors import InvalidInput

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_PAIRS = (("0", "1"), ("false", "true"), ("no", "yes"), ("n", "y"))


def label_text(value: object) -> str:
    """Return a label as text: 1 and 1.0 are "1", True is "true", text stays as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def in_order(labels: Iterable[str]) -> list[str]:
    """Return labels in the order in which people expect them: numbers by their value, text by its letters."""
    found = sorted(labels)
    return sorted(found, key=int) if all(_WHOLE.fullmatch(label) for label in found) else found


def find_positive(labels: tuple[str, str], configured: bool | int | str | None) -> str:
    """Return the positive one of two labels: the configured one, or the one that can only be it.

    Only 0/1, false/true, no/yes and n/y are taken to speak for themselves.

    Raises:
        InvalidInput: The configured label is none of them, or none is configured and they do not say.
    """
    if configured is not None:
        wanted = label_text(configured)
        if wanted in labels:
            return wanted
        raise InvalidInput(
            f"data.positive: the target has no label {wanted!r}; it has {labels[0]!r} and {labels[1]!r}",
            hint=f"set data.positive to {labels[0]} or {labels[1]}",
        )
    by_lower = {label.lower(): label for label in labels}
    for negative, positive in _PAIRS:
        if set(by_lower) == {negative, positive}:
            return by_lower[positive]
    raise InvalidInput(
        f"which label is the positive one, {labels[0]!r} or {labels[1]!r}, cannot be told",
        hint=f"set data.positive, for example to {labels[1]}",
    )
