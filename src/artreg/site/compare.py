"""Two versions side by side: by the rules of `artreg diff`, and as data from which a page can compare any two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from artreg.core import canonical, drift
from artreg.core.comparison import Axis, Comparison, Difference, Facts, compare_axes, compare_outcome
from artreg.core.comparison.facts import leaves
from artreg.core.drift.measures import MAJOR, MODERATE
from artreg.core.manifest import DATA_MANIFEST
from artreg.core.metric_directions import higher_is_better
from artreg.core.wording import human_bytes
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.site import paths, words

if TYPE_CHECKING:
    from artreg.core.drift import ColumnDrift, DriftReport, TableProfile
    from artreg.site.values import ModelPart, VersionPart

_DIGEST = 16  # signs of a digest that tell it from all others
_PAIRS = 60
"""Pairs of data sets whose drift a page knows; of more, only of those that follow one another."""


class Changes(Frozen):
    """How a version differs from another.

    Attributes:
        axes: On each axis.
        metrics: The figures that differ.
        files: The files that differ, each with its sizes.
        same_files: How many files are the same.
        drift: How the data differ, or None where that is not known.
    """

    axes: tuple[Comparison, ...]
    metrics: tuple[Difference, ...]
    files: tuple[Difference, ...]
    same_files: int
    drift: DriftReport | None

    @property
    def drifted(self) -> list[ColumnDrift]:
        """The columns that at least shifted, the most drifted first."""
        columns = self.drift.columns if self.drift else ()
        return [column for column in columns if column.psi is not None and column.psi >= MODERATE]


def facts(part: VersionPart) -> Facts:
    """Return what the documents of a version say."""
    return Facts(run=part.run, data=_manifest(part), metrics=part.metrics, files=part.files)


def changes(before: VersionPart, after: VersionPart) -> Changes:
    """Compare two versions."""
    first, second = facts(before), facts(after)
    names = sorted({*before.files, *after.files})
    differing = [name for name in names if before.files.get(name) != after.files.get(name)]
    return Changes(
        axes=compare_axes(first, second),
        metrics=compare_outcome(first, second).metrics,
        files=tuple(Difference(name, before.sizes.get(name), after.sizes.get(name)) for name in differing),
        same_files=len(names) - len(differing),
        drift=_drift(_bytes(before), _bytes(after)),
    )


def data(model: ModelPart) -> dict[str, Any]:
    """Return what a page must know to compare any two versions of a model.

    What versions have in common is there once: a leaf is a key with its value, a section a list of leaves, and a
    version a list of sections.
    """
    leaf, section_, told = _Numbered(), _Numbered(), []
    for part in model.versions:
        sections = [section_.number(tuple(leaf.number(pair) for pair in pairs)) for pairs in _sections(part).values()]
        told.append(
            {
                "version": str(part.version),
                "page": paths.version_page(model.model, part.version).rpartition(f"{model.model.model}/")[2],
                "aliases": list(model.aliases_of(part.version)),
                "yanked": part.yank is not None,
                "damaged": bool(part.problems),
                "published": words.minute(part.published_at),
                "data": part.files.get(DATA_MANIFEST, "")[:16],
                "sections": sections,
            }
        )
    metrics = {key for part in model.versions for key in part.figures}
    return {
        "model": str(model.model),
        "names": list(_TITLES),
        "leaves": leaf.found,
        "sections": section_.found,
        "versions": told,
        "better": {key: higher for key in sorted(metrics) if (higher := higher_is_better(key)) is not None},
        "drift": _drifts(model),
    }


_TITLES = ("metrics", "code", "environment", "config", "data", "files")


def _sections(part: VersionPart) -> dict[str, list[tuple[str, Any]]]:
    known = facts(part)
    environment = {key: value for key, value in known.axis(Axis.ENVIRONMENT).items() if key != "extras"}
    config = known.axis(Axis.CONFIG).get("document")
    sections: tuple[object, ...] = (
        part.metrics or {},
        known.axis(Axis.CODE),
        environment,
        config if isinstance(config, Mapping) else {},
        known.axis(Axis.DATA),
        {name: f"{sha256[:12]} · {human_bytes(part.sizes.get(name, 0))}" for name, sha256 in part.files.items()},
    )
    return {title: _leaves(document) for title, document in zip(_TITLES, sections, strict=True)}


def _leaves(document: object) -> list[tuple[str, Any]]:
    found = leaves(document) if isinstance(document, Mapping) else ()
    return [(words.visible(words.named(key), 200), _value(value)) for key, value in found]


def _value(value: object) -> object:
    """Return a value as JavaScript can hold it, and as a page can show it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        exact = abs(value) < 2**53
        return value if exact else words.figure(value)
    text = words.visible(words.text_of(value), 500)
    return re.sub("[0-9a-f]{32,}", lambda digest: f"{digest[0][:_DIGEST]}…", text)


class _Numbered:
    """Gives equal things the same number."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self.found: list[Any] = []

    def number(self, one: tuple[Any, ...]) -> int:
        key = tuple((type(part), part) for part in one)  # 1, 1.0 and true are not the same setting
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(one)
        return self._numbers[key]


def _drifts(model: ModelPart) -> dict[str, list[dict[str, Any]]]:
    """Return how data drifted, by the pair of manifests, of as many pairs as a page can hold."""
    tables: dict[str, bytes] = {}
    for part in reversed(model.versions):
        if _bytes(part):
            tables.setdefault(part.files[DATA_MANIFEST][:16], _bytes(part))
    names = list(tables)
    wanted = [(one, other) for one in names for other in names if one != other]
    if len(wanted) > _PAIRS:
        wanted = list(pairwise(names))[-_PAIRS:]
    found = {f"{one} {other}": _drift(tables[one], tables[other]) for one, other in wanted}
    return {pair: [_column(column) for column in report.columns] if report else [] for pair, report in found.items()}


def _column(column: ColumnDrift) -> dict[str, Any]:
    psi = column.psi
    word = "not compared" if psi is None else "drifted" if psi >= MAJOR else "shifted" if psi >= MODERATE else "stable"
    return {
        "column": words.visible(words.named(column.name), 200),
        "target": column.target,
        "psi": None if psi is None else round(psi, 4),
        "word": word,
        "missing": [round(column.missing_before, 4), round(column.missing_after, 4)],
    }


def _bytes(part: VersionPart) -> bytes:
    return part.documents.get(DATA_MANIFEST, b"")


def _manifest(part: VersionPart) -> Mapping[str, Any] | None:
    return _parsed(_bytes(part))


@lru_cache(maxsize=512)
def _parsed(document: bytes) -> Mapping[str, Any] | None:
    try:
        return canonical.loads(document, DATA_MANIFEST) if document else None
    except IntegrityError:
        return None  # said on the version's page


@lru_cache(maxsize=512)
def _profile(document: bytes) -> TableProfile | None:
    try:
        return drift.parse_profile(_parsed(document) or {}, DATA_MANIFEST)
    except IntegrityError:
        return None  # a manifest that others wrote may hold no profile, or one of another kind


@lru_cache(maxsize=1024)
def _drift(before: bytes, after: bytes) -> DriftReport | None:
    first, second = _profile(before), _profile(after)
    return None if first is None or second is None or before == after else drift.compare(first, second)
