"""Model cards: Markdown that anybody may have written, as HTML that can neither run nor fetch anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from artreg.core.model_card import split_card
from artreg.frozen import Frozen
from artreg.site.words import visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markupsafe import Markup

_LONGEST = 60_000  # signs; what is meant to take long takes the square of it
_LINKS = ("https://", "http://", "mailto:")
_BELOW = 2  # a card's first heading comes below those of its page


class Card(Frozen):
    """A model card.

    Attributes:
        front: The block of YAML that some begin with, as text, or ''.
        body: The rest, as HTML.
    """

    front: str
    body: Markup


@lru_cache(maxsize=64)
def read_card(data: bytes) -> Card:
    """Return a model card; raw HTML in it is text, images are links, and links lead to the web or to nowhere."""
    from markupsafe import Markup  # noqa: PLC0415  # comes with the templates

    text = visible(data.decode("utf-8", "replace"), _LONGEST)
    front, body = split_card(text)
    return Card(front or "", Markup(_render(body)))  # noqa: S704  # markdown-it escapes all it is given


def _render(text: str) -> str:
    parser = _parser()
    tokens = list(_without_comments(parser.parse(text)))
    for token in [*tokens, *(child for block in tokens for child in block.children or ())]:
        token.attrs.pop("style", None)  # the alignment of cells, which the policy of the page would refuse
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _BELOW, 6)}"
        if token.type == "link_open":
            token.attrs["rel"] = "noopener noreferrer nofollow"
    return str(parser.renderer.render(tokens, parser.options, {}))


def _without_comments(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out paragraphs that are but a comment, such as those that ask for something in a draft of a card."""
    place = 0
    while place < len(tokens):
        inner = tokens[place + 1].content if tokens[place].type == "paragraph_open" else ""
        if re.fullmatch(r"<!--(?:(?!-->).)*-->", inner, re.DOTALL):
            place += 3  # it is opened, has one piece of text, and is closed
            continue
        yield tokens[place]
        place += 1


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only pages with a card need it

    parser = MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": 50}).disable("image")
    parser.validateLink = lambda url: url.lower().startswith(_LINKS)  # type: ignore[method-assign]  # its own way to be told
    return parser
