"""The four axes of two trainings, compared by what their records say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from artreg.core.comparison.difference import Axis, Comparison, Difference, Likeness
from artreg.core.comparison.facts import UNKNOWN, Facts, entries, leaves, section

_MATTERS = ("python", "implementation", "platform", "machine", "container_image", "threads")
_SHORT = 12


def compare_axes(before: Facts, after: Facts) -> tuple[Comparison, ...]:
    """Compare two trainings on each axis, in the order in which people ask."""
    return tuple(compare(before, after) for compare in AXES.values())


def _code(before: Facts, after: Facts) -> Comparison:
    first, second = before.axis(Axis.CODE), after.axis(Axis.CODE)
    commits = [_known(side.get("commit")) for side in (first, second)]
    if None in commits:
        return Comparison(Axis.CODE, Likeness.UNKNOWN, "no commit was recorded")
    differences = []
    if commits[0] != commits[1]:
        differences.append(Difference("commit", *(commit[:_SHORT] for commit in commits if commit)))
    dirt = ("the first" if first.get("dirty") else "", "the second" if second.get("dirty") else "")
    differences += [
        Difference(f"{side} was made", note="from a work tree with changes that no commit holds")
        for side in dirt
        if side
    ]
    return _compared(Axis.CODE, f"commit {(commits[0] or '')[:_SHORT]}", differences)


def _environment(before: Facts, after: Facts) -> Comparison:
    first, second = before.axis(Axis.ENVIRONMENT), after.axis(Axis.ENVIRONMENT)
    if not first or not second:
        return Comparison(Axis.ENVIRONMENT, Likeness.UNKNOWN, "no environment was recorded")
    differences = _packages(section(first, "packages"), section(second, "packages"))
    differences += _locks(before, after, {difference.what for difference in differences})
    differences += [
        Difference(key, first.get(key), second.get(key))
        for key in _MATTERS
        if first.get(key) != second.get(key) and key in first and key in second
    ]
    if first.get("blas") != second.get("blas"):
        differences.append(Difference("BLAS", _blas(first), _blas(second)))
    differences += _mappings(section(first, "variables"), section(second, "variables"))
    summary = f"Python {first.get('python')}, {len(section(first, 'packages'))} packages"
    return _compared(Axis.ENVIRONMENT, summary, differences)


def _config(before: Facts, after: Facts) -> Comparison:
    first, second = (section(side.axis(Axis.CONFIG), "document") for side in (before, after))
    if not first or not second:
        return Comparison(Axis.CONFIG, Likeness.UNKNOWN, "no config was recorded")
    differences = _mappings(dict(leaves(first)), dict(leaves(second)))
    return _compared(Axis.CONFIG, f"{len(dict(leaves(first)))} keys, seed {first.get('seed')}", differences)


def _data(before: Facts, after: Facts) -> Comparison:
    first, second = before.axis(Axis.DATA), after.axis(Axis.DATA)
    hashes = [_known(side.get("content_hash")) for side in (first, second)]
    if None in hashes:
        return Comparison(Axis.DATA, Likeness.UNKNOWN, "no data hash was recorded")
    differences = []
    if first.get("record_count") != second.get("record_count"):
        differences.append(Difference("rows", first.get("record_count"), second.get("record_count")))
    differences += _schema(before, after)
    if hashes[0] != hashes[1]:
        differences.append(Difference("content", *(_short(value) for value in hashes)))
    differences += _mappings(
        {f"split.{key}": value for key, value in section(before.data or {}, "split").items()},
        {f"split.{key}": value for key, value in section(after.data or {}, "split").items()},
    )
    return _compared(Axis.DATA, f"{first.get('record_count')} rows, content {_short(hashes[0])}", differences)


AXES: Mapping[Axis, Callable[[Facts, Facts], Comparison]] = {
    Axis.CODE: _code,
    Axis.ENVIRONMENT: _environment,
    Axis.CONFIG: _config,
    Axis.DATA: _data,
}
"""How each axis is compared."""


def _compared(axis: Axis, summary: str, differences: list[Difference]) -> Comparison:
    likeness = Likeness.DIFFERENT if differences else Likeness.SAME
    return Comparison(axis, likeness, summary, tuple(differences))


def _packages(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Compare what was installed: other versions first, then what one lacks, and last artreg itself.

    Its own number says least about a model's bytes.
    """
    found = _mappings(first, second)
    return sorted(found, key=lambda one: (one.what == "artreg", one.before is None or one.after is None))


def _locks(before: Facts, after: Facts, told: set[str]) -> list[Difference]:
    """Compare what was locked, but for the packages of which it was told already."""
    digests = [side.axis(Axis.ENVIRONMENT).get("uv_lock_sha256") for side in (before, after)]
    if digests[0] == digests[1]:
        return []
    if before.locked is None or after.locked is None:
        return [Difference("uv.lock", *(_short(value) for value in digests))]
    packages = [
        Difference(one.what, one.before, one.after, "in uv.lock")
        for one in _mappings(before.locked, after.locked)
        if one.what not in told
    ]
    return packages or [Difference("uv.lock", note="other bytes, but the same packages")]


def _schema(before: Facts, after: Facts) -> list[Difference]:
    first, second = (_columns(side.data) for side in (before, after))
    return [
        Difference(f"column {one.what}", one.before, one.after) for one in _mappings(first, second) if first and second
    ]


def _columns(manifest: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {str(entry.get("name")): entry.get("type") for entry in entries((manifest or {}).get("schema"))}


def _mappings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Compare two mappings key by key; what is not there is as good as what is null."""
    keys = [*first, *(key for key in second if key not in first)]
    return [
        Difference(key, first.get(key), second.get(key))
        for key in keys
        if _typed(first.get(key)) != _typed(second.get(key))
    ]


def _typed(value: object) -> tuple[str, object]:
    """Return a value together with its kind, for 1, 1.0 and true are not the same setting."""
    return type(value).__name__, value


def _blas(environment: Mapping[str, Any]) -> str:
    libraries = entries(environment.get("blas"))
    return "; ".join(" ".join(str(value) for value in entry.values() if value) for entry in libraries) or UNKNOWN


def _known(value: object) -> str | None:
    return value if isinstance(value, str) and value not in ("", UNKNOWN) else None


def _short(value: object) -> str:
    return str(value)[:_SHORT]
