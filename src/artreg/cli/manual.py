"""What there is to say of each command, as plain data: help, man page and reference are made of it.

It is read off the commands themselves: what they take from their annotations, the rest from their docstrings, whose
first line is the summary and whose last paragraph is `Examples: artreg …; artreg …`.
"""

from __future__ import annotations

import re
import shlex
from enum import Enum

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.errors import EXIT_CODES
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

TITLE = "A filesystem artifact registry: train, publish, verify, promote, roll back; on a disk or in S3."

MEANINGS = {
    "internal": "a bug in artreg; -v shows the traceback",
    "invalid_input": "wrong usage, bad config, bad name",
    "gate_rejected": "a gate said no; every gate's verdict is in the output",
    "integrity": "something does not match its checksum, or a chain is broken",
    "not_found": "no such model, version, alias, registry",
    "conflict": "somebody else was faster; nothing was changed",
    "already_exists": "already there with other content",
    "storage": "storage cannot be reached or refused; what was done is said",
    "not_reproduced": "not the same bytes or figures when run again",
    "interrupted": "interrupted; nothing half-done is visible",
}
"""What each `error.code` means to whoever runs a command."""

_ALWAYS = ("internal", "interrupted")

_BY_OFFER = {
    "aliases": "ALIAS",
    "models": "MODEL",
    "numbers": "VERSION",
    "policy_aliases": "ALIAS",
    "projects": "PROJECT",
    "references": "REFERENCE",
    "snapshots": "SNAPSHOT",
    "version_references": "REFERENCE",
    "versions": "VERSION",
}
_BY_KIND = {"int": "N", "float": "NUMBER", "Path": "PATH"}


class Item(Frozen):
    """An argument or an option.

    Attributes:
        names: What it is called: of an option first the long name, then the short one if it has one.
        metavar: What stands for its value; '' of a flag.
        help: What it is.
        default: What it is otherwise, as one would write it; '' if nothing.
        environment: The variable that says it where the command line does not, or ''.
        choices: Its values, if these are all.
        required: Whether it must be given.
        many: Whether it may be given several times.
    """

    names: tuple[str, ...]
    metavar: str
    help: str
    default: str = ""
    environment: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    many: bool = False

    @property
    def usage(self) -> str:
        """How it stands in a line that shows the use of the command."""
        text = f"{self.names[0]} {self.metavar}" if self.names[0].startswith("-") else self.names[0]
        return f"{text if self.required else f'[{text}]'}{'…' if self.many else ''}"


class ExitCode(Frozen):
    """One way for a command to end.

    Attributes:
        status: The exit status.
        code: The `error.code` of the `--json` document; '' where nothing failed.
        meaning: What it means.
    """

    status: int
    code: str
    meaning: str


class Page(Frozen):
    """What there is to say of one command.

    Attributes:
        words: Its name: one word, or two of a command in a group.
        summary: What it does, in a sentence.
        paragraphs: What else there is to know.
        arguments: What it takes by place.
        options: What it takes by name, besides what every command takes.
        examples: Command lines.
        codes: How it may end, besides by a bug (1) and by being interrupted (130).
    """

    words: tuple[str, ...]
    summary: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Item, ...]
    options: tuple[Item, ...]
    examples: tuple[str, ...]
    codes: tuple[ExitCode, ...]

    @property
    def name(self) -> str:
        """How the command is called, the program's name included."""
        return " ".join(("artreg", *self.words))

    @property
    def usage(self) -> str:
        """The line that shows how to call it."""
        needed = [item.usage for item in self.options if item.required]
        return " ".join([self.name, *(item.usage for item in self.arguments), *needed, "[OPTIONS]"])


def pages() -> list[Page]:
    """Return what there is to say of every command, in the order of the table."""
    return [page_of(words, entry) for words, entry in entries()]


def entries() -> Iterator[tuple[tuple[str, ...], Entry]]:
    """Yield every command with its name, in the order of the table."""
    for name, entry in COMMANDS.items():
        if isinstance(entry, Entry):
            yield (name,), entry
        else:
            yield from (((name, inner), command) for inner, command in entry.entries.items())


def page_of(words: tuple[str, ...], entry: Entry) -> Page:
    """Return what there is to say of a command.

    Args:
        words: Its name.
        entry: The command.
    """
    function = entry.load()
    summary, paragraphs, examples = _read_docstring(function.__doc__ or "")
    parameters = parameters_of(function)
    return Page(
        words,
        summary,
        paragraphs,
        tuple(_item(it) for it in parameters if isinstance(it.marker, Argument)),
        tuple(_item(it) for it in parameters if isinstance(it.marker, Option)),
        examples,
        exit_codes(("invalid_input", *entry.codes)),
    )


def group_of(name: str) -> Group | None:
    """Return the group of this name, if there is one."""
    entry = COMMANDS.get(name)
    return entry if isinstance(entry, Group) else None


def common_options() -> list[Item]:
    """Return what every command takes."""
    valued = [_option(it, it.metavar or "", ()) for it in COMMON.values()]
    flags = [_option(it, "", ()) for it in COMMON_FLAGS.values()]
    return [*valued, *flags, Item(("--help", "-h"), "", "Show this help")]


def exit_codes(codes: tuple[str, ...] = ()) -> tuple[ExitCode, ...]:
    """Return the ways to end that bear these codes, by their status; of no codes all that there are."""
    chosen = codes or tuple(EXIT_CODES)
    found = [ExitCode(EXIT_CODES[code], code, MEANINGS[code]) for code in dict.fromkeys(chosen)]
    return ExitCode(0, "", "done"), *sorted(found, key=lambda it: it.status)


def always() -> tuple[ExitCode, ...]:
    """Return the ways in which any command may end that its own page does not repeat."""
    return exit_codes(_ALWAYS)[1:]


def _read_docstring(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    summary, *rest = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]
    examples = rest.pop().partition(": ")[2] if rest and re.match("Examples?: ", rest[-1]) else ""
    return summary, tuple(rest), tuple(line for line in re.split(r";\s+", examples) if line)


def _item(parameter: Parameter) -> Item:
    marker = parameter.marker
    choices = tuple(str(member.value) for member in getattr(parameter.kind, "__members__", {}).values())
    if isinstance(marker, Option):
        metavar = marker.metavar or _BY_OFFER.get(marker.complete.rpartition(" ")[2]) or _metavar(parameter, choices)
        shown = _shown(parameter.default)
        return _option(marker, metavar, choices, default=shown, required=parameter.required, many=parameter.many)
    name = marker.metavar or parameter.name.upper().replace("_", "-")
    default = _shown(parameter.default) if marker.show_default else ""
    return Item((name,), name, marker.help, default, choices=choices, required=parameter.required, many=parameter.many)


def _option(marker: Option, metavar: str, choices: tuple[str, ...], **rest: Any) -> Item:
    return Item(tuple(marker.names), metavar, marker.about, environment=marker.environment, choices=choices, **rest)


def _metavar(parameter: Parameter, choices: tuple[str, ...]) -> str:
    if parameter.kind is bool:
        return ""
    name = parameter.kind.__name__
    return name.upper() if choices else _BY_KIND.get(name, "TEXT")


def _shown(default: object) -> str:
    if default is None or isinstance(default, bool):
        return ""
    text = str(default.value if isinstance(default, Enum) else default)
    return shlex.quote(text) if text else ""
