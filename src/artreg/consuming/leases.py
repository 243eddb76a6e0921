"""Who is using what in the cache, so that nobody removes it meanwhile.

A lease is a file with the digests that its owner uses, locked as long as it is in use; the lock goes with the process,
whatever ends it. Whoever removes something first closes the gate, through which everybody goes who takes a lease.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator

from artreg.consuming.cache import Cache, listed

_NEW = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def leased(cache: Cache, names: Iterable[str]) -> Iterator[None]:
    """Keep files from being removed for as long as they are used here.

    Where no lease can be taken, as in a folder that can only be read, it goes without.
    """
    try:
        path, descriptor = take(cache, names)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def take(cache: Cache, names: Iterable[str]) -> tuple[str, int]:
    """Take a lease that ends when its descriptor is closed, at the latest with this process.

    Args:
        cache: The cache.
        names: The digests of the files, and the names of the trees.

    Returns:
        Where the lease lies, and its descriptor.

    Raises:
        OSError: None can be taken.
    """
    cache.make()
    with _gate(cache, fcntl.LOCK_SH):
        path = cache.place("leases", os.urandom(16).hex())
        descriptor = os.open(path, _NEW | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with open(descriptor, "w", encoding="ascii", closefd=False) as file:
                file.writelines(f"{name}\n" for name in names)
        except BaseException:
            os.close(descriptor)
            raise
    return path, descriptor


@contextlib.contextmanager
def nobody_comes(cache: Cache) -> Iterator[set[str]]:
    """Let nobody take a lease meanwhile; yield what is in use. Leases whose owners died are removed.

    Raises:
        OSError: The folder cannot be written.
    """
    with _gate(cache, fcntl.LOCK_EX):
        used: set[str] = set()
        for name in listed(cache.place("leases")):
            used |= _in_use(cache.place("leases", name))
        yield used


def _in_use(path: str) -> set[str]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return set()
    with open(descriptor, encoding="ascii") as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return set(file.read().split())
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return set()


@contextlib.contextmanager
def _gate(cache: Cache, how: int) -> Iterator[None]:
    descriptor = os.open(cache.place("lock"), _NEW, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
