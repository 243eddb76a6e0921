"""What is said of each command: that it is whole, and that the examples are commands."""

from __future__ import annotations

import re
import shlex

import pytest

from artreg.cli.manual import MEANINGS, Page, common_options, exit_codes, pages
from artreg.cli.reference import reference
from artreg.cli.settings import Settings, described
from artreg.cli.words import understand
from artreg.errors import EXIT_CODES

PAGES = {page.name: page for page in pages()}


def words_of(example: str) -> list[str]:
    """Return what a shell would give to artreg: all up to a redirection or a pipe."""
    program, *words = shlex.split(re.split(r" [|>&]+ ", example)[0])
    assert program == "artreg"
    return words


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_command_says_what_it_does_and_shows_it(page: Page) -> None:
    assert re.fullmatch(r"[A-Z].*\.", page.summary), page.summary
    assert page.examples
    assert not any("Example" in paragraph for paragraph in page.paragraphs)
    for item in (*page.arguments, *page.options):
        assert item.help, item
        assert "[ARTREG_" not in item.help


@pytest.mark.parametrize(
    ("name", "example"), [(name, example) for name, page in PAGES.items() for example in page.examples]
)
def test_every_example_is_a_command_line_of_its_command(name: str, example: str) -> None:
    assert example == name or example.startswith(f"{name} ")
    assert understand(words_of(example)) is not None


def test_the_exit_codes_are_those_of_the_one_table() -> None:
    assert set(MEANINGS) == set(EXIT_CODES)
    assert {it.code: it.status for it in exit_codes()} == {"": 0, **EXIT_CODES}
    for page in PAGES.values():
        statuses = [it.status for it in page.codes]
        assert statuses == sorted(set(statuses))
        assert statuses[0] == 0
        assert EXIT_CODES["invalid_input"] in statuses


def test_items_tell_default_choices_and_environment() -> None:
    (bump,) = [it for it in PAGES["artreg train"].options if it.names[0] == "--bump"]
    assert (bump.metavar, bump.choices) == ("PART", ("major", "minor", "patch"))
    (limit,) = [it for it in PAGES["artreg history"].options if it.names == ("--limit", "-n")]
    assert limit.default == "20"
    registry = common_options()[0]
    assert (registry.environment, registry.metavar) == ("ARTREG_REGISTRY", "ROOT")
    assert PAGES["artreg publish"].usage == "artreg publish FOLDER --model MODEL [OPTIONS]"


def test_every_setting_is_described() -> None:
    assert tuple(name for name, _, _ in described()) == Settings.__match_args__


def test_the_reference_shows_everything() -> None:
    files = reference()
    for page in PAGES.values():
        text = files[f"{page.words[0]}.md"]
        assert f"# {page.name}\n" in text
        assert f"`{page.name}`" in files["index.md"]
        for example in page.examples:
            assert f"\n{example}\n" in text
        for item in (*page.arguments, *page.options):
            assert f"`{item.names[0]}" in text or f"`[{item.names[0]}" in text
    for name in Settings.__match_args__:
        assert f"| `{name}` |" in files["settings.md"]
    for code in EXIT_CODES:
        assert f"`{code}`" in files["exit-codes.md"]


def test_the_links_of_the_reference_lead_somewhere() -> None:
    files = reference()
    anchors = {
        name: {re.sub(r"\s+", "-", head.lower()) for head in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        for name, text in files.items()
    }
    links = [(name, link) for name, text in files.items() for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert len(links) > len(PAGES)
    for name, link in links:
        target, _, anchor = link.partition("#")
        assert (target or name) in files, link
        assert not anchor or anchor in anchors[target or name], link


def test_text_of_the_reference_shows_as_it_stands() -> None:
    publish = reference()["publish.md"]
    assert r"model.\<ext\>" in publish
    for text in reference().values():
        for line in text.splitlines():
            if line.startswith("|"):
                cells = re.split(r"(?<!\\)\|", line)
                assert len(cells) in {4, 5, 6}, line
