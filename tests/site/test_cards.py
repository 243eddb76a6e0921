"""Model cards: Markdown is shown, and nothing in it can run, fetch, or lead astray."""

from __future__ import annotations

import re

import pytest

from artreg.site.cards import read_card

LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://example.org/x",
    "//example.org/x",
    "../../index.html",
    "#main",
]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("text", ["[a]({})", "![a]({})", "[a][b]\n\n[b]: {}", "<{}>"])
def test_a_link_leads_to_the_web_or_nowhere(link: str, text: str) -> None:
    assert "href" not in read_card(text.format(link).encode()).body


def test_a_link_to_the_web_says_nothing_of_where_it_came_from() -> None:
    body = read_card(b"[a](https://example.org/a?b=1&c=2)").body
    assert body == '<p><a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">a</a></p>\n'


def test_a_picture_is_a_link() -> None:
    assert "<img" not in read_card(b"![a](https://example.org/a.png)").body


def test_what_is_not_markdown_is_text() -> None:
    card = read_card(b"a <b onclick=x>b</b>\n\n<script>c</script>\n\n| d |\n| -: |\n| e |\n\n\xff\xe2\x80\xae\x00")
    assert set(re.findall("<([a-z0-9]+)", card.body)) == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "style" not in card.body
    assert "\\u202e" in card.body


def test_a_block_of_yaml_in_front_is_kept_apart() -> None:
    card = read_card(b"---\nlicense: mit\n---\n# A\n\n## B\n\n###### C\n")
    assert card.front == "license: mit"
    assert re.findall("<(h[1-6])>", card.body) == ["h3", "h4", "h6"]


def test_a_comment_that_stands_alone_is_not_shown() -> None:
    assert read_card(b"a\n\n<!-- Who is\nto use it? -->\n\nb\n").body == "<p>a</p>\n<p>b</p>\n"
    for text in (b"<!-- a --> b", b"<!-- a --> b -->", b"b <!-- a -->", b"```\n<!-- a -->\n```", b"<!-- a"):
        assert "&lt;!-- a" in read_card(text).body


def test_a_card_that_never_ends_is_cut_off() -> None:
    body = read_card(b"a" * 10_000_000).body
    assert len(body) < 300_000
    assert "more)" in body
    assert len(read_card(b"> " * 100_000 + b"a").body) < 10_000
