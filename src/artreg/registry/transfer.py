"""Trees on their way from one store to another: their files as the manifest names them, each to be verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from artreg.core import keys
from artreg.core.manifest import MANIFEST, RUN, Manifest
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.registry.contents import read_parts
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.store.interface import Chunk, Store, TreeFile


def version_files(registry: Registry, model: ModelName, version: Version, manifest: Manifest) -> list[TreeFile]:
    """Return the files of a version for `Store.put_tree`, which sees on the way that each has its sha256.

    Raises:
        IntegrityError: One is missing, extra or no plain file, or the run record is not this version's.
    """
    run, sizes = read_parts(registry, model, version, manifest)
    return tree_files(registry.store, keys.version_prefix(model, version), manifest, run, sizes)


def tree_files(store: Store, prefix: str, manifest: Manifest, run: bytes, sizes: Mapping[str, int]) -> list[TreeFile]:
    """Return the files of a version that lies under a prefix, its run record and their sizes being known."""
    files = [
        TreeFile(file, source_of(store, f"{prefix}/{file}"), sizes[file], sha256)
        for file, sha256 in manifest.files.items()
        if file != RUN and file in sizes
    ]
    return [*files, small_file(RUN, run), small_file(MANIFEST, manifest.encode())]


def source_of(store: Store, key: str) -> Path | Callable[[], Iterator[Chunk]]:
    """Return where the bytes of a file come from: a file of this machine, which the kernel can copy, or a stream."""
    return store.local_path(key) or partial(store.chunks, key)
