"""What a commit says of its models: GTO's `artifacts.yaml`, or the `artifacts:` and `metrics:` of DVC's `dvc.yaml`."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from artreg.core.redact import redact_url
from artreg.core.strict import LARGEST_COUNT
from artreg.errors import ArtregError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.importing.gto_git import FILE, Repository, Tree
from artreg.importing.landing import checked_name, representable
from artreg.yamldoc import parse_yaml

LIMIT = 2**20
"""Bytes of a document that people, or tools for them, keep in git."""

INDEX, PIPELINE = "artifacts.yaml", "dvc.yaml"
_MOST_METRICS = 1000


class Annotation(Frozen):
    """What is said of a model.

    Attributes:
        path: Where it lies, relative to the top of the repository.
        said: Type, labels, description and whatever else, as a run record can hold it.
    """

    path: str
    said: Mapping[str, Any]


class Documents:
    """Reads YAML and JSON files out of trees, each of them once.

    Args:
        repository: Where they lie.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._read: dict[str, object] = {}

    def get(self, tree: Tree, path: str) -> object:
        """Return a document's plain values, or None if it is not there.

        Raises:
            InvalidInput: It is no YAML, or too large to be one that people write.
            IntegrityError: It cannot be read.
        """
        entry = tree.get(path)
        if entry is None or not entry.mode.startswith(FILE):
            return None
        if entry.oid not in self._read:
            data = self._repository.read(entry.oid, "blob", LIMIT)
            if path.endswith(".json"):
                self._read[entry.oid] = _json(data, path)
            else:
                self._read[entry.oid] = parse_yaml(data, path)
        return self._read[entry.oid]


def annotation(documents: Documents, tree: Tree, model: str) -> Annotation:
    """Return what a commit says of a model.

    Args:
        documents: Reads its documents.
        tree: Its tree.
        model: The model as GTO calls it: `churn`, or `folder:churn`.

    Raises:
        NotFound: It says nothing of where the model lies.
        InvalidInput: What it says makes no sense.
    """
    folder, _, name = model.rpartition(":")
    places = [(posixpath.join(folder, PIPELINE), "artifacts")]
    places += [] if folder else [(INDEX, "")]
    for place, section in places:
        document = documents.get(tree, place)
        entries = document.get(section) if section and isinstance(document, dict) else document
        entry = entries.get(name) if isinstance(entries, dict) else None
        if isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
            return Annotation(_inside(folder, entry["path"], f"{place} for {model}"), _said(entry))
    raise NotFound(
        f"neither {' nor '.join(place for place, _ in places)} says where {model} lies",
        hint="say it below artifacts: in dvc.yaml, and commit: what HEAD says holds for commits that say nothing",
    )


def metrics(documents: Documents, tree: Tree, model: str) -> Mapping[str, float]:
    """Return the numbers in the metrics files that the `dvc.yaml` of a model's folder names, and that git holds.

    Numbers within others are called by their path, `test.roc_auc`; what two files both have, by its file besides.
    """
    folder = model.rpartition(":")[0]
    try:
        document = documents.get(tree, posixpath.join(folder, PIPELINE))
        paths = sorted({posixpath.normpath(posixpath.join(folder, path)) for path in _metrics_files(document)})
        found = {path: dict(_numbers(documents.get(tree, path))) for path in paths}
    except ArtregError:
        return {}  # the model does not depend on them
    names = [name for numbers in found.values() for name in numbers]
    told = {
        name if names.count(name) == 1 else f"{path}:{name}": value
        for path, numbers in found.items()
        for name, value in numbers.items()
    }
    return told if len(told) <= _MOST_METRICS else {}


def _metrics_files(document: object) -> Iterator[str]:
    if not isinstance(document, dict):
        return
    stages = document.get("stages")
    sections = [document, *(stages.values() if isinstance(stages, dict) else ())]
    for section in sections:
        listed = section.get("metrics") if isinstance(section, dict) else None
        for entry in listed if isinstance(listed, list) else ():
            yield from [entry] if isinstance(entry, str) else map(str, entry) if isinstance(entry, dict) else ()


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool) and name and abs(value) <= LARGEST_COUNT:
        yield name, value  # neither NaN nor infinite, for these are not less than anything


def _json(data: bytes, path: str) -> object:
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} is no JSON", hint="correct it") from None


def _inside(folder: str, path: str, what: str) -> str:
    if "://" in path:
        raise InvalidInput(
            f"{what} lies outside of git and DVC: {redact_url(path)[:200]}",
            hint="fetch it yourself, and take it in with artreg import dir or artreg publish",
        )
    return checked_name(posixpath.normpath(posixpath.join(folder, path)), what)


def _said(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    said = {
        "type": entry.get("type"),
        "labels": entry.get("labels"),
        "description": entry.get("description") or entry.get("desc"),
        "custom": entry.get("custom") or entry.get("meta"),
    }
    return {key: representable(value) for key, value in said.items() if value}
