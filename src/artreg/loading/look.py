"""Says what loading a model would do, without loading it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from artreg.core.inspection import FileReport, Inspected
from artreg.core.manifest import is_model_file
from artreg.core.names import Reference
from artreg.errors import InvalidInput, NotFound
from artreg.inspection.inspect import inspect_file
from artreg.registry.contents import find_contents, held
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved
from artreg.training.skops_bytes import trusted_by


def look_at(registry: Registry, reference: Reference, types: Sequence[str] = ()) -> tuple[Resolved, Inspected]:
    """Inspect the files of a model in a registry, each verified.

    Args:
        registry: The registry.
        reference: Which version.
        types: Full names of types that skops may make, as for `load`.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged.
    """
    contents = find_contents(registry, reference)
    names = [name for name in contents.manifest.files if is_model_file(name)]
    reports = []
    for name in names:
        with held(contents, [name]) as files:
            reports.append(inspect_file(files[name], name, partial(trusted_by, types=types)))
    return contents.found, Inspected(tuple(reports))


def look_at_file(path: Path, types: Sequence[str] = ()) -> FileReport:
    """Inspect a file that lies in no registry.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is no plain file, or cannot be read.
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
        return inspect_file(file, path.name, partial(trusted_by, types=types))
