"""A site: which pages it has, and each of them as the registry is now."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artreg.errors import InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.site import paths
from artreg.site.paths import Kind, Place
from artreg.site.reading import Reader

if TYPE_CHECKING:
    from artreg.core.names import ModelName
    from artreg.registry.handle import Registry
    from artreg.site.values import ModelPart, VersionPart

TITLE = "Model registry"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


class Built(Frozen):
    """A site that was written.

    Attributes:
        path: The folder.
        models: How many models it shows.
        versions: How many versions.
        files: How many files it has.
        bytes: Bytes of these.
        problems: What is damaged or foreign in the registry; the pages show it too.
    """

    path: str
    models: int
    versions: int
    files: int
    bytes: int
    problems: tuple[str, ...]


class Site:
    """The pages of a registry.

    What was read once is kept as long as its files are the same, so that a page can be made anew at each load.

    Args:
        registry: The registry.
        scopes: The models, and the projects, that it shows; all by default.
        title: What it calls itself.
    """

    def __init__(self, registry: Registry, scopes: Sequence[ModelName | str] = (), *, title: str = TITLE) -> None:
        self._reader = Reader(registry)
        self._scopes = tuple(scopes)
        self._title = title

    def page(self, path: str) -> bytes | None:
        """Return a page or another file of the site as the registry is now, or None if there is nothing.

        Args:
            path: Where it lies in the site; an empty one, or one that ends in a slash, means the index there.

        Raises:
            NotFound: The registry is not there.
            StorageError: Storage cannot be reached, or refuses.
        """
        place = paths.place_of(path)
        if place is None:
            return None
        if place.kind is Kind.ASSET:
            return _asset(path)
        if place.model is None:
            return self._rendered(place, self._reader.models(self._scopes))
        if self._scopes and not {place.model, place.model.project} & set(self._scopes):
            return None
        return self._rendered(place, self._reader.models((place.model,)))

    def pages(self) -> tuple[list[ModelPart], Iterator[tuple[str, bytes]]]:
        """Return the models as they are now, and every file of the site by its path, each made when it is asked for.

        Raises:
            NotFound: The registry, or one of the models or projects, is not there.
            StorageError: Storage cannot be reached, or refuses.
        """
        models = self._reader.models(self._scopes)
        for scope in self._scopes:
            if not any(scope in {part.model, part.model.project} for part in models):
                raise NotFound(f"there is no model or project {scope} in the registry", hint="see artreg list")
        return models, self._all(models)

    def _all(self, models: list[ModelPart]) -> Iterator[tuple[str, bytes]]:
        for path in (paths.STYLE, paths.SCRIPT):
            yield path, _asset(path)
        for path, place, shown in _places(models):
            page = self._rendered(place, shown)
            assert page is not None
            yield path, page

    def _rendered(self, place: Place, models: list[ModelPart]) -> bytes | None:
        from artreg.site import pages  # noqa: PLC0415  # what plots and compares is needed for pages only

        if place.kind is Kind.INDEX:
            return pages.index(models, self._title)
        part = next((one for one in models if one.model == place.model), None)
        if part is None:
            return None
        if place.kind is Kind.VERSION:
            one: VersionPart | None = part.find(place.version)
            return None if one is None else pages.version(part, one, self._title)
        make = {Kind.MODEL: pages.model, Kind.HISTORY: pages.history, Kind.COMPARE: pages.comparison}[place.kind]
        return make(part, self._title)


def page(registry: Registry, path: str, scopes: Sequence[ModelName | str] = ()) -> bytes | None:
    """Return one page of a registry's site as it is now, or None if there is no such page; see `Site.page`."""
    return Site(registry, scopes).page(path)


def build(registry: Registry, out: Path, scopes: Sequence[ModelName | str] = (), *, title: str = TITLE) -> Built:
    """Write the site of a registry into a folder, whole or not at all.

    Args:
        registry: The registry.
        out: The folder: one that is not there yet, is empty, or holds a site that was written before.
        scopes: The models, and the projects, that it shows; all by default.
        title: What it calls itself.

    Raises:
        InvalidInput: The folder lies in the registry itself.
        AlreadyExists: The folder holds something that is no site of artreg's; nothing was changed.
        NotFound: The registry, or one of the models or projects, is not there.
        StorageError: The registry cannot be read, or the folder cannot be written; nothing was changed.
    """
    from artreg.site.writing import write  # noqa: PLC0415

    if _lies_in(out, registry):
        raise InvalidInput(f"{out} lies in the registry", hint="a site is no part of a registry: write it elsewhere")
    models, files = Site(registry, scopes, title=title).pages()
    count, size = write(out, files)
    problems = tuple(
        f"{part.model} {problem.where}: {problem.what}" for part in models for problem in part.all_problems
    )
    return Built(str(out), len(models), sum(len(part.versions) for part in models), count, size, problems)


def media_type(path: str) -> str:
    """Return the media type of what lies under a path of a site."""
    return next((kind for suffix, kind in _TYPES.items() if path.endswith(suffix)), _TYPES[".html"])


def _lies_in(out: Path, registry: Registry) -> bool:
    place = registry.store.local_path(paths.INDEX)
    return place is not None and os.path.realpath(place.parent) in map(str, Path(os.path.realpath(out)).parents)


def _places(models: list[ModelPart]) -> Iterator[tuple[str, Place, list[ModelPart]]]:
    yield paths.INDEX, Place(Kind.INDEX), models
    for part in models:
        name = part.model
        yield paths.model_page(name), Place(Kind.MODEL, name), [part]
        yield paths.history_page(name), Place(Kind.HISTORY, name), [part]
        yield paths.compare_page(name), Place(Kind.COMPARE, name), [part]
        for one in part.versions:
            yield paths.version_page(name, one.version), Place(Kind.VERSION, name, one.version), [part]


def _asset(path: str) -> bytes:
    from artreg.site.rendering import asset  # noqa: PLC0415

    return asset(path)
