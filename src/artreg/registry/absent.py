"""The errors for what is not in a registry: each says what there is instead, nearest first, at a bounded price."""

from __future__ import annotations

from bisect import bisect_left

from artreg.core import keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Alias, ModelName
from artreg.core.near import did_you_mean, did_you_mean_or, near
from artreg.core.version import Version, is_version
from artreg.errors import NotFound
from artreg.registry.handle import Registry
from artreg.registry.versions import list_aliases, list_models, list_projects, read_seal
from artreg.store.interface import Entry, Kind, Page

_NEIGHBOURS = 1000
"""Version numbers that are looked at for a near one; there may be a million."""


def no_project(registry: Registry, project: str) -> NotFound:
    """Return the error for a project that is not there."""
    known = list_projects(registry.store)
    found = near(project, known)
    hint = did_you_mean(found) or f"there are: {', '.join(known[:10]) or 'no projects yet'}"
    return NotFound(f"there is no project {project!r} in {registry.store.url}", hint=hint, suggestions=found)


def no_model(registry: Registry, model: ModelName) -> NotFound:
    """Return the error for a model that is not there."""
    registry.store.require_root()
    known = list_models(registry.store)
    found = [str(ModelName(model.project, name)) for name in near(model.model, _of_project(known, model.project))]
    found += [str(one) for one in known if one.model == model.model]  # of another project
    if not found:
        others = near(model.project, {one.project: None for one in known})
        found = [str(one) for one in known if one.project in others and near(model.model, [one.model])]
    names = ", ".join(str(one) for one in known[:10])
    none = "there are no models yet: artreg train or artreg publish makes one"
    hint = did_you_mean(found[:3]) or (f"there are: {names}" if names else none)
    return NotFound(f"there is no model {model} in {registry.store.url}", hint=hint, suggestions=found[:3])


def no_version(registry: Registry, model: ModelName, version: Version) -> NotFound:
    """Return the error for a version that is not there."""
    prefix = keys.model_prefix(model)
    page = registry.store.page(prefix)
    if not page.more and not any(_is_number(entry) for entry in page.entries):
        return no_model(registry, model)
    is_whole = not page.more and len(page.entries) <= _NEIGHBOURS
    numbers = sorted(
        Version.parse(entry.name) for entry in _around(registry, prefix, page, version) if _is_number(entry)
    )
    known = [number for number in reversed(numbers) if number != version]
    found = near(str(version), map(str, known))
    newest = ", ".join(str(number) for number in known[:5]) if is_whole else ""
    hint = did_you_mean_or(found, f"the newest are {newest}" if newest else "") or "it has no versions yet"
    seal = read_seal(registry, model, version)
    if seal == TOMBSTONE:
        hint = "it was begun, never finished, and ended by artreg gc: the number is spent, publish under another"
    elif version in numbers or registry.store.page(keys.version_prefix(model, version)).entries:
        hint = "it was begun but never finished; publish it again, or end it with artreg gc"
    return NotFound(f"there is no version {version} of {model}", hint=hint, suggestions=found)


def no_alias(registry: Registry, model: ModelName, alias: Alias) -> NotFound:
    """Return the error for an alias of a model that points nowhere."""
    known = [name for name in list_aliases(registry.store, model) if name != str(alias)]
    found = near(str(alias), known)
    aliases = f"its aliases are {', '.join(known)}" if known else "nothing of it was promoted yet: see artreg promote"
    return NotFound(f"{alias} of {model} points nowhere", hint=did_you_mean_or(found, aliases), suggestions=found)


def _of_project(known: list[ModelName], project: str) -> list[str]:
    return [one.model for one in known if one.project == project]


def _around(registry: Registry, prefix: str, page: Page, version: Version) -> tuple[Entry, ...]:
    """Return the entries of a page, or of very many those whose names come after the version's two first numbers."""
    begun = f"{version.major}.{version.minor}"
    if page.more:
        return registry.store.page(prefix, begun).entries
    if len(page.entries) <= _NEIGHBOURS:
        return page.entries
    start = bisect_left(page.entries, begun, key=lambda entry: entry.name)
    return page.entries[start : start + _NEIGHBOURS]


def _is_number(entry: Entry) -> bool:
    return entry.kind is Kind.FOLDER and is_version(entry.name)
