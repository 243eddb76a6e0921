"""`metrics`: the registry's figures for Prometheus."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, printable
from artreg.core.wording import plural
from artreg.errors import ArtregError, NotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from artreg.core.names import ModelName
    from artreg.registry.handle import Registry
    from artreg.registry.vitals import Vitals


def metrics(
    session: Session,
    models: Annotated[
        list[str] | None, Argument(help="[PROJECT/]MODEL; all by default", metavar="MODEL", complete="models")
    ] = None,
    out: Annotated[
        Path | None,
        Option("--out", "-o", metavar="FILE", help="Replace this file at once, for the textfile collector"),
    ] = None,
) -> None:
    """Print figures for Prometheus: what each alias holds, how old and how well proven that is, and what is wrong.

    What is damaged is a figure, and a warning; it hides nothing else. A registry that cannot be read is artreg_up 0,
    which is printed, or written to FILE, before the command fails. The cost grows with models and aliases alone.

    Examples: artreg metrics; artreg metrics churn --json; artreg metrics --out artreg.prom
    """
    from artreg.integrations.prometheus import exposition, families

    registry, wanted = session.registry, [session.model(text) for text in models or ()]
    begin = time.monotonic()
    found, failure = _read(registry, wanted)
    told = families(_label(registry.store.url), found, time.monotonic() - begin)
    lines = exposition(told)
    if out is not None:
        _replace(out, "\n".join([*lines, ""]))
    problems = [problem for model in found or () for problem in model.problems()]
    for problem in problems:
        session.output.note(f"warning: {problem}")

    def document() -> dict[str, Any]:
        if failure is not None:
            raise failure
        where = {} if out is None else {"path": str(out)}
        return {"up": True, **where, "problems": problems, "families": [family.document() for family in told]}

    count = sum(len(family.samples) for family in told)
    shown = lines if out is None else [f"{plural(count, 'figure')} written to {out}"]
    session.output.result(document, [Line(line) for line in shown])
    if failure is not None:
        raise failure


def _read(registry: Registry, models: Sequence[ModelName]) -> tuple[list[Vitals] | None, ArtregError | None]:
    from artreg.registry.vitals import take_vitals

    try:
        return take_vitals(registry, models), None
    except ArtregError as error:
        if isinstance(error, NotFound) and _is_there(registry):  # a model is not, which says nothing of the registry
            raise
        return None, error


def _is_there(registry: Registry) -> bool:
    try:
        registry.store.require_root()
    except ArtregError:
        return False
    return True


def _label(url: str) -> str:
    """Return what the registry is called among others."""
    return printable(url if "://" in url else os.path.abspath(url))


def _replace(path: Path, text: str) -> None:
    from artreg.plainfile import replace_plain

    try:
        replace_plain(os.path.realpath(path), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}", hint="name a file that can be") from error
