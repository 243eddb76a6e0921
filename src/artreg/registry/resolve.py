"""From a reference to the version that it means now."""

from __future__ import annotations

from artreg.core import keys
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.history import require_head
from artreg.registry.version_log import find_yank
from artreg.registry.versions import find_manifest, list_numbers, read_manifest, require_model


class Resolved(Frozen):
    """A version, found.

    Attributes:
        model: The model.
        version: The version.
        digest: The version's digest; for an alias the one that its record pins.
        alias: The alias by which it was found, if by one.
        generation: The number of the alias's newest move.
        path: Where the version lies.
        warning: Why it should not be used any more, or ''.
    """

    model: ModelName
    version: Version
    digest: str
    alias: Alias | None
    generation: int | None
    path: str
    warning: str = ""

    def __str__(self) -> str:
        return f"{self.model}@{self.version}"


def resolve(registry: Registry, reference: Reference) -> Resolved:
    """Return the version that a reference means now, or what it is pinned to where there is a lock.

    Raises:
        NotFound: No such model, alias or version, or the lock does not pin it.
        IntegrityError: What says so is damaged, or does not meet what is demanded of an alias.
    """
    model, target = reference.model, reference.target
    if registry.lock is not None:
        pin = registry.lock.find(reference)
        version, digest, generation, doubtful = pin.version, pin.digest, pin.generation, True
        alias = target if isinstance(target, Alias) else None
    elif isinstance(target, Alias):
        head = require_head(registry, model, target)
        if registry.demands is not None:
            registry.demands.require(registry, head)
        version, digest = head.held()
        alias, generation, doubtful = target, head.record.generation, head.record.yanked
    else:
        version = target if isinstance(target, Version) else latest(registry, model)
        digest = read_manifest(registry, model, version).digest
        alias, generation, doubtful = None, None, True
    path = f"{registry.store.url}/{keys.version_prefix(model, version)}"
    return Resolved(
        model, version, digest, alias, generation, path, _warning(registry, model, version) if doubtful else ""
    )


def latest(registry: Registry, model: ModelName) -> Version:
    """Return the highest version that is neither a pre-release nor yanked.

    Raises:
        NotFound: There is none.
    """
    for version in reversed(list_numbers(registry.store, model)):
        if version.prerelease or find_manifest(registry, model, version) is None:
            continue
        if find_yank(registry, model, version) is None:
            return version
    require_model(registry, model)
    raise NotFound(f"{model} has no released version that is not yanked", hint="name a version; see artreg list")


def _warning(registry: Registry, model: ModelName, version: Version) -> str:
    yank = find_yank(registry, model, version)
    return f"{model}@{version} was yanked by {yank.who} at {yank.time}: {yank.why}" if yank else ""
