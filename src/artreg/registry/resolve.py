"""From a reference to the version that it means now."""

from __future__ import annotations

from dataclasses import dataclass

from artreg.core import keys
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import NotFound
from artreg.registry.handle import Registry
from artreg.registry.history import require_head
from artreg.registry.versions import find_manifest, list_numbers, read_manifest, require_model


@dataclass(frozen=True, slots=True)
class Resolved:
    """A version, found.

    Attributes:
        model: The model.
        version: The version.
        digest: The version's digest; for an alias the one that its record pins.
        alias: The alias by which it was found, if by one.
        generation: The number of the alias's newest move.
        path: Where the version lies.
    """

    model: ModelName
    version: Version
    digest: str
    alias: Alias | None
    generation: int | None
    path: str

    def __str__(self) -> str:
        return f"{self.model}@{self.version}"


def resolve(registry: Registry, reference: Reference) -> Resolved:
    """Return the version that a reference means now.

    Raises:
        NotFound: No such model, alias or version.
        IntegrityError: What says so is damaged.
    """
    model, target = reference.model, reference.target
    if isinstance(target, Alias):
        record = require_head(registry, model, target).record
        return Resolved(
            model, record.version, record.digest, target, record.generation, _path(registry, model, record.version)
        )
    version = target if isinstance(target, Version) else latest(registry, model)
    digest = read_manifest(registry, model, version).digest
    return Resolved(model, version, digest, None, None, _path(registry, model, version))


def latest(registry: Registry, model: ModelName) -> Version:
    """Return the highest version that is no pre-release.

    Raises:
        NotFound: There is none.
    """
    for version in reversed(list_numbers(registry.store, model)):
        if not version.prerelease and find_manifest(registry, model, version) is not None:
            return version
    require_model(registry, model)
    raise NotFound(f"{model} has no released version", hint="name a version; see artreg list")


def _path(registry: Registry, model: ModelName, version: Version) -> str:
    return f"{registry.store.url}/{keys.version_prefix(model, version)}"
