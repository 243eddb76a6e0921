"""Man pages: that programs which read them find nothing wrong, and that they say what was meant."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from artreg.cli.manpage import every_page, of_command, whole
from artreg.cli.manual import Item, Page, exit_codes, pages
from artreg.cli.table import COMMANDS, Group
from artreg.errors import EXIT_CODES
from cli.conftest import Shell

PAGES = pages()
NASTY = [
    ".TH x 9",
    "'br",
    "a \\fBbold\\fR \\n(.$ one",
    "--a-b ~ ^ ` ' \" →",
    "\\",
    '.\\" no comment. A new sentence.',
]


def rendered(path: Path) -> tuple[str, str]:
    """Return what man shows of a page, and what it warns of."""
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.fail("man is not installed; apt-get install man-db groff-base")
    variables = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MANROFFSEQ": "", "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(path)], env=variables, capture_output=True, text=True, check=True
    )
    return re.sub(".\b", "", done.stdout), done.stderr


def nasty_page() -> Page:
    items = tuple(Item((text,), "X", text) for text in NASTY)
    return Page(("x",), f"{NASTY[0]}.", tuple(NASTY), items, (), tuple(NASTY), exit_codes())


@pytest.mark.slow  # it needs man
def test_man_shows_the_whole_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "artreg.1").write_text(whole(PAGES), encoding="ascii")
    shown, warned = rendered(tmp_path / "artreg.1")
    assert warned == ""
    text = " ".join(shown.split())
    for page in PAGES:
        assert page.usage in text
        for said in (page.summary, *page.paragraphs, *page.examples):
            assert " ".join(said.split()) in text
    assert "--registry ROOT" in text
    assert all(str(status) in text for status in EXIT_CODES.values())


@pytest.mark.slow  # it needs man
def test_what_looks_like_roff_is_shown_as_it_stands(tmp_path: Path) -> None:
    for name, text in (("whole.1", whole([nasty_page()])), ("one.1", of_command(nasty_page()))):
        (tmp_path / name).write_text(text, encoding="ascii")
        shown, warned = rendered(tmp_path / name)
        assert warned == ""
        for said in NASTY:
            assert sum(" ".join(said.split()) in " ".join(line.split()) for line in shown.splitlines()) >= 2, said


@pytest.mark.slow  # it needs man and mandoc, and a process a page
def test_every_page_passes_both_readers(shell: Shell) -> None:
    if shutil.which("mandoc") is None:
        pytest.fail("mandoc is not installed; apt-get install mandoc")
    assert shell.run("man", "--out", "man1").code == 0
    written = sorted((shell.folder / "man1").iterdir())
    assert {path.name for path in written} == {f"{name}.1" for name in every_page()}
    for path in written:
        shown, warned = rendered(path)
        assert warned == ""
        assert "EXIT STATUS" in shown
    linted = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *written], capture_output=True, text=True, check=False)
    assert [line for line in linted.stdout.splitlines() if "missing date" not in line] == []  # there is none on purpose


def test_a_page_is_printed_where_nobody_watches(shell: Shell) -> None:
    assert shell.run("man").out == whole(PAGES)
    (promote,) = [page for page in PAGES if page.words == ("promote",)]
    assert shell.run("man", "promote").out == of_command(promote)
    assert shell.run("man", "promote", "--json").json == {"roff": of_command(promote)}
    assert shell.run("man", "promot", "--json").json["error"]["suggestions"] == ["promote"]
    assert "\n.SH NAME\nartreg\\-data \\- Keep data" in shell.run("man", "data").out


def test_no_line_is_taken_for_a_request_that_is_none() -> None:
    known = {".EE", ".EX", ".PP", ".SH", ".SS", ".TH", ".TP", ".BR", '.\\"'}
    for text in (*every_page().values(), whole([nasty_page()]), of_command(nasty_page())):
        assert text.isascii()
        assert {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))} <= known
        assert set(re.findall(r"\\(.)", text)) <= set('e-(f&["')


def test_there_is_a_page_of_every_command_and_group() -> None:
    names = every_page()
    assert {"artreg", "artreg-data", "artreg-data-snapshot", "artreg-promote"} <= set(names)
    assert len(names) == 1 + len(PAGES) + sum(isinstance(entry, Group) for entry in COMMANDS.values())
