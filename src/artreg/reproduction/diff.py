"""Compares two versions: what they were made from, and what they came to."""

from __future__ import annotations

from pathlib import Path

from artreg.core import drift
from artreg.core.comparison import Axis, Comparison, Difference, Likeness, Outcome, compare_axes, compare_outcome
from artreg.core.drift import ColumnDrift, DriftReport, TableProfile, parse_profile
from artreg.core.drift.measures import MODERATE
from artreg.errors import IntegrityError
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved
from artreg.reproduction.checkout import Log, commits_between
from artreg.reproduction.data import compare_tables
from artreg.reproduction.parts import first_differences
from artreg.reproduction.recorded import Recorded, read_recorded

COMMITS_SHOWN = 20


class VersionDiff(Frozen):
    """How two versions differ.

    Attributes:
        before: The one.
        after: The other.
        axes: How they compare on each axis.
        commits: The commits between them, or None where this repository does not have both.
        drift: How the data of the second differ from those of the first, or None where a profile is missing.
        outcome: How model and metrics compare.
        files: The files that differ, each with the sizes in bytes and, of a model, the first part that differs.
        same_files: How many files are the same.
    """

    before: Resolved
    after: Resolved
    axes: tuple[Comparison, ...]
    commits: Log | None
    drift: DriftReport | None
    outcome: Outcome
    files: tuple[Difference, ...]
    same_files: int

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that at least shifted, the most drifted first."""
        columns = self.drift.columns if self.drift else ()
        return tuple(column for column in columns if column.psi is not None and column.psi >= MODERATE)


def compare_versions(registry: Registry, before: Resolved, after: Resolved, folder: Path) -> VersionDiff:
    """Compare two versions.

    Args:
        registry: Where both lie.
        before: The one.
        after: The other.
        folder: The present folder, whose repository is asked for the commits between them.

    Raises:
        NotFound: One of them is not there.
        IntegrityError: A document of one of them is damaged, or an alias was pointed at other bytes.
    """
    first, second = (_recorded(registry, found) for found in (before, after))
    axes = {comparison.axis: comparison for comparison in compare_axes(first.facts, second.facts)}
    if axes[Axis.DATA].likeness is Likeness.DIFFERENT:
        rows = compare_tables(first, second)
        axes[Axis.DATA] = replace(axes[Axis.DATA], differences=(*rows, *axes[Axis.DATA].differences))
    outcome = compare_outcome(first.facts, second.facts)
    names = sorted({*first.manifest.files, *second.manifest.files})
    differing = [name for name in names if first.manifest.files.get(name) != second.manifest.files.get(name)]
    return VersionDiff(
        before=before,
        after=after,
        axes=tuple(axes.values()),
        commits=_commits(first, second, folder),
        drift=_drift(first, second),
        outcome=outcome,
        files=_files(first, second, differing, outcome),
        same_files=len(names) - len(differing),
    )


def _recorded(registry: Registry, found: Resolved) -> Recorded:
    recorded = read_recorded(registry, found.model, found.version)
    if recorded.manifest.digest != found.digest:
        raise IntegrityError(f"{found} is not the version that {found.alias} was set to: its manifest was changed")
    return recorded


def _commits(first: Recorded, second: Recorded, folder: Path) -> Log | None:
    commits = [str(side.facts.axis(Axis.CODE).get("commit")) for side in (first, second)]
    return commits_between(folder, commits[0], commits[1], COMMITS_SHOWN)


def _drift(first: Recorded, second: Recorded) -> DriftReport | None:
    try:
        return drift.compare(*(_profile(side) for side in (first, second)))
    except IntegrityError:
        return None  # a manifest that others wrote may hold no profile, or one of another kind


def _profile(side: Recorded) -> TableProfile:
    return parse_profile(side.facts.data or {}, f"{drift.DATA_MANIFEST} of {side}")


def _files(first: Recorded, second: Recorded, names: list[str], outcome: Outcome) -> tuple[Difference, ...]:
    parts = {name: first_differences(first, second, [name]) for name in outcome.differing}
    return tuple(
        Difference(name, first.sizes.get(name), second.sizes.get(name), _part(name, parts.get(name, ())))
        for name in names
    )


def _part(name: str, parts: tuple[Difference, ...]) -> str:
    return str(parts[0]).removeprefix(name).lstrip(": ") if parts else ""
