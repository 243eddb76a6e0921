"""Reads what is known of a version, to train it again or to compare it with another."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core.comparison import Facts
from artreg.core.comparison.facts import locked_packages
from artreg.core.manifest import Manifest
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.frozen import Frozen
from artreg.registry.evidence import read_subject
from artreg.registry.handle import Registry
from artreg.registry.versions import read_file, read_manifest
from artreg.store.interface import READ_LIMIT

LOCK_FILE = "uv.lock"
CONFIG_FILE = "config.yaml"


class Recorded(Frozen):
    """A version with what its documents say.

    Attributes:
        registry: Where it lies.
        model: The model.
        version: The version.
        manifest: Its manifest.
        sizes: Bytes of each file.
        facts: What the documents say.
    """

    registry: Registry
    model: ModelName
    version: Version
    manifest: Manifest
    sizes: Mapping[str, int]
    facts: Facts

    def __str__(self) -> str:
        return f"{self.model}@{self.version}"

    def read(self, name: str, limit: int = READ_LIMIT) -> bytes | None:
        """Return the bytes of a file, checked against the manifest, or None if the version has no such file.

        Raises:
            IntegrityError: The file is damaged, or larger than `limit`.
        """
        if name not in self.manifest.files:
            return None
        return read_file(self.registry, self.model, self.version, self.manifest, name, limit=limit)


def read_recorded(registry: Registry, model: ModelName, version: Version) -> Recorded:
    """Return a version with what its documents say, each checked against the manifest.

    Raises:
        NotFound: There is no such version.
        IntegrityError: One of its documents is damaged.
    """
    manifest = read_manifest(registry, model, version)
    subject = read_subject(registry, model, version, manifest)
    lock = read_file(registry, model, version, manifest, LOCK_FILE) if LOCK_FILE in manifest.files else None
    facts = Facts(
        run=subject.run,
        data=subject.data,
        metrics=subject.metrics,
        files=manifest.files,
        locked=None if lock is None else locked_packages(lock),
    )
    return Recorded(registry, model, version, manifest, subject.sizes, facts)
