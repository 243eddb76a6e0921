"""Taking a version's bytes out of the registry: which files it has, and a private copy of them, verified on the way.

Whoever hashes a file in the registry and then opens it again may get other bytes the second time. So each file is
read once: what is hashed is what is kept, in memory or in a file without a name, and only that is ever handed on.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO

from artreg.core import keys
from artreg.core.manifest import MANIFEST, RUN, Manifest
from artreg.core.names import ModelName, Reference
from artreg.core.run_record import parse_run
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.registry.check import misplaced_files
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved, resolve
from artreg.registry.versions import read_file, read_manifest
from artreg.store.interface import Chunk

IN_MEMORY = 64 * 2**20
"""A file that is larger is held in a private file instead of memory."""


class Contents(Frozen):
    """A version that was found whole as far as its listing, its manifest and its run record tell.

    Attributes:
        registry: Where it lies.
        found: What the reference means now.
        manifest: Its manifest, the very one that the alias's record pins.
        run: The bytes of its run record.
        sizes: Bytes of each file in the manifest.
    """

    registry: Registry
    found: Resolved
    manifest: Manifest
    run: bytes
    sizes: Mapping[str, int]

    @property
    def prefix(self) -> str:
        """Under which keys the files lie."""
        return keys.version_prefix(self.found.model, self.found.version)

    def read(self, name: str) -> tuple[int, Iterator[Chunk]]:
        """Return how many bytes a file is said to have, and the bytes; nobody has verified them yet."""
        return self.sizes[name], self.registry.store.chunks(f"{self.prefix}/{name}")


def find_contents(registry: Registry, reference: Reference) -> Contents:
    """Return what a reference means now, with its manifest and run record checked; no other file is read.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged, or is not what its alias was pointed at.
    """
    return contents_of(registry, resolve(registry, reference))


def contents_of(registry: Registry, found: Resolved) -> Contents:
    """Return a version that was found, with its manifest and run record checked; no other file is read.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged, or is not what its alias was pointed at.
    """
    manifest = pinned_manifest(registry, found)
    return Contents(registry, found, manifest, *read_parts(registry, found.model, found.version, manifest))


def pinned_manifest(registry: Registry, found: Resolved) -> Manifest:
    """Return the manifest of what a reference means, the very one that the alias's record pins.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged, or is not what its alias was pointed at.
    """
    manifest = read_manifest(registry, found.model, found.version)
    if manifest.digest != found.digest:
        raise IntegrityError(
            f"{found} is not what {found.alias or 'it'} was {'pinned to' if registry.lock else 'pointed at'}: "
            f"its {MANIFEST} was changed since",
            hint="restore it from a copy, or roll back",
        )
    return manifest


def read_parts(
    registry: Registry, model: ModelName, version: Version, manifest: Manifest
) -> tuple[bytes, Mapping[str, int]]:
    """Return the run record of a version and the bytes of each file in its manifest, as they are listed.

    Raises:
        IntegrityError: One is missing, extra or no plain file, or the run record is not this version's.
    """
    what = f"{model}@{version}"
    entries = {entry.name: entry for entry in registry.store.walk(keys.version_prefix(model, version))}
    misplaced = list(misplaced_files(manifest, entries))
    if misplaced:
        raise IntegrityError(
            f"{what} is damaged: {'; '.join(f'{problem.file}: {problem.problem}' for problem in misplaced)}",
            hint="restore it from a copy, or use another version",
        )
    run = read_file(registry, model, version, manifest, RUN)
    check_run(run, manifest, model, version)
    return run, {name: entries[name].size for name in manifest.files}


def check_run(run: bytes, manifest: Manifest, model: ModelName, version: Version) -> None:
    """Return if a run record is that of the version that a manifest lists.

    Raises:
        IntegrityError: It is not.
    """
    if parse_run(run, model, version).content != manifest.content:
        raise IntegrityError(
            f"{model}@{version} is damaged: its {MANIFEST} lists other files than it was published with",
            hint="restore it from a copy, or use another version",
        )


@contextmanager
def held(contents: Contents, names: Collection[str]) -> Iterator[Mapping[str, IO[bytes]]]:
    """Hold private copies of files of a version, each read once and verified while it was copied.

    A copy is in memory, or, of a file larger than `IN_MEMORY`, in a file that only its owner could read and that has
    no name any more: nobody can put other bytes in its place.

    Raises:
        IntegrityError: A file does not have the bytes that the manifest names.
        StorageError: It cannot be read, or there is no room for it.
    """
    with ExitStack() as stack:
        yield {name: stack.enter_context(private_copy(contents, name)) for name in names}


def private_copy(contents: Contents, name: str) -> IO[bytes]:
    """Return a private copy of a file of a version, read once and verified while it was copied.

    Raises:
        IntegrityError: It does not have the bytes that the manifest names.
        StorageError: It cannot be read, or there is no room for it.
    """
    from hashlib import sha256  # noqa: PLC0415  # it loads OpenSSL

    what = f"{name} of {contents.found}"
    size, chunks = contents.read(name)
    copy: IO[bytes] = io.BytesIO()
    try:
        if size > IN_MEMORY:
            copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        hashed, left = sha256(), size
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise IntegrityError(f"{what} is larger than its listing says", hint="use another version")
            hashed.update(chunk)
            copy.write(chunk)
        if hashed.hexdigest() != contents.manifest.files[name]:
            raise IntegrityError(
                f"{what} does not match its checksum", hint="restore it from a copy, or use another version"
            )
        copy.seek(0)
    except BaseException as error:
        copy.close()
        if isinstance(error, NotFound):
            raise IntegrityError(f"{what} is missing") from error
        if isinstance(error, OSError):
            raise StorageError(
                f"cannot hold a copy of {what}: {error.strerror}", hint="make room, or set TMPDIR"
            ) from error
        raise
    return copy
