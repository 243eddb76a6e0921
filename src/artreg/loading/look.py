"""Says what loading a model would do, without loading it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO

from artreg.core.inspection import FileReport, Inspected
from artreg.core.manifest import is_model_file
from artreg.core.names import Reference
from artreg.errors import InvalidInput, NotFound
from artreg.inspection.inspect import inspect_file
from artreg.inspection.second_opinion import second_opinion
from artreg.registry.contents import find_contents, held
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved
from artreg.training.skops_bytes import trusted_by


def look_at(
    registry: Registry, reference: Reference, types: Sequence[str] = (), *, ask_others: bool = False
) -> tuple[Resolved, Inspected]:
    """Inspect the files of a model in a registry, each verified.

    Args:
        registry: The registry.
        reference: Which version.
        types: Full names of types that skops may make, as for `load`.
        ask_others: Whether fickling is asked about pickles too.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged.
        InvalidInput: fickling is not installed.
    """
    contents = find_contents(registry, reference)
    names = [name for name in contents.manifest.files if is_model_file(name)]
    reports = []
    for name in names:
        with held(contents, [name]) as files:
            reports.append(_look(files[name], name, types, ask_others=ask_others))
    return contents.found, Inspected(tuple(reports))


def look_at_file(path: Path, types: Sequence[str] = (), *, ask_others: bool = False) -> FileReport:
    """Inspect a file that lies in no registry.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is no plain file, or cannot be read; or fickling is not installed.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", hint="name a file, or a version such as churn@prod") from None
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise InvalidInput(f"{path} is no plain file", hint="name the model's file itself")
    with open(number, "rb") as file:
        return _look(file, path.name, types, ask_others=ask_others)


def _look(file: IO[bytes], name: str, types: Sequence[str], *, ask_others: bool) -> FileReport:
    return inspect_file(file, name, partial(trusted_by, types=types), second_opinion if ask_others else None)
