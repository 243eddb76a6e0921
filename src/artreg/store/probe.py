"""Does this storage keep the promises that everything rests on? Asked through the interface alone."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from artreg.errors import AlreadyExists, ArtregError, NotFound
from artreg.store.commit import commit
from artreg.store.interface import OWN, Finding, Pointer, Store

_UNSAFE = "this storage ignores conditions on writes, so that nothing could be promised: use another"


def probe(store: Store, threads: int = 8) -> Iterator[Finding]:
    """Yield a finding for each promise, tried out in a place of its own that is cleaned up afterwards.

    Args:
        store: Whose root must be there.
        threads: How many write at once.
    """
    folder = f"{OWN}/probe-{os.urandom(16).hex()}"
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("writable", lambda: _writable(store, folder)),
        ("readable", lambda: _readable(store, folder)),
        ("conditional-writes", lambda: _conditional(store, folder)),
        ("race", lambda: _race(store, folder, threads)),
        ("pointer", lambda: _pointer(store, folder)),
        ("listing", lambda: _listing(store, folder)),
        ("deletable", lambda: _deletable(store, folder)),
    )
    try:
        for name, check in checks:
            finding = _finding(name, check)
            yield finding
            if name == "writable" and not finding.ok:
                return
    finally:
        with contextlib.suppress(ArtregError):
            store.delete([f"{folder}/{name}" for name in ("one", "race", "pointer")])


class _Broken(Exception):
    """A promise was not kept."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, message=check())
    except _Broken as broken:
        return Finding(name, ok=False, message=str(broken), hint=broken.hint)
    except ArtregError as error:
        return Finding(name, ok=False, message=error.message, hint=error.hint)


def _writable(store: Store, folder: str) -> str:
    store.page(folder)  # so that storage which remembers its listings, or lets them lag, shows an old one later
    commit(store, f"{folder}/one", folder.encode())
    return "a file can be written"


def _readable(store: Store, folder: str) -> str:
    if store.read(f"{folder}/one") != folder.encode():
        raise _Broken("a file that was just written comes back altered")
    return "it can be read back"


def _conditional(store: Store, folder: str) -> str:
    other = folder.encode()[::-1]
    try:
        store.create(f"{folder}/one", other)
    except AlreadyExists:
        if store.read(f"{folder}/one") != folder.encode():
            raise _Broken("a file was overwritten although that was said to be refused", _UNSAFE) from None
        return "it cannot be created again"
    raise _Broken("a file that was there could be created again", _UNSAFE)


def _race(store: Store, folder: str, threads: int) -> str:
    key = f"{folder}/race"
    start = threading.Barrier(threads)

    def write(number: int) -> bytes | None:
        data = f"{folder} {number}".encode()
        start.wait()
        try:
            commit(store, key, data)
        except AlreadyExists:
            return None
        return data

    with ThreadPoolExecutor(threads) as workers:
        winners = [data for data in workers.map(write, range(threads)) if data is not None]
    if len(winners) != 1:
        raise _Broken(f"of {threads} that created one file at the same time {len(winners)} were told they did", _UNSAFE)
    if store.read(key) != winners[0]:
        raise _Broken("the file holds something else than the one who created it wrote", _UNSAFE)
    return f"of {threads} that create one file at the same time one does"


def _pointer(store: Store, folder: str) -> str:
    key = f"{folder}/pointer"
    for number, target in enumerate(("one", "race")):
        store.point(key, Pointer(target, number))
        found = store.pointer(key)
        if found is None or found.target != target:
            raise _Broken("a pointer that was just set shows something else")
    return "a pointer can be moved"


def _listing(store: Store, folder: str) -> str:
    names = [entry.name for entry in store.page(folder).entries]
    if names != ["one", "pointer", "race"]:
        raise _Broken("a listing does not show what was just written", "use storage with consistent listings")
    return "a listing shows what was just written"


def _deletable(store: Store, folder: str) -> str:
    store.delete([f"{folder}/one"])
    try:
        store.read(f"{folder}/one")
    except NotFound:
        return "a file can be removed"
    raise _Broken("a file that was removed is still there", "only artreg gc needs this")
