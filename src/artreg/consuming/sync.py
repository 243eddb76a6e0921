"""Syncing: a folder holds what the lock says, each version whole, in a folder that is named as its reference is.

What is there is looked at byte by byte, and left alone where it is right. Where it is another version, whole, it is
replaced, the new one being there first; where it is none, somebody changed it, and it is replaced only by force.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

from artreg.consuming.exchange import put_in_place
from artreg.core.lock import Lock, Pin
from artreg.core.manifest import MANIFEST, Manifest
from artreg.errors import AlreadyExists, ArtregError, GateRejected, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen, replace
from artreg.protocol import Protocol
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.pull import Pulled
from artreg.registry.resolve import Resolved, pinned, warned
from artreg.store.folders import is_folder, remove_tree
from artreg.store.interface import OWN, Kind, Store
from artreg.store.local import LocalStore


class Fetch(Protocol):
    """Puts a version into the folder of a store."""

    def __call__(self, found: Resolved, into: Store, name: str, *, reporter: Reporter) -> Pulled:
        """Do so."""


_AT_ONCE = 4
_NAMED = 5  # files of those that were changed
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


class Done(Enum):
    """What was done about a pin, or with a dry run would be."""

    PRESENT = "there already"
    PULLED = "pulled"
    REPLACED = "replaced"


class Synced(Frozen):
    """A pinned version that lies in its folder.

    Attributes:
        pin: What is pinned.
        path: The folder.
        done: What was done about it.
        files: How many files it has, the manifest included.
        bytes: How many bytes these have.
        fetched: How many of these came from the registry, if that is known.
        notes: What there is to say by the way, such as that it was yanked.
    """

    pin: Pin
    path: str
    done: Done
    files: int
    bytes: int
    fetched: int | None = None
    notes: tuple[str, ...] = ()


class Failed(Frozen):
    """A pinned version that could not be put in its folder, which is as it was."""

    pin: Pin
    error: ArtregError


class Syncing(Frozen):
    """How to sync.

    Attributes:
        folder: The folder in which those of the pins lie.
        registry: Where they come from.
        fetch: Puts a version into a folder.
        frozen: Whether the registry is asked for nothing but bytes, so that nobody hears of what was yanked.
        no_yanked: Whether a yanked version is refused.
        quick: Whether what is there is looked at by name and size alone.
        force: Whether what somebody changed is replaced.
        dry_run: Whether only to look what would be done.
    """

    folder: Path
    registry: Registry
    fetch: Fetch
    frozen: bool = False
    no_yanked: bool = False
    quick: bool = False
    force: bool = False
    dry_run: bool = False


class There(Frozen):
    """What lies in the folder of a pin.

    Attributes:
        digest: The digest of the version that it is by its manifest; '' if it has no sound one.
        changed: The files that are not as that manifest says; all of them where there is none.
    """

    digest: str
    changed: tuple[str, ...]


def sync(lock: Lock, how: Syncing, reporter: Reporter = SILENT) -> list[Synced | Failed]:
    """Make a folder hold what a lock says: of each pin the whole version, or what was there before.

    Raises:
        InvalidInput: The folder is none.
        StorageError: It cannot be written.
    """
    alone = len(lock.pins) == 1  # several bars at a time are more than a terminal shows
    progress = SILENT.step("", 0) if alone else reporter.step("sync", len(lock.pins), unit="models")

    def one(pin: Pin) -> Synced | Failed:
        try:
            return _sync(pin, how, reporter if alone else SILENT)
        except ArtregError as error:
            return Failed(pin, error)
        finally:
            progress.advance(1)

    with _alone_in(how), ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="artreg-sync") as pool:
        return list(pool.map(one, lock.pins))


def look(into: Store, name: str, pin: Pin, *, quick: bool = False) -> There | None:
    """Return what lies in the folder of a pin, every byte of it being read; None if there is nothing.

    Args:
        into: Where the folder lies.
        name: The folder.
        pin: The pin.
        quick: Look only at names and sizes, where it is the pinned version by its manifest.

    Raises:
        IntegrityError: It is no folder.
        StorageError: It cannot be read.
    """
    entries = {entry.name: entry for entry in into.walk(name)}
    if not entries:
        return None
    manifest = _manifest(into, name, pin)
    if manifest is None:
        return There("", tuple(entries))
    expected = {**manifest.files, MANIFEST: manifest.digest}
    plain = {file: one.size for file, one in entries.items() if one.kind is Kind.FILE and file in expected}
    if quick and manifest.digest == pin.digest:
        whole = {file for file, size in plain.items() if file == MANIFEST or size == pin.files[file].size}
    else:
        hashed = into.digests(name, list(plain.items()))
        whole = {digest.name for digest in hashed if digest.sha256 == expected[digest.name]}
    return There(manifest.digest, tuple(sorted((entries.keys() | expected.keys()) - whole)))


def _manifest(into: Store, name: str, pin: Pin) -> Manifest | None:
    """Return the manifest of the version that lies in a folder, be it the pinned one or another."""
    try:
        data = into.read(f"{name}/{MANIFEST}")
        return pin.manifest if data == pin.manifest.encode() else Manifest.parse(data, name)
    except (NotFound, IntegrityError):
        return None


def _sync(pin: Pin, how: Syncing, reporter: Reporter) -> Synced:
    into, name = LocalStore(how.folder), str(pin.reference)
    for place in (how.folder / pin.reference.model.project, how.folder / name):
        if os.path.lexists(place) and not is_folder(str(place)):
            raise AlreadyExists(f"{place} is no folder", hint="remove it, or sync into another: -o DIR")
    there = look(into, name, pin, quick=how.quick)
    right = there == There(pin.digest, ())
    found, notes = _found(pin, how, at_hand=right)
    size = sum(file.size for file in pin.files.values()) + len(pin.manifest.encode())
    done = Done.PRESENT if right else Done.PULLED if there is None else Done.REPLACED
    result = Synced(pin, f"{into.url}/{name}", done, len(pin.files) + 1, size, 0 if right else None, notes)
    if there is not None and there.changed and not how.force:
        raise _changed(result.path, there)
    if right or how.dry_run:
        return result
    pulled = _placed(found, how, into, name, reporter, fresh=there is None)
    return replace(result, fetched=pulled.fetched, notes=(*notes, *pulled.notes))


def _found(pin: Pin, how: Syncing, *, at_hand: bool) -> tuple[Resolved, tuple[str, ...]]:
    """Return what a pin means to the registry, and what there is to say of it."""
    found = pinned(how.registry, pin)
    if how.frozen:
        return found, ()
    try:
        found = warned(how.registry, found)
    except StorageError as error:
        if how.no_yanked or not at_hand:
            raise
        return found, (f"nobody can say now whether {pin} was yanked: {error.message}",)
    if found.warning and how.no_yanked:
        raise GateRejected(found.warning, hint=f"lock another version (artreg lock {pin.reference}), or allow this one")
    return found, (f"warning: {found.warning}",) if found.warning else ()


def _placed(found: Resolved, how: Syncing, into: Store, name: str, reporter: Reporter, *, fresh: bool) -> Pulled:
    try:
        if fresh:
            return how.fetch(found, into, name, reporter=reporter)
        aside = LocalStore(_aside(how))
        aside.make_root()
        pulled = how.fetch(found, aside, name, reporter=reporter)
    except (NotFound, IntegrityError) as error:
        raise type(error)(
            f"{name} is locked at {found.version}, which is not to be had: {error.message}",
            hint="lock what there is now (artreg lock), or name a registry that has it (--registry)",
        ) from error
    put_in_place(_aside(how) / name, how.folder / name)
    return pulled


def _changed(path: str, there: There) -> AlreadyExists:
    more = len(there.changed) - _NAMED
    names = ", ".join(there.changed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    what = "is not as it was pulled" if there.digest else "holds what artreg did not put there"
    return AlreadyExists(
        f"{path} {what}: {names}", hint="--force replaces it, changes and all", files=list(there.changed)
    )


def _aside(how: Syncing) -> Path:
    return how.folder / OWN / "sync"


@contextlib.contextmanager
def _alone_in(how: Syncing) -> Iterator[None]:
    """Let nobody else sync into the folder meanwhile, where its file system has locks; leave nothing aside."""
    if how.dry_run:
        yield
        return
    if not how.folder.name or (how.folder.exists() and not how.folder.is_dir()):
        raise InvalidInput(f"{how.folder} cannot be the folder to sync into", hint="name another: -o DIR")
    LocalStore(how.folder).make_root()
    folder = os.open(how.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        _clear(how)  # of one that died
        yield
        _clear(how)
    finally:
        os.close(folder)


def _clear(how: Syncing) -> None:
    if _aside(how).exists():
        remove_tree(str(_aside(how)))
        with contextlib.suppress(OSError):
            _aside(how).parent.rmdir()
