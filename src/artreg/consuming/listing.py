"""Which files a version has, and how large they are, without reading any of them."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.consuming.gathering import find_manifest
from artreg.consuming.handle import Consumer
from artreg.core.manifest import MANIFEST, Manifest
from artreg.frozen import Frozen
from artreg.registry.contents import pinned_manifest, read_parts
from artreg.registry.resolve import Resolved


class Listed(Frozen):
    """A file of a version.

    Attributes:
        size: Bytes; None offline, of a file that the cache has not.
        sha256: Its digest.
    """

    size: int | None
    sha256: str


def files_of(consumer: Consumer, found: Resolved) -> Mapping[str, Listed]:
    """Return the files of a version by name, the manifest included; what the cache knows is not asked for.

    Raises:
        NotFound: There is no such version; or, offline, the cache does not know it.
        IntegrityError: It is damaged.
        StorageError: The registry cannot be read.
    """
    registry = consumer.registry
    cache = consumer.require_cache() if consumer.offline else consumer.cache
    if cache is None:
        manifest = pinned_manifest(registry, found)
        return _files(manifest, read_parts(registry, found.model, found.version, manifest)[1])
    manifest = find_manifest(registry, cache, found, offline=consumer.offline)
    there = cache.sizes(set(manifest.files.values()))
    sizes = {name: there[sha256] for name, sha256 in manifest.files.items() if sha256 in there}
    if len(sizes) < len(manifest.files) and not consumer.offline:
        return _files(manifest, read_parts(registry, found.model, found.version, manifest)[1])
    return _files(manifest, sizes)


def _files(manifest: Manifest, sizes: Mapping[str, int]) -> Mapping[str, Listed]:
    files = {name: Listed(sizes.get(name), sha256) for name, sha256 in manifest.files.items()}
    return {**files, MANIFEST: Listed(len(manifest.encode()), manifest.digest)}
