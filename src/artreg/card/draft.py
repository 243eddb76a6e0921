"""Drafts of cards, and cards that people have begun, filled in.

A place that people must fill holds Hugging Face's own words for it, which the gate `model_card` takes for a blank. What
stands between two comments is artreg's, and written anew for each version; all else in a card is left as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from artreg.card.facts import fact_lines
from artreg.card.front_matter import front_matter, license_of, merged, split
from artreg.core.lineage import Making, Origin
from artreg.core.manifest import is_model_file
from artreg.core.model_card import split_card
from artreg.errors import InvalidInput
from artreg.yamldoc import dump_portable_yaml

BLANK = "[More Information Needed]"
"""What stands where somebody must write."""

ASKED = {
    "Intended use": "Who is meant to use it, for what, and for what not?",
    "Limits": "Where is it wrong, for whom, and what has not been looked at?",
    "Ethical considerations": "Whom do its mistakes harm, and what is done about that?",
}
"""The sections that nobody but people can fill in, and what each is to answer."""

BEGIN = "<!-- artreg: what stands from here on is filled in for each version; write elsewhere -->"
END = "<!-- artreg: as far as here -->"
"""The two comments between which artreg writes."""


def draft_card(origin: Origin) -> str:
    """Return a card of what is known of a version; equal versions have equal ones."""
    lines = [f"# {origin.model}"]
    for title, question in ASKED.items():
        lines += ["", f"## {title}", "", f"<!-- {question} -->", "", BLANK]
    if license_of(origin) is None:
        lines += ["", "## License", "", "<!-- Say it in the front matter too, such as license: mit -->", "", BLANK]
    body = "\n".join([*lines, "", BEGIN, "", *fact_lines(origin, formats_of(origin.manifest.files)), "", END, ""])
    return with_front_matter(origin, origin.manifest.files, body)


def filled_card(card: str, making: Making, files: Iterable[str], what: str) -> str:
    """Return a card that people wrote with what is known of a model filled in, if it has a place for that.

    Args:
        card: The card; one without the two comments that a draft has comes back as it is.
        making: What is known of how the model came to be.
        files: The names of the version's files.
        what: What errors call the card.

    Raises:
        InvalidInput: Its front matter cannot be read, or one of the two comments is missing.
    """
    if BEGIN not in card and END not in card:
        return card
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InvalidInput(
            f"{what} has one of the two comments between which artreg writes, but not the other",
            hint=f"put both there, or neither: {BEGIN} … {END}",
        )
    formats = formats_of(files)
    theirs, before = split(before, what)
    known = front_matter(making, formats)
    block = _block(known if theirs is None else merged(theirs, known))
    return "\n".join([f"{block}{before}{BEGIN}", "", *fact_lines(making, formats), "", f"{END}{after}"])


def with_front_matter(making: Making, files: Iterable[str], body: str) -> str:
    """Return a card with the front matter that is known of its model, whose version has these files."""
    return f"{_block(front_matter(making, formats_of(files)))}\n{body}"


def has_front_matter(card: str) -> bool:
    """Return whether a card begins with a block of YAML."""
    return split_card(card)[0] is not None


def front_matter_trouble(card: str) -> str:
    """Return what the hub may find fault with in the front matter of a card, or ''."""
    try:
        license_ = (split(card, "the card")[0] or {}).get("license")
    except InvalidInput as error:
        return error.message
    names = license_ if isinstance(license_, list) else [license_]
    if any(not re.fullmatch(r"[a-z0-9.+-]+", str(name)) for name in names if name is not None):
        return "its license is no identifier, such as apache-2.0, or other with a license_name beside it"
    return ""


def blanks(card: str) -> int:
    """Return in how many places of a card somebody must still write."""
    return card.count(BLANK)


def formats_of(files: Iterable[str]) -> frozenset[str]:
    """Return the suffixes of a model's own files among those of its version, without dots."""
    suffixes = (os.path.splitext(name)[1].lower().removeprefix(".") for name in files if is_model_file(name))
    return frozenset(suffix for suffix in suffixes if suffix)


def _block(document: Mapping[str, Any]) -> str:
    return f"---\n{dump_portable_yaml(document).decode()}---\n"
