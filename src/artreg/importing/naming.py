"""What the names and numbers of a source become here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from artreg.core.names import Alias, ModelName, is_name
from artreg.core.near import did_you_mean_or, near
from artreg.core.version import Version
from artreg.errors import InvalidInput, NotFound
from artreg.importing.source import Trouble

_SHOWN = 100
_WHOLE = r"v?0*(\d{1,18})"
_TWO = r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)"
_DAY = r"([12]\d{3})([-_.])(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"


class Naming:
    """What the models of a source are called here: as the user says, or as they are called there if that is a name.

    Upper case and spaces are no reason to ask. It keeps what it was asked for, so that two names that would become one
    show, and so do those that the user meant and the source does not have.

    Args:
        project: Where a model lies of which nothing else is said.
        renamed: What models become, by their names there.
        only: The names that are wanted; all if there are none.
    """

    def __init__(self, project: str, renamed: Mapping[str, ModelName], only: Sequence[str] = ()) -> None:
        self._project, self._renamed, self._only = project, renamed, only
        self._asked: dict[str, None] = {}
        self._names: dict[ModelName, dict[str, None]] = {}

    def model(self, name: str) -> ModelName:
        """Return the model that a name of the source becomes.

        Raises:
            InvalidInput: It cannot be one, and the user has not said what it is to become.
        """
        self._asked[name] = None
        model = self._renamed.get(name) or ModelName(self._project, _tidied(name))
        self._names.setdefault(model, {})[name] = None
        return model

    def wanted(self, name: str) -> bool:
        """Return whether the user wants the model that the source calls by this name."""
        self._asked[name] = None
        return not self._only or name in self._only

    def clashes(self) -> dict[ModelName, InvalidInput]:
        """Return the models that several names would become, unless the user or the names themselves say so."""
        return {
            model: InvalidInput(
                f"{' and '.join(sorted(names))} would all become {model}",
                hint=f"say what each becomes: {option('--map', min(names), 'NAME')}",
            )
            for model, names in self._names.items()
            if len(names) > 1 and any(name not in self._renamed and name != model.model for name in names)
        }

    def unknown(self) -> Iterator[Trouble]:
        """Yield the names that the user meant and the source does not have."""
        for name in dict.fromkeys([*self._only, *self._renamed]):
            if name not in self._asked:
                found = near(name, self._asked)
                known = f"it has {', '.join(sorted(self._asked)[:_SHOWN])}" if self._asked else ""
                error = NotFound(f"the source has no model called {name!r}", hint=did_you_mean_or(found, known))
                yield Trouble(name, error)

    def elsewhere(self, model: ModelName) -> str:
        """Return the hint how what would become a version of a model can become one of another."""
        name = next(iter(self._names.get(model, ())), None)
        return option("--map", name, "OTHER-NAME") if name else "another --model or --version"


def option(flag: str, name: str, becomes: str) -> str:
    """Return an option that says what a name becomes, as a shell takes it, whatever is in the name."""
    return f"{flag} '{name}={becomes}'" if "'" not in name else f"{flag} {shlex.quote(f'{name}={becomes}')}"


def version_of(text: str) -> Version:
    """Return the version that a number, a date or a version of others becomes.

    `1.2.0` and `v1.2.0` stay what they are; `3` becomes 3.0.0, `1.2` becomes 1.2.0, and 2024-05-01 becomes 2024.5.1.

    Raises:
        InvalidInput: It is none of these.
    """
    if whole := re.fullmatch(_WHOLE, text, re.ASCII):
        return Version(int(whole[1]), 0, 0)
    if day := re.fullmatch(_DAY, text, re.ASCII):
        return Version(int(day[1]), int(day[3]), int(day[4]))
    if two := re.fullmatch(_TWO, text, re.ASCII):
        text = f"{two[1]}.{two[2]}.0"
    try:
        return Version.parse(text)
    except InvalidInput:
        raise InvalidInput(
            f"{text[:_SHOWN]!r} is no version, and cannot become one",
            hint="versions are 1.2.0, v1.2.0, 1.2, 3 or 2024-05-01",
        ) from None


def renames(words: Sequence[str], project: str) -> dict[str, ModelName]:
    """Read `NAME=[PROJECT/]MODEL` of the command line.

    Raises:
        InvalidInput: One is not that, or a name is given twice.
    """
    pairs = _pairs(words, "--map", "[PROJECT/]MODEL")
    return {name: ModelName.parse(model, project) for name, model in pairs.items()}


def alias_names(words: Sequence[str]) -> dict[str, Alias | None]:
    """Read `NAME=ALIAS` of the command line; `NAME=` is an alias that is to be left out.

    Raises:
        InvalidInput: One is not that, or a name is given twice.
    """
    pairs = _pairs(words, "--alias", "ALIAS")
    return {name: Alias(alias) if alias else None for name, alias in pairs.items()}


def _pairs(words: Sequence[str], option: str, what: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.rpartition("=")  # names of others may hold one
        if not equals or not name:
            raise InvalidInput(f"{option} {word[:_SHOWN]!r} says nothing", hint=f"write {option} NAME={what}")
        if name in pairs:
            raise InvalidInput(f"{option} names {name[:_SHOWN]!r} twice", hint="leave one of them out")
        pairs[name] = value
    return pairs


def _tidied(name: str) -> str:
    tidied = name.lower().replace(" ", "-") if name.isascii() else name
    if not is_name(tidied):
        raise InvalidInput(
            f"{name[:_SHOWN]!r} cannot be the name of a model here",
            hint=f"say what it becomes: {option('--map', name[:_SHOWN], 'NAME')}",
        )
    return tidied
