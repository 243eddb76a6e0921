"""Shell completion of models, versions and aliases; whatever goes wrong, it offers nothing and says nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from artreg.cli.session import Session, open_session
from artreg.core.names import ModelName
from artreg.errors import ArtregError
from artreg.registry.versions import list_aliases, list_models, list_numbers


def models(ctx: Any, incomplete: str) -> list[str]:
    """Offer models: those of the configured project by their short names too."""
    return _matching(ctx, _models, incomplete)


def versions(ctx: Any, incomplete: str) -> list[str]:
    """Offer the versions and aliases of the model named before."""
    return _matching(ctx, _versions, incomplete)


def aliases(ctx: Any, incomplete: str) -> list[str]:
    """Offer the aliases of every model."""
    return _matching(ctx, _aliases, incomplete)


def policy_aliases(ctx: Any, incomplete: str) -> list[str]:
    """Offer the aliases that the policy names."""
    return _matching(ctx, lambda session, _: iter(session.policy.aliases), incomplete)


def references(ctx: Any, incomplete: str) -> list[str]:
    """Offer `model@version` and `model@alias`."""
    return _matching(ctx, _references, incomplete)


def snapshots(ctx: Any, incomplete: str) -> list[str]:
    """Offer the data snapshots, and the names of datasets."""
    return _matching(ctx, _snapshots, incomplete)


def _matching(context: Any, offer: Any, incomplete: str) -> list[str]:
    with contextlib.suppress(ArtregError, OSError):
        session = open_session(dict(context.find_root().obj or {}))
        return sorted({word for word in offer(session, context.params) if word.startswith(incomplete)})
    return []


def _names(session: Session) -> Iterator[tuple[str, ModelName]]:
    for model in list_models(session.registry.store):
        yield str(model), model
        if model.project == session.settings.project:
            yield model.model, model


def _models(session: Session, _: Any) -> Iterator[str]:
    return (name for name, _ in _names(session))


def _targets(session: Session, model: ModelName) -> Iterator[str]:
    store = session.registry.store
    yield from list_aliases(store, model)
    yield from (str(number) for number in list_numbers(store, model))


def _versions(session: Session, params: dict[str, Any]) -> Iterator[str]:
    return _targets(session, session.model(params["model"]))


def _aliases(session: Session, _: Any) -> Iterator[str]:
    for model in list_models(session.registry.store):
        yield from list_aliases(session.registry.store, model)


def _references(session: Session, _: Any) -> Iterator[str]:
    for name, model in _names(session):
        yield from (f"{name}@{target}" for target in _targets(session, model))


def _snapshots(session: Session, _: Any) -> Iterator[str]:
    from artreg.registry.snapshots import list_snapshots

    for snapshot in list_snapshots(session.registry):
        yield snapshot.name
        yield snapshot.ref.short
