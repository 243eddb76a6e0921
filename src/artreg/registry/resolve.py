"""From a reference to the version that it means now."""

from __future__ import annotations

from artreg.core import keys
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry
from artreg.registry.history import require_head
from artreg.registry.version_log import find_yank
from artreg.registry.versions import find_manifest, list_numbers, read_manifest, require_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from artreg.core.lock import Pin


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
        return warned(registry, pinned(registry, registry.lock.find(reference)))
    if isinstance(target, Alias):
        head = require_head(registry, model, target)
        if registry.demands is not None:
            registry.demands.require(registry, head)
        version, digest = head.held()
        alias, generation, doubtful = target, head.record.generation, head.record.yanked
    else:
        version = target if isinstance(target, Version) else latest(registry, model)
        digest = read_manifest(registry, model, version).digest
        alias, generation, doubtful = None, None, True
    found = Resolved(model, version, digest, alias, generation, _path(registry, model, version))
    return warned(registry, found) if doubtful else found


def pinned(registry: Registry, pin: Pin) -> Resolved:
    """Return what a pin says, without asking the registry for anything."""
    model, target = pin.reference.model, pin.reference.target
    alias = target if isinstance(target, Alias) else None
    return Resolved(model, pin.version, pin.digest, alias, pin.generation, _path(registry, model, pin.version))


def warned(registry: Registry, found: Resolved) -> Resolved:
    """Return what was found, with a warning if it was yanked.

    Raises:
        IntegrityError: The version's log is damaged.
    """
    yank = find_yank(registry, found.model, found.version)
    if yank is None:
        return found
    return replace(found, warning=f"{found} was yanked by {yank.who} at {yank.time}: {yank.why}")


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


def _path(registry: Registry, model: ModelName, version: Version) -> str:
    return f"{registry.store.url}/{keys.version_prefix(model, version)}"
