"""Model cards: a README.md of which people write one part, and artreg the other, from what is known of a run."""

from artreg.card.draft import (
    BEGIN,
    BLANK,
    END,
    blanks,
    draft_card,
    filled_card,
    front_matter_trouble,
    has_front_matter,
    with_front_matter,
)
from artreg.card.front_matter import LICENSES, license_of

__all__ = [
    "BEGIN",
    "BLANK",
    "END",
    "LICENSES",
    "blanks",
    "draft_card",
    "filled_card",
    "front_matter_trouble",
    "has_front_matter",
    "license_of",
    "with_front_matter",
]
