"""What a version says of its origin; of one that was made elsewhere, as much as is known."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from artreg.core.comparison.facts import UNKNOWN, section
from artreg.core.manifest import Manifest, is_model_file
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.frozen import Frozen

ARTREG_URI = "urn:artreg"
"""The names of what artreg defines begin with it."""


class Package(Frozen):
    """A package that a lock file pins.

    Attributes:
        name: Its name.
        version: Its version.
        sha256: The digests of its files.
        requires: The names of the packages that it needs.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    requires: tuple[str, ...]


class Making(Frozen):
    """What is known of how a model came to be; of one that was made elsewhere, as much as somebody said.

    Attributes:
        model: The model.
        run: The run record.
        metrics: The metrics, or None.
        data: The data manifest, or None.
    """

    model: ModelName
    run: Mapping[str, Any]
    metrics: Mapping[str, Any] | None
    data: Mapping[str, Any] | None

    def axis(self, name: str) -> Mapping[str, Any]:
        """Return an axis of the run record; empty where it is not known."""
        return section(section(self.run, "axes"), name)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The training config; empty where it is not known."""
        return section(self.axis("config"), "document")

    @property
    def task(self) -> str | None:
        """What the model was trained for, `classification` or `regression`, or None where it is not known."""
        data = self.settings.get("data")
        return str(data.get("task") or "classification") if isinstance(data, Mapping) else None

    @property
    def architecture(self) -> str | None:
        """What trained the model, or None where it is not known."""
        trainer = self.settings.get("trainer")
        return None if trainer is None else str(trainer.get("kind") if isinstance(trainer, Mapping) else trainer)

    @property
    def artreg(self) -> str:
        """The version of artreg that it was made with, or "unknown"."""
        return str(section(self.axis("environment"), "packages").get("artreg", UNKNOWN))

    @property
    def commit(self) -> str | None:
        """The commit that it was made from, or None where it is not known."""
        commit = self.axis("code").get("commit")
        return commit if isinstance(commit, str) and commit != UNKNOWN else None

    @property
    def repository(self) -> str | None:
        """The URL of the repository, or None where it is not known."""
        remote = self.axis("code").get("remote")
        return remote if isinstance(remote, str) and remote else None


class Origin(Making):
    """A version, with everything that its documents say.

    Attributes:
        version: The version.
        manifest: Its files.
        packages: What its lock file pins.
        card: Its README.md, or None if it has none.
    """

    version: Version
    manifest: Manifest
    packages: tuple[Package, ...]
    card: str | None = None

    @property
    def name(self) -> str:
        """The version's full name."""
        return f"{self.model}@{self.version}"

    @property
    def model_files(self) -> Mapping[str, str]:
        """The files of the model itself, each with its sha256."""
        return {name: sha256 for name, sha256 in self.manifest.files.items() if is_model_file(name)}


def locked(lock: bytes) -> tuple[Package, ...]:
    """Return the packages that a `uv.lock` pins, by name; nothing where it cannot be read."""
    try:
        entries = tomllib.loads(lock.decode("utf-8")).get("package", [])
        return tuple(sorted((_package(entry) for entry in entries if "version" in entry), key=lambda one: one.name))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _package(entry: Mapping[str, Any]) -> Package:
    files = [*entry.get("wheels", []), *([entry["sdist"]] if "sdist" in entry else [])]
    hashes = {str(file.get("hash", "")).removeprefix("sha256:") for file in files}
    requires = {str(one["name"]) for one in entry.get("dependencies", [])}
    return Package(str(entry["name"]), str(entry["version"]), tuple(sorted(hashes - {""})), tuple(sorted(requires)))
