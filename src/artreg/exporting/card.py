"""The model card of a version: its own, or a draft."""

from __future__ import annotations

from artreg.card import draft_card, filled_card
from artreg.core.manifest import CARD
from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.registry.contents import pinned_manifest
from artreg.registry.handle import Registry
from artreg.registry.origin import origin_of
from artreg.registry.resolve import Resolved
from artreg.registry.versions import read_file


class Card(Frozen):
    """A model card.

    Attributes:
        source: The version.
        data: Its bytes.
        own: Whether it is the version's own README.md; else it was made just now.
    """

    source: Resolved
    data: bytes
    own: bool

    @property
    def text(self) -> str:
        """The card as text."""
        return self.data.decode("utf-8", "replace")


def find_card(registry: Registry, found: Resolved, *, draft: bool = False) -> Card:
    """Return the card of a version: its own, to the byte, if it has one, else a draft of what is known.

    Args:
        registry: The registry.
        found: The version.
        draft: Whether a draft is wanted all the same; what people wrote into the version's own stays in it, if that
            began as a draft.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document of it is damaged.
    """
    manifest = pinned_manifest(registry, found)
    own = read_file(registry, found.model, found.version, manifest, CARD) if CARD in manifest.files else None
    if own is not None and not draft:
        return Card(found, own, own=True)
    origin = origin_of(registry, found, manifest)
    made = draft_card(origin)
    if own is not None:
        written = own.decode("utf-8", "replace")
        try:
            filled = filled_card(written, origin, manifest.files, CARD)
        except InvalidInput:  # it is not what people have written into a draft
            filled = written
        made = made if filled == written else filled
    return Card(found, made.encode(), own=False)
