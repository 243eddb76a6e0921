"""Reads where a version comes from."""

from __future__ import annotations

from artreg.core.lineage.origin import Origin, locked
from artreg.core.manifest import Manifest
from artreg.core.names import Reference
from artreg.registry.contents import pinned_manifest
from artreg.registry.evidence import read_subject
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved, resolve
from artreg.registry.versions import read_file

_LOCK = "uv.lock"


def read_origin(registry: Registry, reference: Reference) -> Origin:
    """Return a version with everything that its documents say, each checked against the manifest.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document is damaged, or the alias was pointed at other bytes.
    """
    found = resolve(registry, reference)
    return origin_of(registry, found, pinned_manifest(registry, found))


def origin_of(registry: Registry, found: Resolved, manifest: Manifest) -> Origin:
    """Return a version that was found with everything that its documents say, each checked against its manifest.

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
    )
