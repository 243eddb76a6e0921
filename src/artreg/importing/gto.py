"""A git repository with GTO's tags as a source of versions; the files come from git, Git LFS or DVC."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.redact import redact_url
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing.gto_annotations import Annotation, Documents, annotation, metrics
from artreg.importing.gto_dvc import DvcStorage
from artreg.importing.gto_files import bring, git_files, pointer, size_of
from artreg.importing.gto_git import Repository, Tree, TreeEntry
from artreg.importing.gto_tags import (
    Action,
    Event,
    Stage,
    Tag,
    in_order,
    is_deprecated,
    parse_tag,
    registered,
    stages,
    withdrawn,
)
from artreg.importing.gto_tracked import Tracked, find_tracked
from artreg.importing.landing import model_file, representable
from artreg.importing.source import Incoming, IncomingAlias, Names, Survey, Trouble
from artreg.importing.yanks import dispensable
from artreg.store.options import StorageOptions

_TAG_LIMIT = 2**20
_LONGEST_MESSAGE = 10_000
_DEEPEST = 8  # tags of tags
_SIGNATURE = re.compile(r"^-----BEGIN (?:PGP|SSH|SIGNED) .*", re.MULTILINE | re.DOTALL)
_TAGGER = re.compile(r"(.*) (-?[0-9]{1,15}) ([+-])([0-9]{2})([0-9]{2})")


class Located(Frozen):
    """Where a model's files are.

    Attributes:
        files: Those that git has, by their names; one that is a file has no name.
        tracked: What DVC has instead.
    """

    files: Mapping[str, TreeEntry]
    tracked: Tracked | None


class GtoSource:
    """Reads a repository.

    Args:
        location: Its folder on this machine: a work tree, or bare.
        names: What names of models become here.
        options: How to reach a bucket that is a remote of DVC's.

    Raises:
        InvalidInput: It is a URL.
    """

    kind = "gto"
    movable = True

    def __init__(self, location: str, names: Names, *, options: StorageOptions | None = None) -> None:
        if "://" in location:
            raise InvalidInput(
                f"{redact_url(location)[:200]} is not on this machine",
                hint="git clone it, run dvc fetch --all-tags there if DVC has its files, and name the clone",
            )
        self.location = os.path.abspath(os.path.expanduser(location))
        self._names = names
        self._options = options or StorageOptions()

    def survey(self) -> Survey:
        """Read all tags of GTO's, and what the commits that they point at say of the models."""
        with Repository(self.location) as repository:
            models, troubles = _events(repository)
            if not models and not troubles:
                raise InvalidInput(
                    f"{self.location} has none of GTO's tags, such as churn@v1.2.1",
                    hint="git fetch --tags gets those of a remote; only annotated tags count, as gto makes them",
                )
            survey = _Surveying(repository, self._options, troubles)
            for name in sorted(models):
                events = in_order(models[name])
                if not self._names.wanted(name):
                    continue
                try:
                    model = self._names.model(name)
                except InvalidInput as error:
                    troubles.append(Trouble(name, error))
                else:
                    survey.add(model, events)
            return survey.result()

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Bring what lies at the model's path: a file as `model.<ext>`, a folder as `model/`."""
        path = incoming.run["path"]
        with Repository(self.location) as repository:
            tree = repository.tree(incoming.run["commit"])
            located = _locate(Documents(repository), tree, path)
            if located.tracked is None:
                for name, entry in located.files.items():
                    place = f"model/{name}" if name else model_file(path)
                    bring(repository, entry, f"{path}/{name}".removesuffix("/"), place, folder)
                return
            storage = DvcStorage(repository, tree, located.tracked.document, self._options)
            place = model_file(path)
            if located.tracked.output.folder and list(storage.files(located.tracked)) != [""]:
                place = "model"
            storage.bring(located.tracked, path, place, folder)


