"""What a registry holds down to its files: the catalogue, and what a tree tells beyond it."""

from __future__ import annotations

from collections import defaultdict

from artreg.core import keys
from artreg.core.manifest import MANIFEST, TOMBSTONE
from artreg.core.names import ModelName
from artreg.core.version import is_version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.registry.catalog import ModelSummary, catalog
from artreg.registry.handle import Registry
from artreg.registry.verifications import remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Files = Mapping[str, Mapping[str, int]]


class Branch(Frozen):
    """A model.

    Attributes:
        summary: Its versions and aliases.
        files: The files of each version, with their sizes.
        unfinished: The numbers that were begun and neither finished nor ended, each with its files.
        damaged: When which version was last found damaged, as far as that was recorded.
    """

    summary: ModelSummary
    files: Files
    unfinished: Files
    damaged: Mapping[str, str]


def branches(registry: Registry, scope: ModelName | None = None, *, deep: bool = True) -> list[Branch]:
    """Return the models of a registry, or one; one listing for each beside that of the catalogue.

    Args:
        registry: The registry.
        scope: Which model.
        deep: Whether files and damage are wanted.

    Raises:
        NotFound: There is no such model or registry.
        IntegrityError: The newest record of an alias is damaged.
    """
    return [_branch(registry, summary) if deep else Branch(summary, {}, {}, {}) for summary in catalog(registry, scope)]


def _branch(registry: Registry, summary: ModelSummary) -> Branch:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for entry in registry.store.walk(keys.model_prefix(summary.model)):
        number, slash, name = entry.name.partition("/")
        if slash and is_version(number):
            found[number][name] = entry.size
    sealed = {str(version.version) for version in summary.versions}
    spent = {number for number, files in found.items() if files.get(MANIFEST) == len(TOMBSTONE)}
    return Branch(
        summary,
        {number: files for number, files in found.items() if number in sealed},
        {number: files for number, files in found.items() if number not in sealed | spent},
        _damaged(registry, summary.model),
    )


def _damaged(registry: Registry, model: ModelName) -> dict[str, str]:
    try:
        seen = remembered(registry, model).seen
    except IntegrityError:  # what is remembered is of no use then; verify says so
        return {}
    return {version: one.time for version, one in seen.items() if not one.ok}
