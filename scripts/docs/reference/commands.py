"""Every command, by what its function declares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.errors import EXIT_CODES
from reference.markdown import fence, plain, table
from reference.markdown import page as whole


def page() -> str:
    """Return the page."""
    common = [(", ".join(f"`{name}`" for name in it.names), plain(it.help)) for it in every_option()]
    return whole(
        "Commands",
        "`artreg COMMAND --help` says the same of one command. What each may exit with is explained under "
        "[exit codes](exit-codes.md), what it prints with `--json` under [JSON documents](json.md).\n",
        table(("command", "what it does"), ((f"[`{name}`](#{_anchor(name)})", _summary(it)) for name, it in named())),
        "## Options of every command\n",
        table(("option", "meaning"), common),
        *(part for name, entry in named() for part in _command(name, entry)),
    )


def named() -> Iterator[tuple[str, Entry]]:
    """Yield every command with its name, such as `data list`."""
    for name, entry in COMMANDS.items():
        if isinstance(entry, Group):
            yield from ((f"{name} {inner}", it) for inner, it in entry.entries.items())
        else:
            yield name, entry


def every_option() -> list[Option]:
    """Return the options that every command takes."""
    return [*COMMON.values(), *COMMON_FLAGS.values()]


def _command(name: str, entry: Entry) -> Iterator[str]:
    parameters = parameters_of(entry.load())
    text, examples = _words(entry)
    yield f"## artreg {name}\n"
    yield fence("text", " ".join([f"artreg {name}", *map(_usage, _arguments(parameters)), "[OPTIONS]"]))
    yield plain(text) + "\n"
    rows = [(f"`{_metavar(it)}`", plain(it.marker.help)) for it in _arguments(parameters)]
    rows += [(_option(it), plain(it.marker.help) + _default(it)) for it in parameters if isinstance(it.marker, Option)]
    if rows:
        yield table(("argument", "meaning"), rows)
    if examples:
        yield fence("bash", "\n".join(examples))
    codes = ["0", *(f"{EXIT_CODES[code]} `{code}`" for code in ("invalid_input", *entry.codes))]
    yield f"Exit codes: {', '.join(codes)}.\n"


def _words(entry: Entry) -> tuple[str, list[str]]:
    """Return what a command's docstring says, and its examples."""
    text, _, examples = inspect.cleandoc(entry.load().__doc__ or "").partition("\nExamples: ")
    return text.strip(), re.findall(r"(?:^|(?<=; ))artreg.*?(?=;|$)", " ".join(examples.split()))


def _summary(entry: Entry) -> str:
    return plain(_words(entry)[0].partition("\n\n")[0])


def _arguments(parameters: list[Parameter]) -> list[Parameter]:
    return [it for it in parameters if isinstance(it.marker, Argument)]


def _usage(argument: Parameter) -> str:
    name = _metavar(argument) + ("…" if argument.many else "")
    return name if argument.required else f"[{name}]"


def _metavar(argument: Parameter) -> str:
    return argument.marker.metavar or argument.name.upper()


def _option(option: Parameter) -> str:
    assert isinstance(option.marker, Option)
    value = "" if option.kind is bool else " " + (option.marker.metavar or _choices(option.kind))
    return ", ".join(f"`{name}{value}`" for name in option.marker.names)


def _choices(kind: type) -> str:
    members = getattr(kind, "__members__", None)
    return (
        "|".join(member.value for member in members.values()) if members else {int: "N", float: "X"}.get(kind, "TEXT")
    )


def _default(option: Parameter) -> str:
    if option.required:
        return ". *Required.*"
    if option.kind is bool or option.default in (None, "", []):
        return ""
    return f". By default `{getattr(option.default, 'value', option.default)}`."


def _anchor(name: str) -> str:
    return "artreg-" + name.replace(" ", "-")
