"""Model cards: a README.md of which people write one part, and artreg the other, from what is known of a run."""

from artreg.card.draft import (
    BLANK,
    blanks,
    draft_card,
    filled_card,
    front_matter_trouble,
    has_front_matter,
    with_front_matter,
)

__all__ = [
    "BLANK",
    "blanks",
    "draft_card",
    "filled_card",
    "front_matter_trouble",
    "has_front_matter",
    "with_front_matter",
]
