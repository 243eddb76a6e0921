"""Plain scalars of YAML 1.2: what text without quotes means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_LONGEST_INTEGER = 400  # Python refuses to convert very long ones, and no setting needs them

PLAIN_SCALARS: Mapping[str, re.Pattern[str]] = {
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "float": re.compile(
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    ),
}
"""The core schema of YAML 1.2: what a plain scalar must look like to be no text, by the name of its YAML tag."""


def parse_scalar(text: str) -> bool | int | float | str | None:
    """Read a plain scalar by `PLAIN_SCALARS`: null, a boolean, an integer, a float, else text.

    YAML files are read by the same rule (`artreg.yamldoc`), so that `--set` and a file agree. Unlike in
    YAML 1.1, `1e-3` is a number, and `no` and `1:30` are text.
    """
    for name, pattern in PLAIN_SCALARS.items():
        if pattern.fullmatch(text):
            return _READ[name](text)
    return text


def _null(_: str) -> None:
    return None


def _boolean(text: str) -> bool:
    return text.lower() == "true"


def _integer(text: str) -> int | str:
    if len(text) > _LONGEST_INTEGER:
        return text
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_READ: Mapping[str, Callable[[str], bool | int | float | str | None]] = {
    "null": _null,
    "bool": _boolean,
    "int": _integer,
    "float": _real,
}
