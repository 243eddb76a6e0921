"""Where each setting comes from, told even where the settings file is broken."""

from __future__ import annotations

import os
from pathlib import Path

from artreg.cli.declare import COMMON
from artreg.cli.settings import SETTINGS_FILE, Settings
from artreg.core.near import did_you_mean, near
from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.plainfile import is_trouble, read_plain
from artreg.yamldoc import MAX_BYTES, key_lines, parse_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Origin(Frozen):
    """A setting with where it comes from.

    Attributes:
        name: The setting.
        value: What it is; None where nothing is set.
        source: `flag`, `environment`, `file` or `default`.
        place: The option, the variable, or the file.
        line: The line of the file.
    """

    name: str
    value: str | None
    source: str
    place: str = ""
    line: int | None = None


class Fault(Frozen):
    """What is wrong with what was set.

    Attributes:
        message: What.
        hint: What to do about it.
        suggestions: Settings that may have been meant.
        fatal: Whether every other command refuses it too; a variable that nobody knows is only left alone.
    """

    message: str
    hint: str
    suggestions: tuple[str, ...] = ()
    fatal: bool = True


class Origins(Frozen):
    """Every setting.

    Attributes:
        settings: The settings, in their order.
        faults: What is wrong.
        file: The settings file that was looked for.
        found: Whether it is there.
    """

    settings: tuple[Origin, ...]
    faults: tuple[Fault, ...]
    file: str
    found: bool


def find_origins(flags: Mapping[str, str | None], environment: Mapping[str, str], folder: str = "") -> Origins:
    """Return where each setting comes from.

    Args:
        flags: What the command line said; None where it said nothing.
        environment: The environment.
        folder: Where `configs/artreg.yaml` is looked for; by default the present one.
    """
    path = os.path.join(folder, SETTINGS_FILE)
    faults: list[Fault] = []
    try:
        data: bytes | None = read_plain(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        data = None
    except OSError as error:
        if is_trouble(error):
            raise
        data = b""
        faults.append(Fault(f"{path} cannot be read: {error.strerror or error}", "make it a file that can be read"))
    written = _written(path, data or b"", faults)
    found = tuple(_origin(name, flags, environment, path, written) for name in Settings.__match_args__)
    return Origins(found, (*faults, *_misspelt(environment)), path, data is not None)


def _origin(
    name: str,
    flags: Mapping[str, str | None],
    environment: Mapping[str, str],
    path: str,
    written: Mapping[str, tuple[str, int | None]],
) -> Origin:
    variable = f"ARTREG_{name.upper()}"
    if flags.get(name):
        return Origin(name, flags[name], "flag", COMMON[name].name if name in COMMON else f"--{name}")
    if environment.get(variable):
        return Origin(name, environment[variable], "environment", variable)
    if name in written:
        value, line = written[name]
        return Origin(name, value, "file", path, line)
    return Origin(name, getattr(Settings(), name), "default")


def _written(path: str, data: bytes, faults: list[Fault]) -> dict[str, tuple[str, int | None]]:
    """Return what a settings file says, as far as it can be read, and add what is wrong with it to the faults."""
    try:
        document = parse_yaml(data, path)
        lines = key_lines(data)
    except InvalidInput as error:
        faults.append(Fault(error.message, error.hint))
        return {}
    if document is None:
        return {}
    if not isinstance(document, dict):
        faults.append(Fault(f"{path} is not a mapping", f"it may hold {', '.join(Settings.__match_args__)}"))
        return {}
    good: dict[str, tuple[str, int | None]] = {}
    for key, value in document.items():
        where = f"{path}, line {lines[key]}" if key in lines else path
        if key not in Settings.__match_args__:
            meant = near(str(key), Settings.__match_args__)
            hint = did_you_mean(meant) or "take it out: nothing reads it"
            faults.append(Fault(f"{where}: {key!r} is no setting", hint, tuple(meant)))
        elif not isinstance(value, str) or not value:
            faults.append(Fault(f"{where}: {key} must be text", "write it between quotation marks"))
        else:
            good[key] = (value, lines.get(key))
    return good


def _misspelt(environment: Mapping[str, str]) -> Iterator[Fault]:
    """Yield the variables that are nearly those of settings; others may be anybody's."""
    for variable in sorted(environment):
        name = variable.removeprefix("ARTREG_").lower()
        if variable.startswith("ARTREG_") and name not in Settings.__match_args__:
            meant = tuple(f"ARTREG_{one.upper()}" for one in near(name, Settings.__match_args__))
            if meant:
                yield Fault(f"the variable {variable} sets nothing", did_you_mean(meant), meant, fatal=False)


def absolute(root: str) -> str:
    """Return where a registry root lies: a URL, or a folder with its whole path."""
    return root if "://" in root else str(Path(root).absolute())
