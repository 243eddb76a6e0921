"""Reads where a version comes from."""

from __future__ import annotations

from artreg.core.lineage.origin import Origin, locked
from artreg.core.names import Reference
from artreg.errors import IntegrityError
from artreg.registry.evidence import read_subject
from artreg.registry.handle import Registry
from artreg.registry.resolve import resolve
from artreg.registry.versions import read_file, read_manifest

_LOCK = "uv.lock"


def read_origin(registry: Registry, reference: Reference) -> Origin:
    """Return a version with everything that its documents say, each checked against the manifest.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document is damaged, or the alias was pointed at other bytes.
    """
    found = resolve(registry, reference)
    manifest = read_manifest(registry, found.model, found.version)
    if manifest.digest != found.digest:
        raise IntegrityError(f"{found} is not the version that {found.alias} was set to: its manifest was changed")
    subject = read_subject(registry, found.model, found.version, manifest)
    lock = read_file(registry, found.model, found.version, manifest, _LOCK) if _LOCK in manifest.files else b""
    return Origin(found.model, found.version, manifest, subject.run, subject.metrics, subject.data, locked(lock))
