"""Shell completion: what may stand where the cursor is. Whatever goes wrong, it offers nothing, and soon.

The script that a shell loads (`artreg completion`) runs artreg with the line so far, and is answered with a word a
line, without loading Typer. Two answers are no words: `:files` where the shell may offer files too, and `:open` to bash
where what was offered goes on without a space.
"""

from __future__ import annotations

import os
import re

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HARMLESS = r"[A-Za-z0-9][A-Za-z0-9@:/._=-]*"
"""Words that mean nothing to a shell; what else a registry holds is not offered."""

_GOES_ON = ("@", "=", "/")
_FILES = frozenset(("DIR", "DST", "FILE", "FOLDER", "OTHER", "PATH", "ROOT", "SRC"))
"""What stands for the value of an option or an argument where files are meant."""

_PATIENCE = 2.0  # seconds; whoever waits longer for a Tab takes it for broken
_MOST = 1000

Offer = tuple[str, str]
"""A word, and what it means, or ''."""


class Offers(Frozen):
    """What may stand where the cursor is.

    Attributes:
        words: The words.
        files: Whether it may be a file too.
    """

    words: tuple[Offer, ...] = ()
    files: bool = False


def answer(shell: str, arguments: list[str]) -> str:
    """Return what the completion script of a shell is to be told.

    Args:
        shell: Which one asks.
        arguments: What its script gives: bash its word breaks and the line up to the cursor, the others the words
            after the program's name, the last of which is the one in question.
    """
    if shell == "bash" and len(arguments) == 2:  # noqa: PLR2004
        breaks, line = arguments
        words = _split(line)
    elif shell in {"zsh", "fish"} and arguments:
        breaks, words = "", ["artreg", *arguments]
    else:
        return ""
    if len(words) < 2:  # noqa: PLR2004
        return ""
    *before, incomplete = words[1:]
    found = _in_time(before, incomplete, explained=shell != "bash")
    if found is None:
        os._exit(0)  # and wait for nothing
    return _FORMS[shell](found, _broken_off(incomplete, breaks))


def offers_for(before: list[str], incomplete: str, *, explained: bool = False) -> Offers:
    """Return what may stand where the cursor is.

    Args:
        before: The words before it, without the program's name.
        incomplete: What of the word in question is there already.
        explained: Whether the words are to be explained, which takes longer.
    """
    level: Mapping[str, Entry | Group] = COMMANDS
    common: dict[str, Any] = {}
    rest = before[::-1]
    while rest:
        word = rest.pop()
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            key = _common_with_value(name)
            if key and not (equals or rest):
                return _values(COMMON[key], common, {}, incomplete)
            if key:
                common[key] = value if equals else rest.pop()
            continue
        entry = level.get(word)
        if isinstance(entry, Entry):
            return _inside(parameters_of(entry.load()), rest, common, incomplete)
        if entry is None:
            return Offers()
        level = entry.entries
    if incomplete.startswith("-"):
        return _option_or_value({}, common, {}, incomplete)
    found = [(name, _about(entry) if explained else "") for name, entry in level.items() if name.startswith(incomplete)]
    return Offers(tuple(found))


def _inside(parameters: list[Parameter], rest: list[str], common: dict[str, Any], incomplete: str) -> Offers:
    """Return what may stand after a command's name and the words of `rest`, the last of which comes first."""
    options = {name: it for it in parameters if isinstance(it.marker, Option) for name in it.marker.names}
    positional = [it for it in parameters if isinstance(it.marker, Argument)]
    given: dict[str, Any] = {}
    waiting = _read(rest, options, positional, common, given)
    if isinstance(waiting, Option):
        return _values(waiting, common, given, incomplete)
    if waiting is not None:
        return _choices(waiting, common, given, incomplete)
    if incomplete.startswith("-"):
        return _option_or_value(options, common, given, incomplete)
    return _choices(positional[0], common, given, incomplete) if positional else Offers()


def _read(
    rest: list[str],
    options: dict[str, Parameter],
    positional: list[Parameter],
    common: dict[str, Any],
    given: dict[str, Any],
) -> Parameter | Option | None:
    """Read the words of `rest`, and return the option that waits for its value, if the last one does."""
    while rest:
        word = rest.pop()
        name, equals, value = word.partition("=")
        key, option = _common_with_value(name), options.get(name)
        if not word.startswith("-"):
            _place(word, positional, given)
        elif key and (equals or rest):
            common[key] = value if equals else rest.pop()
        elif key:
            return COMMON[key]
        elif option is not None and option.kind is bool:
            given[option.name] = True
        elif option is not None and (equals or rest):
            given[option.name] = value if equals else rest.pop()
        elif option is not None:
            return option
    return None


