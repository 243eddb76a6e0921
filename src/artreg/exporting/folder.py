"""Folders that other tools read: they appear whole and verified, or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from artreg.core import keys
from artreg.core.lineage import Origin
from artreg.errors import AlreadyExists, InvalidInput, StorageError
from artreg.frozen import Frozen
from artreg.registry.contents import contents_of
from artreg.registry.handle import Registry
from artreg.registry.origin import origin_of
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.registry.transfer import tree_files
from artreg.registry.versions import read_file
from artreg.store.factory import open_store
from artreg.store.interface import TreeFile, check_key

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Exported(Frozen):
    """A version that now lies in a folder in a format of others.

    Attributes:
        source: Where it came from.
        format: The format.
        path: The folder.
        files: How many files it has.
        bytes: How many bytes these have.
        details: What else there is to say of it, by names; representable in JSON.
        notes: What to say by the way, such as what must still be filled in.
    """

    source: Resolved
    format: str
    path: str
    files: int
    bytes: int
    details: Mapping[str, Any] = NOTHING
    notes: tuple[str, ...] = ()


class Whole(Frozen):
    """A version, as it is handed to those who write it in a format of others.

    Attributes:
        found: What the reference means now.
        origin: What its documents say, each checked against the manifest.
        files: Every file of it, the manifest too; whoever writes one sees on the way that it has its sha256.
    """

    found: Resolved
    origin: Origin
    files: tuple[TreeFile, ...]

    def file(self, name: str) -> TreeFile:
        """Return the file of a name that it has."""
        return next(file for file in self.files if file.name == name)

    def read(self, registry: Registry, name: str) -> bytes:
        """Return the bytes of a small file that it has, verified.

        Raises:
            IntegrityError: It is damaged.
        """
        found = self.found
        return read_file(registry, found.model, found.version, self.origin.manifest, name)


def find_whole(registry: Registry, found: Resolved) -> Whole:
    """Return a version that was found, its listing, manifest and documents checked.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged, or is not what its alias was pointed at.
    """
    contents = contents_of(registry, found)
    prefix = keys.version_prefix(found.model, found.version)
    files = tree_files(registry.store, prefix, contents.manifest, contents.run, contents.sizes)
    return Whole(found, origin_of(registry, found, contents.manifest), tuple(files))


def write_folder(
    whole: Whole,
    format_: str,
    files: Sequence[TreeFile],
    out: Path,
    *,
    marks: tuple[str, str],
    editable: str | None = None,
    details: Mapping[str, Any] = NOTHING,
    notes: tuple[str, ...] = (),
    reporter: Reporter = SILENT,
) -> Exported:
    """Write files into a folder that is not there yet, or is empty; it appears with all of them, or not at all.

    Args:
        whole: The version that they are made of.
        format_: The format that this makes.
        files: Them; each is hashed on its way, and must have the sha256 that it says.
        out: The folder.
        marks: Two of them whose bytes are at hand.
        editable: One that is to be written to, as no other is.
        details: What else there is to say of the folder.
        notes: What to say by the way.
        reporter: Told of the bytes that are written.

    Raises:
        AlreadyExists: Something lies there; nothing was changed.
        InvalidInput: The folder cannot be named so.
        IntegrityError: A file does not have its sha256; nothing was left behind.
        StorageError: The version cannot be read, or the folder cannot be written; nothing was left behind.
    """
    place = free_place(out)
    total = sum(file.size for file in files)
    claim, seal = marks
    try:
        into = open_store(place.parent)
        into.make_root()
        progress = reporter.step(f"export {whole.found}", total)
        into.put_tree(place.name, list(files), claim=claim, seal=seal, progress=progress)
    except StorageError as error:
        beside = next(parent for parent in place.parents if parent.exists())
        if os.access(beside, os.W_OK | os.X_OK):
            raise
        raise StorageError(
            f"{out} cannot be made: you may not write to {beside}", hint="name a folder elsewhere"
        ) from error
    if editable is not None:
        with suppress(OSError):
            (place / editable).chmod(0o644)
    return Exported(whole.found, format_, str(out), len(files), total, details, notes)


def free_place(out: Path) -> Path:
    """Return where a folder is to be made, if nothing lies there, or an empty folder.

    Raises:
        AlreadyExists: Something does.
        InvalidInput: The folder cannot be named so.
        StorageError: It cannot be looked at.
    """
    place = out.absolute()
    try:
        check_key(place.name)
        if os.path.lexists(place) and (place.is_symlink() or not place.is_dir() or any(place.iterdir())):
            raise AlreadyExists(f"{out} is there already", hint="name a folder that is not there yet, or is empty")
    except InvalidInput as error:
        raise InvalidInput(
            f"{out} cannot be the folder to make",
            hint="name one that is not there yet, without control characters or backslashes",
        ) from error
    except OSError as error:
        raise StorageError(f"{out} cannot be read: {error.strerror}", hint="name another folder") from error
    return place