class _Surveying:
    """What is found while a repository is surveyed."""

    def __init__(self, repository: Repository, options: StorageOptions, troubles: list[Trouble]) -> None:
        self._repository, self._options = repository, options
        self._documents = Documents(repository)
        self._remote = repository.remote
        self._versions: list[Incoming] = []
        self._aliases: list[IncomingAlias] = []
        self._troubles = troubles

    def add(self, model: ModelName, events: list[Event]) -> None:
        """Take in the tags of one model; what was taken back comes too, and gets no stage."""
        end = events[-1] if is_deprecated(events) else None
        versions = [(tags, end) for tags in registered(events).values()]
        versions += [([it.registered], it.back) for it in withdrawn(events).values()]
        come = []
        for tags, back in versions:
            item = f"{tags[0].tag.model}@{tags[0].tag.version}"
            try:
                come.append(self._incoming(item, model, tags, back, events))
            except ArtregError as error:
                self._troubles.append(Trouble(item, dispensable(error, _withdrawn(back))))
        self._versions += sorted(come, key=lambda incoming: incoming.version)
        for stage in stages(events) if end is None else ():
            try:
                self._aliases.append(_alias(model, stage))
            except ArtregError as error:
                self._troubles.append(Trouble(stage.assigned.tag.name, error))

    def result(self) -> Survey:
        """Return all that was found."""
        return Survey(tuple(self._versions), tuple(self._aliases), tuple(self._troubles))

    def _incoming(
        self, item: str, model: ModelName, tags: list[Event], back: Event | None, events: list[Event]
    ) -> Incoming:
        event = tags[-1]
        if len(tags) > 1:
            raise InvalidInput(
                f"it is registered at {len(tags)} commits, by {' and '.join(it.tag.name for it in tags)[:200]}",
                hint="take one of them back: gto deregister, or delete the tag",
            )
        version = Version.parse(event.tag.version)
        tree = self._repository.tree(event.commit)
        note = self._annotation(tree, event.tag.model)
        located = _locate(self._documents, tree, note.path)
        if located.tracked is not None:
            DvcStorage(self._repository, tree, located.tracked.document, self._options).require(located.tracked)
        run = {**self._run(event, note, events), **_held(self._repository, located)}
        numbers = metrics(self._documents, tree, event.tag.model)
        size, print_ = self._size(located), f"{event.commit}:{note.path}"
        return Incoming(item, model, version, print_, representable(run), numbers, size, _withdrawn(back))

    def _annotation(self, tree: Tree, model: str) -> Annotation:
        """Return what a commit says of a model, or HEAD where that commit says nothing."""
        try:
            return annotation(self._documents, tree, model)
        except NotFound:
            if self._repository.head is None:
                raise
            note = annotation(self._documents, self._repository.tree(self._repository.head), model)
            return Annotation(note.path, {**note.said, "annotated_at": self._repository.head})

    def _run(self, event: Event, note: Annotation, events: list[Event]) -> dict[str, Any]:
        where = {"repository": redact_url(self._remote)} if self._remote else {}
        told = [it for it in events if it.commit == event.commit and it.tag.version in {"", event.tag.version}]
        return {
            **where,
            "artifact": event.tag.model,
            "tag": event.tag.name,
            "commit": event.commit,
            "registered_at": event.at,
            "registered_by": event.who,
            "message": event.message,
            "events": [_told(it) for it in told],
            **note.said,
            "path": note.path,
        }

    def _size(self, located: Located) -> int | None:
        if located.tracked is not None:
            return None if located.tracked.within else located.tracked.output.size
        single = located.files.get("")
        large = pointer(self._repository, single) if single else None
        return large.size if large else sum(size_of(self._repository, entry) for entry in located.files.values())


def _locate(documents: Documents, tree: Tree, path: str) -> Located:
    """Return where the files under a model's path are.

    Raises:
        NotFound: Neither git nor DVC knows it.
        InvalidInput: It is what no version can hold.
        IntegrityError: It cannot be read.
    """
    files = git_files(tree, path)
    if files:
        return Located(files, None)
    tracked = find_tracked(documents, tree, path)
    if tracked is None:
        raise NotFound(
            f"neither git nor DVC has {path} at its commit",
            hint="correct the path where the model is annotated, and register a version of that commit",
        )
    return Located({}, tracked)


