"""What DVC tracks in the place of files: found by the `.dvc` files and `dvc.lock` of a commit."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator

from artreg.core.dvc import Output, locked, tracked
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.importing.gto_annotations import PIPELINE, Documents
from artreg.importing.gto_git import Tree

_LOCK = "dvc.lock"
_MOST_DOCUMENTS = 2000


class Tracked(Frozen):
    """What of a model DVC tracks.

    Attributes:
        document: The `.dvc` file or `dvc.lock` that says so.
        output: What it says.
        within: Where in that folder the model lies, '' where the output is the model.
    """

    document: str
    output: Output
    within: str


def find_tracked(documents: Documents, tree: Tree, path: str) -> Tracked | None:
    """Return what a commit's DVC files say of a path, or None if they say nothing.

    Raises:
        InvalidInput: The `.dvc` file beside it is damaged.
    """
    folders = [path, *above(path)]
    likely = [f"{place}.dvc" for place in folders if place]
    likely += [posixpath.join(place, _LOCK) for place in folders[1:]]
    others = (name for name in tree if name.endswith(".dvc") or posixpath.basename(name) == _LOCK)
    seen: set[str] = set()
    for name in itertools.islice(itertools.chain(likely, others), _MOST_DOCUMENTS):
        if name in seen or name not in tree:
            continue
        seen.add(name)
        for place, output in _outputs(documents, tree, name, certain=name in likely):
            if place == path or path.startswith(f"{place}/"):
                return Tracked(name, output, path[len(place) + 1 :])
    return None


def above(path: str) -> Iterator[str]:
    """Yield the folders that a path lies in, up to the top, which is ''."""
    while path:
        path = posixpath.dirname(path)
        yield path


def _outputs(documents: Documents, tree: Tree, name: str, *, certain: bool) -> Iterator[tuple[str, Output]]:
    folder = posixpath.dirname(name)
    try:
        document = documents.get(tree, name)
        if posixpath.basename(name) == _LOCK:
            pipeline = documents.get(tree, posixpath.join(folder, PIPELINE))
            stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
            found = [
                (_wdir(stages.get(stage) if isinstance(stages, dict) else None), it) for stage, it in locked(document)
            ]
        else:
            found = [(_wdir(document), output) for output in tracked(document)]
    except ArtregError:
        if certain:
            raise
        return
    for wdir, output in found:
        place = posixpath.normpath(posixpath.join(folder, wdir, output.path))
        if output.md5 and not place.startswith(("../", "/")) and place not in {"..", "."}:
            yield place, output


def _wdir(section: object) -> str:
    wdir = section.get("wdir") if isinstance(section, dict) else None
    return wdir if isinstance(wdir, str) else ""
