"""Figures for whoever watches a registry: where models stand, how old what their aliases hold is, and how well proven.

Beyond where things stand (`registry.standing`) this takes, of each model, what is remembered of its verifications, and
of each alias the manifest and the run record of what it holds: so many requests whatever the number of versions and
however long the histories. What is damaged is told of it and hides nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.names import ModelName
from artreg.core.record import MOVES
from artreg.core.verification import Seen
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry
from artreg.registry.history import moment
from artreg.registry.standing import AliasStanding, ModelStanding, each, stand
from artreg.registry.verifications import remembered
from artreg.registry.versions import list_models, read_manifest, read_run, require_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Held(Frozen):
    """What an alias holds.

    Attributes:
        standing: Where the alias stands.
        published: When the version that it holds was published; None where it holds none, or nobody can say.
        moved: When it was pointed there; None where nobody can say, or that lies very far back.
        frozen_until: When the freeze of it ends that holds.
        verified: The last verification of the version that was recorded, if it was of these very bytes.
        damage: What is damaged of it, or ''.
    """

    standing: AliasStanding
    published: datetime | None = None
    moved: datetime | None = None
    frozen_until: datetime | None = None
    verified: Seen | None = None
    damage: str = ""


class Vitals(Frozen):
    """What is to be told of a model.

    Attributes:
        model: The model.
        standing: Where it stands; None where nobody can say.
        aliases: Its aliases, by name.
        verified: The last recorded verification of each version, by version.
        damage: What is damaged of the model itself, or ''.
    """

    model: ModelName
    standing: ModelStanding | None
    aliases: tuple[Held, ...]
    verified: Mapping[str, Seen]
    damage: str = ""

    def problems(self) -> list[str]:
        """Return what is damaged, each as a sentence about what."""
        found = [f"{self.model}: {self.damage}"] if self.damage else []
        return found + [f"{self.model}@{held.standing.alias}: {held.damage}" for held in self.aliases if held.damage]


def take_vitals(registry: Registry, models: Sequence[ModelName] = ()) -> list[Vitals]:
    """Return what is to be told of models.

    Args:
        registry: The registry.
        models: Which; all if none is named.

    Raises:
        NotFound: There is no such registry or model.
        StorageError: Storage cannot be reached, or refuses.
    """
    registry.store.require_root()
    for model in models:
        require_model(registry, model)
    wanted = sorted(set(models)) or list_models(registry.store)
    return each(registry, lambda model: _vitals(registry, model), wanted)


def _vitals(registry: Registry, model: ModelName) -> Vitals:
    verified: Mapping[str, Seen] = {}
    damage = ""
    try:
        verified = remembered(registry, model).seen
    except IntegrityError as error:
        damage = error.message
    try:
        standing = stand(registry, model)
    except IntegrityError as error:
        return Vitals(model, None, (), verified, error.message)
    aliases = tuple(_held(registry, model, alias, verified) for alias in standing.aliases)
    return Vitals(model, standing, aliases, verified, damage)


def _held(registry: Registry, model: ModelName, alias: AliasStanding, verified: Mapping[str, Seen]) -> Held:
    newest, version = alias.newest, alias.version
    if alias.damage or newest is None or version is None:
        return Held(alias, damage=alias.damage)
    seen = verified.get(str(version))
    if seen is not None and seen.ok and seen.digest != newest.digest:
        seen = None  # of other bytes: it proves nothing of these
    try:
        moved = moment(alias.move.time) if alias.move is not None and alias.move.action in MOVES else None
        until = None if alias.frozen is None else moment(alias.frozen.until)
    except IntegrityError as error:
        return Held(alias, verified=seen, damage=error.message)
    known = Held(alias, None, moved, until, seen)
    try:
        manifest = read_manifest(registry, model, version)
        if manifest.digest != newest.digest:
            raise IntegrityError(f"the manifest of {model}@{version} is not the one that {alias.alias} pins")
        published = moment(read_run(registry, model, version, manifest).published_at)
    except (IntegrityError, NotFound) as error:
        return replace(known, damage=error.message)
    return replace(known, published=published)
