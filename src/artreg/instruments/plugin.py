"""Calls the function of a `plugin` gate; run as a program, so that it can be ended when its time is over.

A JSON document on standard input says what to call and with what; the answer is written to the file that it names, for
the function may print what it likes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from artreg.core import canonical
from artreg.errors import ArtregError

LARGEST = 65_536
"""Bytes of an answer."""

_LONGEST = 500
_LARGEST_FIGURES = 16_384  # bytes; they stand in every record of the move
_DEEPEST_FIGURES = 16


def answer(load: Callable[[], Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function, and return what it says as a JSON object: `passed`, `message`, `figures`, or only `problem`.

    Args:
        load: Imports the function.
        request: Its arguments: `candidate` and `incumbent` (folders, the second or null), `context`, `options`.
    """
    try:
        incumbent = request["incumbent"]
        folders = Path(request["candidate"]), None if incumbent is None else Path(incumbent)
        passed, message, figures = load()(*folders, request["context"], **request["options"])
        if not isinstance(passed, bool):
            return {"problem": f"it said {passed!r} instead of True or False"[:_LONGEST]}
        return {"passed": passed, "message": one_line(str(message)), "figures": _figures(figures)}
    except ArtregError as error:
        return {"problem": error.message}
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a package of others does, it must not pass for a yes
        return {"problem": one_line(f"{type(error).__name__}: {error}")}


def one_line(text: str) -> str:
    """Return a text as one line of signs that can be shown."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:_LONGEST]


def _figures(figures: object) -> dict[str, Any]:
    """Return figures as JSON gives them back, so that every record that holds them can be written and read."""
    if not isinstance(figures, dict):
        raise TypeError("its figures are no dictionary")
    plain: dict[str, Any] = json.loads(json.dumps(figures, allow_nan=False))
    if len(canonical.dumps(plain)) > _LARGEST_FIGURES:
        raise ValueError(f"its figures are larger than {_LARGEST_FIGURES:,} bytes")
    if _depth(plain) > _DEEPEST_FIGURES:
        raise ValueError(f"its figures are nested deeper than {_DEEPEST_FIGURES} levels")
    return plain


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    sys.path[:] = request["path"]  # where the process that asks finds its packages
    found = answer(EntryPoint("gate", request["value"], "artreg.gates").load, request)
    Path(request["answer"]).write_text(json.dumps(found), encoding="ascii")


if __name__ == "__main__":
    main()
