"""What `--help` shows: the pages of the manual, laid out for a terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from artreg.cli.manual import TITLE, ExitCode, Item, Page, always, common_options, entries, group_of, page_of, pages
from artreg.cli.output import Output
from artreg.cli.table import SECTIONS, Group
from artreg.cli.view import Block, Line, Tone
from artreg.core.near import did_you_mean, near
from artreg.errors import InvalidInput

_WIDEST = 100
_LEFT = 24  # columns at most for what is explained; what is longer has a line of its own
_LEAST = 16  # signs of a sentence that was cut off


def show_help(output: Output, path: Sequence[str]) -> None:
    """Show the help of a command, of a group of commands, or of the whole.

    Args:
        output: Where to.
        path: Its name: no word, one, or two.

    Raises:
        InvalidInput: Nothing has such a name.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    if (entry := dict(entries()).get(tuple(path))) is not None:
        page = page_of(tuple(path), entry)
        output.result(page_document(page), lambda: _command(page, width))
        return
    group = group_of(path[0]) if len(path) == 1 else None
    inside = [page for page in pages() if path and page.words[0] == path[0]] if group else pages()
    if path and group is None:
        raise no_command(path[:-1], path[-1])
    document = {"commands": [page_document(page) for page in inside]}
    output.result(document, lambda: _whole(inside, width) if group is None else _group(path[0], group, inside, width))


def no_command(path: Sequence[str], word: str) -> InvalidInput:
    """Return the error for a word that names no command.

    Args:
        path: The group in which it should name one, or nothing.
        word: The word.
    """
    name = " ".join(("artreg", *path))
    known = [words for words, _ in entries() if words[: len(path)] == tuple(path)]
    here = dict.fromkeys(words[len(path)] for words in known if len(words) > len(path))
    deeper = {words[-1]: " ".join(words) for words in known if len(words) > len(path) + 1}
    found = [deeper[word]] if word in deeper else near(word, here) or [deeper[one] for one in near(word, deeper)]
    return InvalidInput(
        f"{name} has no command {word!r}", hint=did_you_mean(found) or f"see {name} --help", suggestions=found
    )


def page_document(page: Page) -> dict[str, Any]:
    """Return a page of the manual as `--json` prints it."""
    return {
        "command": page.name,
        "summary": page.summary,
        "description": list(page.paragraphs),
        "usage": page.usage,
        "examples": list(page.examples),
        "arguments": [_item(item) for item in page.arguments],
        "options": [_item(item) for item in page.options],
        "exit_codes": [{"exit_code": it.status, "code": it.code or None, "means": it.meaning} for it in page.codes],
    }


def _item(item: Item) -> Mapping[str, Any]:
    return {
        "names": list(item.names),
        "metavar": item.metavar or None,
        "help": item.help,
        "default": item.default or None,
        "environment": item.environment or None,
        "choices": list(item.choices),
        "required": item.required,
        "many": item.many,
    }


def _command(page: Page, width: int) -> list[Block]:
    blocks: list[Block] = [*_wrapped(page.summary, width, ""), *_headed("Usage"), Line(f"  {page.usage}")]
    for paragraph in page.paragraphs:
        blocks += [Line(""), *_wrapped(paragraph, width)]
    blocks += [*_headed("Examples"), *(Line(f"  {example}") for example in page.examples)]
    if page.arguments:
        blocks += _headed("Arguments") + _columns([(it.names[0], _about(it)) for it in page.arguments], width)
    if page.options:
        blocks += _headed("Options") + _columns(_options(page.options), width)
    common = ", ".join("/".join(reversed(it.names)) for it in common_options())
    blocks += _headed("Options of every command") + _wrapped(f"{common}: see artreg --help", width)
    return [*blocks, *_headed("Exit codes"), *_codes(page.codes, width)]


