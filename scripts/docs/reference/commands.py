"""A page of each command, as the manual has it, in a folder of the site."""

from __future__ import annotations

from functools import cache

from artreg.cli.reference import reference

FOLDER = "reference/commands"
_ELSEWHERE = ("exit-codes.md", "settings.md")
"""Pages that the site has in its own words, beside the folder."""


@cache
def pages() -> dict[str, str]:
    """Return each page by its name in the site, the one of all commands first."""
    return {f"{FOLDER}/{name}": _placed(text) for name, text in reference().items() if name not in _ELSEWHERE}


def navigation() -> list[dict[str, str]]:
    """Return where the pages stand in the navigation."""
    names = [name.removeprefix(f"{FOLDER}/").removesuffix(".md") for name in pages()]
    return [{"All commands" if name == "index" else name: f"{FOLDER}/{name}.md"} for name in names]


def _placed(text: str) -> str:
    for name in _ELSEWHERE:
        text = text.replace(f"]({name}", f"](../{name}")
    return text
