"""Reads where a version comes from."""

from __future__ import annotations

from artreg.core.lineage.origin import Origin, locked
from artreg.core.manifest import DOCUMENTS, Manifest
from artreg.registry.contents import pinned_manifest
from artreg.registry.evidence import read_subject
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved
from artreg.registry.versions import read_file

_LOCK = "uv.lock"
FILES = (*DOCUMENTS, _LOCK)
"""The files of a version that say where it comes from."""


def read_origin(registry: Registry, found: Resolved) -> Origin:
    """Return a version that was found with everything that its documents say, each checked against the manifest.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document is damaged, or the alias was pointed at other bytes.
    """
    return origin_of(registry, found, pinned_manifest(registry, found))


def origin_of(registry: Registry, found: Resolved, manifest: Manifest) -> Origin:
    """Return the same of a version whose manifest is known.

    Raises:
        IntegrityError: A document is damaged.
    """
    subject = read_subject(registry, found.model, found.version, manifest)
    lock = read_file(registry, found.model, found.version, manifest, _LOCK) if _LOCK in manifest.files else b""
    return Origin(
        model=found.model,
        run=subject.run,
        metrics=subject.metrics,
        data=subject.data,
        version=found.version,
        manifest=manifest,
        packages=locked(lock),
        card=subject.card,
    )
