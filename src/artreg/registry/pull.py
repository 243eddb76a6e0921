"""Pulling: a version becomes a folder elsewhere, and every byte is verified on the way."""

from __future__ import annotations

from collections.abc import Sequence

from artreg.core.manifest import MANIFEST, RUN, Manifest
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
    there = already_there(found, manifest, into, name)
    if there is not None:
        return there
    files = version_files(registry, found.model, found.version, manifest)
    return put_files(found, files, into, name, dry_run=dry_run, reporter=reporter)


def already_there(found: Resolved, manifest: Manifest, into: Store, name: str) -> Pulled | None:
    """Return a version that lies in the folder `name` of a store, whole; None if nothing lies there.

    Raises:
        AlreadyExists: Something else does.
        StorageError: It cannot be read.
    """
    if not into.page(name).entries:
        return None
    expected = {**manifest.files, MANIFEST: found.digest}
    sizes = {entry.name: entry.size for entry in into.walk(name)}
    if sizes.keys() != expected.keys():
        raise AlreadyExists(f"{name} in {into.url} is there and holds something else", hint="name another folder")
    for digest in into.digests(name, list(sizes.items())):
        if digest.sha256 != expected[digest.name]:
            raise AlreadyExists(
                f"{name} in {into.url} is there, but its {digest.name} differs",
                hint="remove it, or name another folder",
            )
    return Pulled(found, f"{into.url}/{name}", len(sizes), sum(sizes.values()), created=False)


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
    if not dry_run:
        into.put_tree(name, files, claim=RUN, seal=MANIFEST, progress=reporter.step(f"pull {found}", total))
    return Pulled(found, f"{into.url}/{name}", len(files), total, created=True)
