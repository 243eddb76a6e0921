"""Models of the Hugging Face hub that lie on this disk; the hub itself is not asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from artreg.core.manifest import CARD
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import ArtregError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing import hub_files
from artreg.importing.hub_files import Revision
from artreg.importing.layout import arranged
from artreg.importing.model_card import claimed_metrics, front_matter
from artreg.importing.naming import version_of
from artreg.importing.source import Incoming, Names, Survey, Trouble
from artreg.importing.tree import read_small, reading_source

_PREFIX = "models--"
_TAGS = "refs/tags/"
_SAY = "say which version it is: --version X.Y.Z"
_MOST_LACKING = 1000


class _Found(Frozen):
    """A revision, and where each of its files lies in the version."""

    revision: Revision
    places: Mapping[str, str]


class HuggingFaceSource:
    """A repository of the hub, in the hub's cache, in a folder that it was downloaded into, or in a clone.

    Args:
        location: `models--ORG--NAME` in the cache, or the folder.
        names: Says what models are called here.
        model: What the repository is called here, if that is said.
        version: Which version the revision is, if that is said.
        revision: Which branch, tag or commit is meant, if that is said.
    """

    kind = "huggingface"
    movable = False

    def __init__(
        self,
        location: str,
        names: Names,
        *,
        model: ModelName | None = None,
        version: Version | None = None,
        revision: str | None = None,
    ) -> None:
        root = Path(os.path.abspath(location))
        if root.parent.name == "snapshots" and hub_files.is_cached(root.parents[1]):  # what the hub's library returns
            root, revision = root.parents[1], revision or root.name
        self.location = str(root)
        self._names, self._model, self._version, self._revision = names, model, version, revision
        self._found: dict[str, _Found] = {}

    def survey(self) -> Survey:
        """Look at the revisions that are versions.

        Raises:
            NotFound: There is no such folder, or no such revision in it.
            InvalidInput: It is no repository of a model, or nothing says which version it is.
            StorageError: It cannot be read.
        """
        root = Path(self.location)
        if not root.is_dir():
            missing = InvalidInput if os.path.lexists(root) else NotFound
            raise missing(
                f"{root} is no folder",
                hint="the hub itself is not asked: hf download ORG/NAME --local-dir DIR, and name that folder",
            )
        cached = hub_files.is_cached(root)
        repository = _repository(root) if cached else root.name
        name = repository.rpartition("/")[2]
        self._found = {}
        if self._model is None and not self._names.wanted(name):
            return Survey(())
        try:
            model = self._model or self._names.model(name)
        except InvalidInput as error:
            return Survey((), (), (Trouble(name, error),))
        with reading_source(root):
            chosen = self._of_cache(root) if cached else [self._of_folder(root)]
            versions, troubles = [], []
            for one in chosen:
                item = f"{repository}@{one.ref}" if one.ref else repository
                try:
                    revision = hub_files.cached(root, one.commit) if cached else hub_files.downloaded(root)
                    versions.append(self._incoming(item, repository, model, one, revision))
                except ArtregError as error:
                    troubles.append(Trouble(item, error))
        return Survey(tuple(sorted(versions, key=lambda it: it.version)), (), tuple(troubles))

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Copy a version; what the hub said of its files is checked on the way.

        Raises:
            IntegrityError: A file is not what the hub said, or was written to since it was looked at.
            NotFound: It is gone.
            StorageError: It cannot be read.
        """
        if incoming.item not in self._found:
            self.survey()
        if incoming.item not in self._found:
            raise NotFound(f"{incoming.item} is not in {self.location}")
        found = self._found[incoming.item]
        for it in found.revision.files:
            hub_files.fetch(it, folder / found.places[it.file.name])

    def _of_cache(self, root: Path) -> list[_Chosen]:
        refs = hub_files.refs(root)
        if self._version is not None:
            ref = self._revision or ("main" if "main" in refs or len(refs) != 1 else next(iter(refs)))
            return [_Chosen(ref, self._version, refs.get(ref, ref))]
        meant = [(ref, commit) for ref, commit in sorted(refs.items()) if self._revision in {None, ref, commit}]
        named = [_Chosen(ref, version_of(ref), commit) for ref, commit in meant if _is_version(ref)]
        if not named:
            has = ", ".join(ref for ref, _ in meant) or "none"
            raise InvalidInput(f"no branch or tag of {root} is a version: {has}", hint=_SAY)
        return named

    def _of_folder(self, root: Path) -> _Chosen:
        if self._revision is not None:
            raise InvalidInput("a folder holds one revision", hint="leave --revision out")
        commit = hub_files.git_commit(root)
        tags = [name.removeprefix(_TAGS) for name, it in hub_files.git_refs(root).items() if it == commit]
        tag = next(filter(_is_version, tags), "")
        if self._version is None and not tag:
            inside = next((it.name for it in sorted(root.iterdir()) if it.name.startswith(_PREFIX)), None)
            hint = f"name a repository in it: {inside}" if inside else _SAY
            raise InvalidInput(f"nothing in {root} says which version it is", hint=hint)
        return _Chosen(tag, self._version or version_of(tag), commit)

    def _incoming(self, item: str, repository: str, model: ModelName, chosen: _Chosen, revision: Revision) -> Incoming:
        places = arranged([it.file.name for it in revision.files], {CARD})
        renamed = {name: place for name, place in places.items() if place not in {name, f"model/{name}"}}
        run: dict[str, Any] = {
            "repository": repository,
            "ref": chosen.ref or None,
            "revision": revision.commit or None,
            "lacking": list(revision.lacking[:_MOST_LACKING]),
            "renamed": renamed,
        }
        head: dict[str, Any] = {}
        for it in revision.files:
            if it.file.name == CARD:
                try:
                    head = front_matter(read_small(it.file))
                except InvalidInput as error:  # the model is none the worse for it
                    run["card_problem"] = error.message
        run = {key: value for key, value in {**run, "card": head}.items() if value}
        self._found[item] = _Found(revision, places)
        size = sum(it.file.size for it in revision.files)
        return Incoming(item, model, chosen.version, revision.print, run, claimed_metrics(head), size)


class _Chosen(NamedTuple):
    """A revision that is to come."""

    ref: str
    version: Version
    commit: str


def _repository(root: Path) -> str:
    """Return the name of a cached repository, such as `acme/churn`.

    Raises:
        InvalidInput: It is not that of a model.
    """
    if not root.name.startswith(_PREFIX):
        raise InvalidInput(
            f"{root.name} is no repository of a model", hint=f"name a folder {_PREFIX}ORG--NAME of the hub's cache"
        )
    return root.name.removeprefix(_PREFIX).replace("--", "/")


def _is_version(ref: str) -> bool:
    try:
        version_of(ref)
    except InvalidInput:
        return False
    return True
