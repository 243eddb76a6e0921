"""What completion offers as the value of an argument or an option, by the name that its declaration gives.

Every function takes the session, what the command was given so far, and how the word begins; it may offer more than
what begins so. A registry is never read from end to end for it: there may be a million versions.
"""

from __future__ import annotations

from itertools import chain, islice

from artreg.cli.session import Session
from artreg.core import keys
from artreg.core.names import ModelName, is_name
from artreg.core.version import Version, is_version
from artreg.registry.versions import list_aliases, list_models, list_projects
from artreg.store.interface import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    Given = Mapping[str, Any]

_MOST = 1000
"""What is listed at most: nobody reads more."""

_LOOKED_INTO = 3
"""Models whose newest version is looked into for names of metrics where none is named."""


def projects(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer projects."""
    return list_projects(session.registry.store)


def models(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer models: those of the configured project by their short names too."""
    return (name for name, _ in _names(session, begun))


def versions(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the aliases and versions of the model named before."""
    model = _model(session, given)
    return [] if model is None else chain(list_aliases(session.registry.store, model), _numbers(session, model, begun))


def numbers(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the versions of the model named before."""
    model = _model(session, given)
    return [] if model is None else _numbers(session, model, begun)


def aliases(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer the aliases of every model, alone and as `model@alias`."""
    store = session.registry.store
    if "@" in begun:
        return _after_at(begun, lambda model, _: list_aliases(store, model), session)
    every = dict.fromkeys(alias for _, model in _names(session, "") for alias in list_aliases(store, model))
    return chain(every, (f"{name}@" for name, _ in _names(session, begun) if begun))


def hooks(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the hooks that the hooks file names."""
    if session.hooks_file is None:
        return []
    from artreg.hooks.config import read_hooks

    return read_hooks(session.hooks_file, session.settings.project).hooks


def policy_aliases(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the aliases that the policy names."""
    return session.policy.aliases


def references(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer `model@alias` and `model@version`, or models as long as several begin so."""
    return _references(
        session,
        begun,
        lambda model, rest: chain(list_aliases(session.registry.store, model), _numbers(session, model, rest)),
    )


def version_references(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer `model@version`, or models as long as several begin so."""
    return _references(session, begun, lambda model, rest: _numbers(session, model, rest))


def snapshots(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer the data snapshots, and the names of datasets."""
    from artreg.registry.snapshots import list_snapshots

    for snapshot in list_snapshots(session.registry):
        yield snapshot.name
        yield snapshot.ref.short


def metrics(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer the numbers in the metrics of the newest version of the model named before, or of some models."""
    from artreg.registry.versions import read_manifest, read_metrics

    named = _model(session, given)
    for model in [named] if named else islice(list_models(session.registry.store), _LOOKED_INTO):
        for number in islice(_numbers(session, model, ""), 1):
            version = Version.parse(number)
            manifest = read_manifest(session.registry, model, version)
            yield from _paths(read_metrics(session.registry, model, version, manifest) or {}, "")


def gates(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the kinds of gates."""
    from artreg.core.gates import KINDS

    return KINDS


def config_keys(session: Session, given: Given, begun: str) -> Iterator[str]:
    """Offer the keys of a training config, each with the `=` that a value follows."""
    from artreg.core.config import config_keys as every

    return (f"{key}=" for key in every())


def commands(session: Session, given: Given, begun: str) -> Iterable[str]:
    """Offer the commands, or those of the group named before."""
    from artreg.cli.table import COMMANDS, Group

    named = given.get("command") or []
    if not named:
        return COMMANDS
    group = COMMANDS.get(named[0])
    return group.entries if isinstance(group, Group) and len(named) == 1 else []


OFFERS: Mapping[str, Callable[[Session, Given, str], Iterable[str]]] = {
    "aliases": aliases,
    "commands": commands,
    "config_keys": config_keys,
    "gates": gates,
    "hooks": hooks,
    "metrics": metrics,
    "models": models,
    "numbers": numbers,
    "policy_aliases": policy_aliases,
    "projects": projects,
    "references": references,
    "snapshots": snapshots,
    "version_references": version_references,
    "versions": versions,
}


def _names(session: Session, begun: str) -> Iterator[tuple[str, ModelName]]:
    """Yield models by their shortest names, and once something is typed by their full names too."""
    for model in islice(list_models(session.registry.store), _MOST):
        own = model.project == session.settings.project
        if own:
            yield model.model, model
        if begun or not own:
            yield str(model), model


def _references(session: Session, begun: str, targets: Callable[[ModelName, str], Iterable[str]]) -> Iterator[str]:
    if "@" in begun:
        return _after_at(begun, targets, session)
    found = [(name, model) for name, model in _names(session, begun) if name.startswith(begun)]
    if len({model for _, model in found}) == 1:
        name, _ = found[0]
        return _after_at(f"{name}@", targets, session)
    return (f"{name}@" for name, _ in found)


def _after_at(begun: str, targets: Callable[[ModelName, str], Iterable[str]], session: Session) -> Iterator[str]:
    name, _, rest = begun.partition("@")
    return (f"{name}@{target}" for target in targets(session.model(name), rest))


def _model(session: Session, given: Given) -> ModelName | None:
    """Return the model that the line names, alone or in a reference; a word alone may be an alias instead."""
    for value in given.values():
        if not isinstance(value, str):
            continue
        name, at, _ = value.partition("@")
        if all(is_name(part) for part in name.split("/")):
            model = session.model(name)
            if at or session.registry.store.page(keys.model_prefix(model)).entries:
                return model
    return None


def _numbers(session: Session, model: ModelName, begun: str) -> Iterator[str]:
    """Yield version numbers, the highest first: of very many those of one page that holds what begins so."""
    after = f"{begun[:-1]}{chr(ord(begun[-1]) - 1)}~" if begun else ""
    page = session.registry.store.page(keys.model_prefix(model), after)
    found = sorted(Version.parse(it.name) for it in page.entries if it.kind is Kind.FOLDER and is_version(it.name))
    return (str(number) for number in reversed(found))


def _paths(metrics: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in metrics.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}"
