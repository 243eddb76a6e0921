"""Where the pages of a site lie, and how they name one another: by relative links, so that a site works anywhere."""

from __future__ import annotations

import re
from enum import Enum

from artreg.core.names import ModelName, is_name
from artreg.core.version import Version, stored_version
from artreg.frozen import Frozen

INDEX = "index.html"
STYLE = "assets/site.css"
SCRIPT = "assets/site.js"

_MODELS = "models"  # above all that is named by people, so that no project can take the place of anything else
_COMPARE = "compare.html"
_HISTORY = "history.html"
_VERSIONS = "versions"


class Kind(Enum):
    """What a page shows."""

    INDEX = "index"
    MODEL = "model"
    HISTORY = "history"
    COMPARE = "compare"
    VERSION = "version"
    ASSET = "asset"


class Place(Frozen):
    """What lies under a path.

    Attributes:
        kind: What it shows.
        model: Of which model, if of one.
        version: Of which version, if of one.
    """

    kind: Kind
    model: ModelName | None = None
    version: Version | None = None


def model_page(model: ModelName) -> str:
    """Return where a model's page lies."""
    return f"{_MODELS}/{model.project}/{model.model}/{INDEX}"


def history_page(model: ModelName) -> str:
    """Return where the whole time line of a model lies."""
    return f"{_MODELS}/{model.project}/{model.model}/{_HISTORY}"


def compare_page(model: ModelName) -> str:
    """Return where two versions of a model are compared."""
    return f"{_MODELS}/{model.project}/{model.model}/{_COMPARE}"


def version_page(model: ModelName, version: Version) -> str:
    """Return where a version's page lies."""
    return f"{_MODELS}/{model.project}/{model.model}/{_VERSIONS}/{slug(version)}.html"


def slug(version: Version) -> str:
    """Return a name for a version's page that differs from all others also where case does not count."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", str(version))


def up(path: str) -> str:
    """Return the way from a page to the top of the site."""
    return "../" * path.count("/")


def place_of(path: str) -> Place | None:
    """Return what lies under a path, or None if nothing can; an empty one, or a folder's, means its index."""
    if path.endswith("/") or not path:
        path += INDEX
    match path.split("/"):
        case [_] if path == INDEX:
            return Place(Kind.INDEX)
        case [_, _] if path in {STYLE, SCRIPT}:
            return Place(Kind.ASSET)
        case ["models", project, name, page] if is_name(project) and is_name(name):
            kind = {INDEX: Kind.MODEL, _COMPARE: Kind.COMPARE, _HISTORY: Kind.HISTORY}.get(page)
            return None if kind is None else Place(kind, ModelName(project, name))
        case ["models", project, name, "versions", page] if is_name(project) and is_name(name):
            version = _version_of(page.removesuffix(".html")) if page.endswith(".html") else None
            return None if version is None else Place(Kind.VERSION, ModelName(project, name), version)
    return None


def _version_of(name: str) -> Version | None:
    version = stored_version(re.sub("_([a-z])", lambda escaped: escaped[1].upper(), name))
    return version if version is not None and slug(version) == name else None
