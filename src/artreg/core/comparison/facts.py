"""What is known of a training, as far as its documents say: nothing in them is taken for granted."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from artreg.core.comparison.difference import Axis
from artreg.core.manifest import METRICS, is_model_file
from artreg.frozen import Frozen

UNKNOWN = "unknown"
"""What stands in a record for a fact that could not be known."""


class Facts(Frozen):
    """What is known of a version, or of a training that was not published.

    Attributes:
        run: The run record.
        data: The data manifest, or None.
        metrics: The metrics, or None.
        files: The sha256 of each file.
        locked: The packages that its `uv.lock` pins, each with its versions; None where there is no readable lock.
    """

    run: Mapping[str, Any]
    data: Mapping[str, Any] | None
    metrics: Mapping[str, Any] | None
    files: Mapping[str, str]
    locked: Mapping[str, str] | None = None

    def axis(self, axis: Axis) -> Mapping[str, Any]:
        """Return what the run record says of an axis; empty where it says nothing."""
        return section(section(self.run, "axes"), axis.value)

    @property
    def compared_files(self) -> Mapping[str, str]:
        """The files that equal axes must give again: those of the model, and the metrics."""
        return {name: sha256 for name, sha256 in self.files.items() if is_model_file(name) or name == METRICS}


def section(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a section of a document, empty where it is none."""
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in a list of a document; none where it is no list."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def locked_packages(lock: bytes) -> Mapping[str, str] | None:
    """Return the packages that a `uv.lock` pins, each with its versions, or None if it cannot be read."""
    try:
        packages = tomllib.loads(lock.decode("utf-8")).get("package", [])
        pairs = [(str(package["name"]), str(package.get("version", ""))) for package in packages]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    versions: dict[str, set[str]] = {}
    for name, version in pairs:
        versions.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions[name])) for name in sorted(versions)}


def leaves(document: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield what stands at the ends of a nested document, by dotted key; the items of a list have numbers for keys."""
    for key, value in document.items():
        name = f"{prefix}{key}"
        inner = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, f"{name}.")
        else:
            yield name, value
