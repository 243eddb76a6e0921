"""Understands a command line that is well formed, by what the command declares; of any other it says nothing.

Whatever it does not understand to the letter (a misspelt option, a missing value, `--help`) is left to the Typer
application, which is made of the same declarations and finds words for it. What both understand they understand alike:
a test holds one against the other.
"""

from __future__ import annotations

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.frozen import Frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Call(Frozen):
    """A command with what it was given.

    Attributes:
        function: The command's function.
        arguments: Its arguments by name.
        common: What the common options say.
    """

    function: Callable[..., None]
    arguments: dict[str, Any]
    common: dict[str, Any]


class Named(Frozen):
    """The command that a line names, as far as it can be told.

    Attributes:
        path: The words that name it, or a group of commands.
        entry: The command or the group; None where no word names one.
        unknown: The word that names none where one should stand, or ''.
    """

    path: tuple[str, ...]
    entry: Entry | Group | None = None
    unknown: str = ""


class NotUnderstood(Exception):  # no error: somebody else understands it
    """The words are none that this module knows."""


class Words:
    """The words of a command line, read from left to right.

    Args:
        words: What follows the program's name.
    """

    def __init__(self, words: list[str]) -> None:
        self._rest = words[::-1]
        self.common: dict[str, Any] = {}  # an empty value counts as none

    def command(self) -> Entry:
        """Read on to the command's name, past common options.

        Raises:
            NotUnderstood: There is none.
        """
        entry = self.named().entry
        if not isinstance(entry, Entry):
            raise NotUnderstood
        return entry

    def named(self) -> Named:
        """Read on to the command's name, past common options, and tell how far that went."""
        level: Mapping[str, Entry | Group] = COMMANDS
        found = Named(())
        while not isinstance(found.entry, Entry):
            try:
                word = self._positional()
            except NotUnderstood:
                break
            entry = level.get(word)
            if entry is None:
                return replace(found, unknown=word)
            found = Named((*found.path, word), entry)
            level = entry.entries if isinstance(entry, Group) else {}
        return found

    def arguments(self, parameters: list[Parameter]) -> dict[str, Any]:
        """Read the rest of the words.

        Raises:
            NotUnderstood: They are not what the command takes.
        """
        options = {name: it for it in parameters if isinstance(it.marker, Option) for name in it.marker.names}
        positional = [it for it in parameters if isinstance(it.marker, Argument)]
        given: dict[str, Any] = {}
        while self._rest:
            word = self._rest.pop()
            if not word.startswith("-"):
                if not positional:
                    raise NotUnderstood
                parameter = positional[0]
                if parameter.many:
                    given.setdefault(parameter.name, []).append(value_of(word, parameter))
                else:
                    given[positional.pop(0).name] = value_of(word, parameter)
            elif not self._common(word):
                self._option(word, options, given)
        missing = [it for it in parameters if it.required and it.name not in given]
        if missing:
            raise NotUnderstood
        return {it.name: given.get(it.name, it.default) for it in parameters}

    def _positional(self) -> str:
        while self._rest:
            word = self._rest.pop()
            if not word.startswith("-"):
                return word
            if not self._common(word):
                break
        raise NotUnderstood

    def _common(self, word: str) -> bool:
        """Take a common option, if it is one."""
        for key, option in COMMON_FLAGS.items():
            if word in option.names:
                self.common[key] = True
                return True
        name, equals, value = word.partition("=")
        for key, option in COMMON.items():
            if name in option.names:
                self.common[key] = self._value(name, equals, value)
                return True
        return False

    def _option(self, word: str, options: dict[str, Parameter], given: dict[str, Any]) -> None:
        name, equals, value = word.partition("=")
        parameter = options.get(name)
        if parameter is None or (equals and parameter.kind is bool):
            raise NotUnderstood
        if parameter.kind is bool:
            given[parameter.name] = True
            return
        read = value_of(self._value(name, equals, value), parameter)
        if parameter.many:
            given.setdefault(parameter.name, []).append(read)
        else:
            given[parameter.name] = read

    def _value(self, name: str, equals: str, value: str) -> str:
        if equals and name.startswith("--"):
            return value
        if equals or not self._rest or self._rest[-1].startswith("-"):
            raise NotUnderstood
        return self._rest.pop()


def understand(words: list[str]) -> Call | None:
    """Return the command that is called by these words, or None."""
    reader = Words(words)
    try:
        function = reader.command().load()
        arguments = reader.arguments(parameters_of(function))
    except NotUnderstood:
        return None
    return Call(function, arguments, {key: value for key, value in reader.common.items() if value})


def value_of(word: str, parameter: Parameter) -> Any:
    """Return what a word means as the value of a parameter.

    Raises:
        NotUnderstood: Nothing.
    """
    if parameter.kind is str:
        return word
    try:
        value = parameter.kind(word)
    except ValueError:
        raise NotUnderstood from None
    least = parameter.marker.least if isinstance(parameter.marker, Option) else None
    if least is not None and value < least:
        raise NotUnderstood
    return value