def _place(word: str, positional: list[Parameter], given: dict[str, Any]) -> None:
    if positional and positional[0].many:
        given.setdefault(positional[0].name, []).append(word)
    elif positional:
        given[positional.pop(0).name] = word


def _option_or_value(
    options: dict[str, Parameter], common: dict[str, Any], given: Mapping[str, Any], incomplete: str
) -> Offers:
    """Return the options that begin so, or after `--name=` its values."""
    name, equals, begun = incomplete.partition("=")
    if not equals:
        own = [it.marker for it in options.values() if it.many or it.name not in given]
        named = [
            ("--help", "Show this help"),
            *((it.name, it.about) for it in (*own, *COMMON.values(), *COMMON_FLAGS.values()) if isinstance(it, Option)),
        ]
        return Offers(tuple(dict.fromkeys(offer for offer in named if offer[0].startswith(incomplete))))
    if name in options:
        found = _choices(options[name], common, given, begun)
    elif key := _common_with_value(name):
        found = _values(COMMON[key], common, given, begun)
    else:
        return Offers()
    return Offers(tuple((f"{name}={word}", meaning) for word, meaning in found.words), found.files)


def _choices(parameter: Parameter, common: dict[str, Any], given: Mapping[str, Any], incomplete: str) -> Offers:
    members = getattr(parameter.kind, "__members__", {})
    if members:
        words = [str(member.value) for member in members.values()]
        return Offers(tuple((word, "") for word in words if word.startswith(incomplete)))
    found = _values(parameter.marker, common, given, incomplete)
    return Offers(found.words, found.files or parameter.kind.__name__ == "Path")


def _values(marker: Argument | Option, common: dict[str, Any], given: Mapping[str, Any], incomplete: str) -> Offers:
    names = marker.complete.split()
    words = [word for name in names if name != "files" for word in _offered(name, common, given, incomplete)]
    return Offers(tuple((word, "") for word in words), "files" in names or marker.metavar in _FILES)


def _offered(name: str, common: dict[str, Any], given: Mapping[str, Any], incomplete: str) -> list[str]:
    from itertools import islice

    from artreg.cli.offers import OFFERS
    from artreg.cli.session import open_session

    try:
        words = OFFERS[name](open_session({**common, "quiet": True}), given, incomplete)
        begun = dict.fromkeys(word for word in words if word.startswith(incomplete))
        return list(islice((word for word in begun if re.fullmatch(_HARMLESS, word)), _MOST))
    except Exception:  # noqa: BLE001  # nobody who presses Tab wants to read why
        return []


def _common_with_value(word: str) -> str:
    return next((key for key, option in COMMON.items() if word in option.names), "")


def _about(entry: Entry | Group) -> str:
    text = entry.help if isinstance(entry, Group) else entry.load().__doc__ or ""
    return text.strip().partition("\n")[0].removesuffix(".")


def _in_time(before: list[str], incomplete: str, *, explained: bool) -> Offers | None:
    """Return what may stand there, or None if it takes long to find out: no name server can be interrupted."""
    import _thread

    found: list[Offers] = []
    done = _thread.allocate_lock()
    done.acquire()

    def find() -> None:
        try:
            found.append(offers_for(before, incomplete, explained=explained))
        finally:
            done.release()

    _thread.start_new_thread(find, ())
    return None if not done.acquire(timeout=_PATIENCE) else found[0] if found else Offers()


def _split(line: str) -> list[str]:
    """Return the words of a line, the last of which the cursor is at the end of; none of one with an open quote."""
    import shlex

    try:
        words = shlex.split(line)
    except ValueError:
        return []
    return words if words and not line[-1].isspace() else [*words, ""]


def _broken_off(word: str, breaks: str) -> int:
    """Return how much of a word bash takes for words of their own, and leaves alone; an @ begins the next word."""
    return max((place + (sign != "@") for place, sign in enumerate(word) if sign in breaks), default=0)


def _for_bash(found: Offers, left_alone: int) -> str:
    lines = [word[left_alone:] for word, _ in found.words]
    goes_on = found.words and all(word.endswith(_GOES_ON) for word, _ in found.words)
    return "".join(f"{line}\n" for line in [*lines, *_marks(found), *([":open"] if goes_on else [])])


def _for_others(found: Offers, _: int) -> str:
    lines = [f"{word}\t{meaning}" if meaning else word for word, meaning in found.words]
    return "".join(f"{line}\n" for line in [*lines, *_marks(found)])


def _marks(found: Offers) -> list[str]:
    return [":files"] if found.files else []


_FORMS = {"bash": _for_bash, "zsh": _for_others, "fish": _for_others}
