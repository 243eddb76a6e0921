"""Man pages in roff, made of the commands themselves: one of the whole, and one of each command."""

from __future__ import annotations

import re
import textwrap

from artreg import __version__
from artreg.cli.manual import TITLE, ExitCode, Item, Page, always, common_options, exit_codes, group_of, pages
from artreg.cli.settings import POLICY_FILE, SETTINGS_FILE, described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_WIDTH = 76  # of a line of the source


def every_page() -> dict[str, str]:
    """Return every man page by its name: that of the whole, one of each group, one of each command."""
    found = pages()
    inside = {
        name: [page for page in found if page.words[0] == name] for name in dict.fromkeys(it.words[0] for it in found)
    }
    groups = {name: whole(inside[name], name, group.help) for name in inside if (group := group_of(name)) is not None}
    commands = {"-".join(("artreg", *page.words)): of_command(page) for page in found}
    return {"artreg": whole(found), **{f"artreg-{name}": text for name, text in groups.items()}, **commands}


def whole(found: Sequence[Page], group: str = "", about: str = TITLE) -> str:
    """Return the man page of many commands: artreg(1), or that of a group such as artreg-data(1).

    Args:
        found: The commands.
        group: The group, if it is of one.
        about: What they are about.
    """
    usage = " ".join(word for word in ("artreg", group, "COMMAND [OPTIONS]") if word)
    lines = [*_head(f"artreg-{group}" if group else "artreg", about), ".SH SYNOPSIS", *_synopsis(usage)]
    lines += [".SH DESCRIPTION", *_paragraph(about), ".PP"]
    lines += _paragraph("Every command takes the common options, before its name or after it.")
    lines.append(".SH COMMANDS")
    for page in found:
        lines += [f".SS {_quoted(page.name)}", *_paragraph(page.summary), ".PP", *_synopsis(page.usage)]
        for paragraph in page.paragraphs:
            lines += [".PP", *_paragraph(paragraph)]
        lines += [*_items((*page.arguments, *page.options)), ".PP", *_examples(page)]
        codes = ", ".join(str(it.status) for it in page.codes)
        lines += [".PP", *_paragraph(f"Exits with {codes}.")]
    lines += [".SH OPTIONS", *_items(common_options()), *_exits(exit_codes()), ".SH ENVIRONMENT"]
    for name, _, meaning in described():
        lines += [".TP", rf"\fBARTREG_{name.upper()}\fR", *_paragraph(meaning)]
    return _text([*lines, *_files(), ".SH SEE ALSO", *_paragraph("artreg help COMMAND")])


def of_command(page: Page) -> str:
    """Return the man page of one command, such as artreg-promote(1)."""
    lines = [*_head("-".join(("artreg", *page.words)), page.summary), ".SH SYNOPSIS", *_synopsis(page.usage)]
    lines.append(".SH DESCRIPTION")
    lines += _paragraph(page.summary)
    for paragraph in page.paragraphs:
        lines += [".PP", *_paragraph(paragraph)]
    if page.arguments:
        lines += [".SH ARGUMENTS", *_items(page.arguments)]
    lines += [".SH OPTIONS", *_items((*page.options, *common_options()))]
    lines += [*_exits((*page.codes, *always())), ".SH EXAMPLES", *_examples(page)]
    return _text([*lines, *_files(), ".SH SEE ALSO", r".BR artreg (1)"])


def _head(name: str, summary: str) -> list[str]:
    what = summary.removesuffix(".")  # and no date: two builds of one source are the same
    return [
        rf".\" Made by artreg man of {__version__}.",
        f'.TH {_quoted(name.upper())} 1 "" {_quoted(f"artreg {__version__}")}',
        ".SH NAME",
        rf"{_escaped(name)} \- {_escaped(what)}",
    ]


def _synopsis(usage: str) -> list[str]:
    name, _, rest = usage.partition(" ")
    return [rf"\fB{_escaped(name)}\fR {_escaped(rest)}"]


def _items(items: Iterable[Item]) -> list[str]:
    lines = []
    for item in items:
        named = ", ".join(rf"\fB{_escaped(name)}\fR" for name in reversed(item.names))
        value = rf" \fI{_escaped(item.metavar)}\fR" if item.metavar and item.names[0].startswith("-") else ""
        lines += [".TP", named + value, *_paragraph(_about(item))]
    return lines


def _about(item: Item) -> str:
    notes = [f"One of {', '.join(item.choices)}."] if item.choices else []
    notes += [f"By default {item.default}."] if item.default else []
    notes += [f"Also by the variable {item.environment}."] if item.environment else []
    notes += ["May be repeated."] if item.many else []
    notes += ["Required."] if item.required else []
    return " ".join([f"{item.help.removesuffix('.')}.", *notes])


def _examples(page: Page) -> list[str]:
    return [".EX", *(_line(example) for example in page.examples), ".EE"]


def _exits(codes: Iterable[ExitCode]) -> list[str]:
    lines = [".SH EXIT STATUS"]
    for it in sorted(codes, key=lambda code: code.status):
        lines += [".TP", rf"\fB{it.status}\fR", *_paragraph(f"{it.meaning}{f' ({it.code})' if it.code else ''}")]
    return lines


def _files() -> list[str]:
    told = {SETTINGS_FILE: "settings of the present folder; see artreg config show", POLICY_FILE: "the policy"}
    lines = [".SH FILES"]
    for path, meaning in told.items():
        lines += [".TP", rf"\fI{_escaped(path)}\fR", *_paragraph(meaning)]
    return lines


def _paragraph(text: str) -> list[str]:
    """Return text in short lines; a sentence ends where a line does, as roff would have it."""
    sentences = re.split(r"(?<=[.?!]) +(?=[A-Z])", text)
    wrapped = [line for one in sentences for line in textwrap.wrap(one, _WIDTH, break_on_hyphens=False)]
    return [_line(line) for line in wrapped]


def _line(text: str) -> str:
    r"""Return text as a line of its own: one that begins like a request is none behind `\&`."""
    escaped = _escaped(text)
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    signs = (_ESCAPES.get(sign, sign if sign.isascii() else rf"\[u{ord(sign):04X}]") for sign in text)
    return "".join(signs)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
