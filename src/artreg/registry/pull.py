"""Pulling: a version becomes a folder elsewhere, and every byte is verified on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from artreg.core.manifest import MANIFEST, RUN
from artreg.core.names import Reference
from artreg.errors import AlreadyExists
from artreg.frozen import Frozen
from artreg.registry.contents import pinned_manifest
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved, resolve
from artreg.registry.transfer import version_files
from artreg.store.interface import Store, TreeFile


class Pulled(Frozen):
    """A version that now lies in a folder.

    Attributes:
        source: Where it came from.
        path: The folder.
        files: How many files it has, the manifest included.
        bytes: How many bytes these have.
        created: Whether this call wrote it; False if the folder held this very version already.
        fetched: How many bytes came from the registry, if that is known: with a cache there may be fewer.
        notes: What there is to say by the way, such as why the cache could not be used.
    """

    source: Resolved
    path: str
    files: int
    bytes: int
    created: bool
    fetched: int | None = None
    notes: tuple[str, ...] = ()


def pull(
    registry: Registry,
    reference: Reference,
    into: Store,
    name: str,
    *,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Pulled:
    """Copy a version into the folder `name` of another store; it appears whole and verified, or not at all.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something else.
        StorageError: It cannot be read or written.
    """
    return put(registry, resolve(registry, reference), into, name, dry_run=dry_run, reporter=reporter)


def put(
    registry: Registry,
    found: Resolved,
    into: Store,
    name: str,
    *,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Pulled:
    """Copy a version that was found into the folder `name` of another store, straight from the registry.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something else.
        StorageError: It cannot be read or written.
    """
    manifest = pinned_manifest(registry, found)
    files = version_files(registry, found.model, found.version, manifest)
    return put_files(found, files, into, name, dry_run=dry_run, reporter=reporter)


def put_files(
    found: Resolved,
    files: Sequence[TreeFile],
    into: Store,
    name: str,
    *,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Pulled:
    """Put the files of a version, wherever they come from, into the folder `name` of a store.

    Raises:
        IntegrityError: They are not what they should be; nothing was left behind.
        AlreadyExists: The folder holds something else.
        StorageError: They cannot be read or written.
    """
    total = sum(file.size for file in files)
    result = partial(Pulled, found, f"{into.url}/{name}", len(files), total)
    if into.page(name).entries:
        _require_same(into, name, files)
        return result(created=False)
    if not dry_run:
        into.put_tree(name, files, claim=RUN, seal=MANIFEST, progress=reporter.step(f"pull {found}", total))
    return result(created=True)


def _require_same(into: Store, name: str, files: Sequence[TreeFile]) -> None:
    if {entry.name for entry in into.walk(name)} != {file.name for file in files}:
        raise AlreadyExists(f"{name} in {into.url} is there and holds something else", hint="name another folder")
    expected = {file.name: file.sha256 for file in files}
    for digest in into.digests(name, [(file.name, file.size) for file in files]):
        if digest.sha256 != expected[digest.name]:
            raise AlreadyExists(
                f"{name} in {into.url} is there, but its {digest.name} differs",
                hint="remove it, or name another folder",
            )