def _group(name: str, group: Group, inside: Sequence[Page], width: int) -> list[Block]:
    usage = [*_headed("Usage"), Line(f"  artreg {name} COMMAND [OPTIONS]")]
    rows = [(page.words[-1], page) for page in inside]
    commands = [*_headed("Commands"), *_briefly(rows, width)]
    return [*_wrapped(group.help, width, ""), *usage, *commands, *_more(f"{name} COMMAND")]


def _whole(found: Sequence[Page], width: int) -> list[Block]:
    groups = {page.words[0]: group_of(page.words[0]) for page in found}
    about = {page.words[0]: page for page in found}
    blocks: list[Block] = [*_wrapped(TITLE, width, ""), *_headed("Usage"), Line("  artreg COMMAND [OPTIONS]")]
    for title, names in SECTIONS.items():
        there = [name for name in names.split() if name in about]
        rows = [(name, group.help if (group := groups[name]) else about[name]) for name in there]
        blocks += [*_headed(title), *_briefly(rows, width)] if rows else []
    common = _options([*common_options(), Item(("--version",), "", "Print the version")])
    blocks += _headed("Options of every command") + _columns(common, width)
    blocks += _headed("Exit codes of every command") + _codes(always(), width)
    return [*blocks, *_more("COMMAND")]


def _more(what: str) -> list[Block]:
    return [Line(""), Line(f"artreg help {what} says more of one, with examples.", Tone.DIM)]


def _briefly(rows: Sequence[tuple[str, Page | str]], width: int) -> list[Block]:
    left = max(len(name) for name, _ in rows)
    texts = [(name, about if isinstance(about, str) else about.summary) for name, about in rows]
    return _columns([(name, _brief(text, width - left - 4)) for name, text in texts], width)


def _brief(text: str, room: int) -> str:
    """Return a sentence cut off at a pause that leaves it in one line, at a long one rather than at a comma."""
    whole = text.removesuffix(".")
    if len(whole) <= room:
        return whole
    for pause in ("[:;] ", ", "):
        ends = [match.start() for match in re.finditer(pause, whole) if _LEAST <= match.start() <= room]
        if ends:
            return whole[: ends[-1]]
    return whole


def _headed(title: str) -> list[Block]:
    return [Line(""), Line(title, Tone.STRONG)]


def _codes(codes: Iterable[ExitCode], width: int) -> list[Block]:
    return _columns([(str(it.status), it.meaning) for it in codes], width)


def _options(items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return rows for options; long names stand below one another where any has a short one."""
    room = "" if all(len(item.names) == 1 for item in items) else "    "
    return [(_name(item) if len(item.names) > 1 else room + _name(item), _about(item)) for item in items]


def _name(item: Item) -> str:
    return f"{', '.join(reversed(item.names))} {item.metavar}".rstrip()


def _about(item: Item) -> str:
    notes = [", ".join(item.choices)] if item.choices else []
    notes += [f"default {item.default}"] if item.default else []
    notes += [f"env {item.environment}"] if item.environment else []
    notes += ["may be repeated"] if item.many else []
    notes += ["required"] if item.required and item.names[0].startswith("-") else []
    notes += ["optional"] if not (item.required or item.default or item.names[0].startswith("-")) else []
    return f"{item.help} ({'; '.join(notes)})" if notes else item.help


def _columns(rows: Sequence[tuple[str, str]], width: int) -> list[Block]:
    left = max(len(name) for name, _ in rows if len(name) <= _LEFT or len(rows) == 1)
    lines = []
    for name, text in rows:
        first, *rest = textwrap.wrap(text, max(width - left - 4, 20), break_long_words=False, break_on_hyphens=False)
        if len(name) <= left:
            lines.append(f"  {name:<{left}}  {first}")
        else:
            lines += [f"  {name}", f"{'':{left + 4}}{first}"]
        lines += [f"{'':{left + 4}}{line}" for line in rest]
    return [Line(line) for line in lines]


def _wrapped(text: str, width: int, indent: str = "  ") -> list[Block]:
    lines = textwrap.wrap(text, width - len(indent), break_long_words=False, break_on_hyphens=False)
    return [Line(indent + line) for line in lines]