def _held(repository: Repository, located: Located) -> Mapping[str, str]:
    """Return what a run record says of who holds the files, and under which hash."""
    if located.tracked is not None:
        output = located.tracked.output
        return {"held_by": "dvc", "dvc_file": located.tracked.document, "md5": f"{output.md5}{'.dir' * output.folder}"}
    single = located.files.get("")
    if single is None:
        return {"held_by": "git"}
    large = pointer(repository, single)
    return {"held_by": "git-lfs", "sha256": large.sha256} if large else {"held_by": "git", "oid": single.oid}


def _alias(model: ModelName, stage: Stage) -> IncomingAlias:
    tag = stage.assigned.tag
    if not stage.versions:
        raise InvalidInput(
            f"it assigns a stage to commit {stage.assigned.commit}, where no version is registered",
            hint=f"register one: gto register {tag.model} {stage.assigned.commit}",
        )
    if len(stage.versions) > 1:
        raise InvalidInput(
            f"it assigns a stage to one of {' and '.join(stage.versions)}: they have the same commit",
            hint="take one of them back: gto deregister",
        )
    alias = Alias(tag.stage) if is_alias(tag.stage) else None
    return IncomingAlias(tag.name, tag.stage, alias, model, Version.parse(stage.versions[0]), _why(stage.assigned))


def _withdrawn(back: Event | None) -> str:
    if back is None:
        return ""
    what = "deprecated" if back.tag.action is Action.DEPRECATE else "deregistered"
    return f"{what} by {back.tag.name} ({_why(back)})"


def _why(event: Event) -> str:
    """Return who did it when, and what was said."""
    said = event.message.partition("\n")[0]
    why: str = representable(f"{event.who.partition(' <')[0]}, {event.at}" + (f": {said}" if said else ""))
    return why


def _told(event: Event) -> Mapping[str, str]:
    told = {
        "event": event.tag.action.name.lower(),
        "stage": event.tag.stage,
        "tag": event.tag.name,
        "at": event.at,
        "by": event.who,
        "message": event.message,
    }
    return {key: value for key, value in told.items() if value}


def _events(repository: Repository) -> tuple[dict[str, list[Event]], list[Trouble]]:
    """Return what was done, by model, and the tags that cannot be read."""
    models: dict[str, list[Event]] = {}
    troubles: list[Trouble] = []
    for name, oid in repository.tags():
        tag = parse_tag(name)
        if tag is None:
            continue
        try:
            found = repository.find(oid)
            if found is None or found.kind == "tag":  # GTO takes no notice of lightweight tags either
                models.setdefault(tag.model, []).append(_event(repository, tag, oid))
        except ArtregError as error:
            troubles.append(Trouble(name, error))
    return models, troubles


def _event(repository: Repository, tag: Tag, oid: str) -> Event:
    """Read a tag.

    Raises:
        IntegrityError: It is damaged.
        InvalidInput: It points at no commit, or does not say when it was made.
    """
    head, _, message = repository.read(oid, "tag", _TAG_LIMIT).decode("utf-8", "replace").partition("\n\n")
    said = dict(_headers(head))
    tagger = _TAGGER.fullmatch(said.get("tagger", ""))
    if tagger is None:
        raise InvalidInput("the tag does not say who made it when", hint="make it anew with gto")
    target, kind = said.get("object", ""), said.get("type", "")
    for _ in range(_DEEPEST):
        if kind != "tag":
            break
        inner = dict(_headers(repository.read(target, "tag", _TAG_LIMIT).decode("utf-8", "replace")))
        target, kind = inner.get("object", ""), inner.get("type", "")
    if kind != "commit" or (found := repository.find(target)) is None or found.kind != "commit":
        raise IntegrityError("the tag points at no commit that is there", hint="git fsck says more")
    minutes = int(f"{tagger[3]}1") * (60 * int(tagger[4]) + int(tagger[5]))
    said_of_it = _SIGNATURE.sub("", message).strip()[:_LONGEST_MESSAGE]
    return Event(tag, target, int(tagger[2]), minutes, tagger[1].strip(), said_of_it)


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in text.partition("\n\n")[0].split("\n"):
        key, _, value = line.partition(" ")
        yield key, value
