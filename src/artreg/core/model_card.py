"""Where the front matter of a model card ends: YAML between two lines of dashes, as the Hugging Face Hub finds it."""

from __future__ import annotations

import re

_LINE = r"(?:\r\n|\r|\n)"
_FRONT = rf"\ufeff?\s*---[ \t]*{_LINE}(?:(.*?){_LINE})?---[ \t]*(?:{_LINE}|\Z)"


def split_card(text: str) -> tuple[str | None, str]:
    """Return the front matter of a card, None if it has none, and what follows it."""
    found = re.match(_FRONT, text, re.DOTALL)
    return (None, text) if found is None else (found[1] or "", text[found.end() :])
