"""What processes of their own do with one cache."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from artreg.consuming.cache import Cache
from artreg.consuming.handle import Consumer
from artreg.consuming.keeping import prune
from artreg.consuming.leases import leased
from artreg.consuming.pull import pull
from artreg.consuming.remembering import resolve
from artreg.core.names import Reference
from artreg.errors import ArtregError
from artreg.registry.handle import Registry
from artreg.store.interface import Chunk
from artreg.store.local import LocalStore
from consuming.shop import Watched

PROD = Reference.parse("churn@free", "demo")


class InPieces(Watched):
    """Gives a large file in small pieces; after so many of them its process gets a signal."""

    def __init__(self, store: LocalStore, pieces: int, how: signal.Signals) -> None:
        super().__init__(store)
        self._left, self._how = pieces, how

    def chunks(self, key: str, start: int = 0) -> Iterator[Chunk]:
        for piece in super().chunks(key, start):
            for place in range(0, len(piece), 50_000):
                self._left -= len(piece) > 100_000
                if self._left == 0:
                    os.kill(os.getpid(), self._how)
                yield piece[place : place + 50_000]


def one_pull(
    folder: Path,
    name: str,
    pieces: int = -1,
    how: signal.Signals = signal.SIGKILL,
    limit: int = 2**30,
    *,
    link: bool = False,
) -> InPieces:
    """Pull what is in prod from the registry in a folder, through the cache there, into a folder there."""
    store = InPieces(LocalStore(folder / "registry"), pieces, how)
    consumer = Consumer(Registry(store), Cache(str(folder / "cache"), limit), "there")
    pull(consumer, resolve(consumer, PROD).found, LocalStore(folder), name, link=link)
    return store


def puller(number: int, folder: Path, times: int, barrier: object, limit: int) -> None:
    """Pull again and again, by copies and by links; leave behind how many bytes came, and what went wrong."""
    barrier.wait()
    report = {"bytes": 0, "errors": []}
    for turn in range(times):
        try:
            link = turn % 4 == 3
            name = f"{'link' if link else 'out'}-{number}-{turn}"
            report["bytes"] += one_pull(folder, name, limit=limit, link=link).bytes
        except ArtregError as error:
            report["errors"].append(f"{type(error).__name__}: {error}")
    (folder / f"report-{number}.json").write_text(json.dumps(report))


def meddler(folder: Path, barrier: object, done: object) -> None:
    """Prune the cache and damage what lies in it, until told to stop."""
    cache = Cache(str(folder / "cache"))
    generator = random.Random(3)
    barrier.wait()
    while not done.is_set():
        prune(cache, generator.choice([0, 10**6]))
        for entry in list(cache.entries()):
            if generator.random() < 0.3:
                try:
                    os.chmod(cache.path(entry.sha256), 0o644)
                    with open(cache.path(entry.sha256), "r+b") as file:
                        file.write(b"altered")
                except OSError:
                    pass
        time.sleep(0.002)


def signalled(folder: Path, name: str, pieces: int, how: signal.Signals) -> None:
    """Pull, and be killed or stopped in the middle of a large file."""
    one_pull(folder, name, pieces, how)


def holder(folder: Path, sha256: str, taken: object) -> None:
    """Use a file of the cache until killed."""
    with leased(Cache(str(folder / "cache")), [sha256]):
        taken.set()
        time.sleep(600)
